import Glibc

/// A stream's content as its seed makes it: frames of 64 KiB, each with its number in front and its hash at its end.
///
/// A frame is checked by its hash alone; the rest of a stream that ends inside a frame, by comparing it with what the
/// seed makes.
final class Frames {
    /// The bytes of a frame, its hash included.
    static let size = 65_536
    private static let hashed = size - 8

    private let seed: UInt64
    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    private var number: UInt64 = 0
    /// How many bytes of the frame have been filled in, where not all are needed.
    private var made = 0

    /// Makes the first frame, or as much of it as a short stream needs.
    init(seed: UInt64, length: UInt64) {
        self.seed = seed
        make(min(Self.size, Int(clamping: length) + 8))
    }

    deinit {
        bytes.deallocate()
    }

    /// Lends a stream's bytes from a place on, as far as its frame goes.
    func withBytes<Result>(from offset: UInt64, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        turn(to: offset / UInt64(Self.size))
        return body(UnsafeRawBufferPointer(rebasing: bytes[Int(offset % UInt64(Self.size))...]))
    }

    /// Tells whether these are the first bytes of a frame.
    func begins(_ frame: UInt64, with other: UnsafeRawBufferPointer) -> Bool {
        turn(to: frame)
        if other.count > made { make(Self.size) }
        guard let mine = bytes.baseAddress, let base = other.baseAddress else { return true }
        return memcmp(mine, base, other.count) == 0
    }

    /// Tells whether the bytes of a whole frame are what its number and its hash say.
    static func isWhole(_ frame: UnsafeRawBufferPointer, number: UInt64) -> Bool {
        frame.load(as: UInt64.self) == number
            && frame.load(fromByteOffset: hashed, as: UInt64.self)
                == XXHash64.hash(UnsafeRawBufferPointer(rebasing: frame[..<hashed]), seed: number)
    }

    private func turn(to frame: UInt64) {
        guard frame != number else { return }
        if made < Self.size { make(Self.size) }
        number = frame
        seal()
    }

    private func make(_ count: Int) {
        var random = SplitMix(state: seed)
        let words = bytes.bindMemory(to: UInt64.self)
        for index in 0..<(count + 7) / 8 { words[index] = random.next() }
        made = count
        seal()
    }

    private func seal() {
        bytes.storeBytes(of: number, as: UInt64.self)
        guard made == Self.size else { return }
        let hash = XXHash64.hash(UnsafeRawBufferPointer(rebasing: bytes[..<Self.hashed]), seed: number)
        bytes.storeBytes(of: hash, toByteOffset: Self.hashed, as: UInt64.self)
    }
}

/// A generator whose numbers follow from its seed alone.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
