import Glibc

/// Owns one descriptor and closes it when it goes away.
struct Descriptor: ~Copyable {
    /// The number the kernel knows it by.
    let number: Int32

    /// Takes over an open descriptor.
    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }

    /// Gives the number up to the caller, who closes it.
    consuming func release() -> Int32 {
        let taken = number
        discard self
        return taken
    }
}

/// Owns the many descriptors of one worker, addressed by their place in the table.
///
/// An array cannot hold `Descriptor`, so this table is what closes them.
final class DescriptorTable {
    private(set) var numbers: ContiguousArray<Int32> = []

    /// Takes over a descriptor and returns its place.
    @discardableResult
    func append(_ descriptor: consuming Descriptor) -> Int {
        numbers.append(descriptor.release())
        return numbers.count - 1
    }

    /// Puts a new descriptor where a closed one was.
    func replace(_ place: Int, with descriptor: consuming Descriptor) {
        close(place)
        numbers[place] = descriptor.release()
    }

    /// Closes the descriptor at a place; nothing happens when it is closed already.
    func close(_ place: Int) {
        guard numbers[place] >= 0 else { return }
        Glibc.close(numbers[place])
        numbers[place] = -1
    }

    deinit {
        for number in numbers where number >= 0 { Glibc.close(number) }
    }
}
