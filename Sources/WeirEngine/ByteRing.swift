/// A queue of bytes, first in, first out, in one block whose size is a power of two; a large block is freed when the
/// last byte leaves.
struct ByteRing {
    private var storage: [UInt8] = []
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Returns the byte at an offset; nil after the end.
    func byte(at offset: Int) -> UInt8? {
        offset < count ? storage[(head + offset) & (storage.count - 1)] : nil
    }

    /// Appends bytes; the storage grows by doubling.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if count + bytes.count > storage.count { grow(toHold: count + bytes.count) }
        guard !bytes.isEmpty else { return }
        let start = (head + count) & (storage.count - 1)
        let first = min(bytes.count, storage.count - start)
        storage.withUnsafeMutableBytes { target in
            target[start..<(start + first)].copyBytes(from: bytes[..<first])
            target[..<(bytes.count - first)].copyBytes(from: bytes[first...])
        }
        count += bytes.count
    }

    /// Removes bytes at the front.
    mutating func removeFirst(_ amount: Int) {
        let amount = min(amount, count)
        count -= amount
        if count == 0 {
            head = 0
            // A large block is freed; a small one is kept for the next message.
            if storage.count > 256 { storage = [] }
        } else {
            head = (head + amount) & (storage.count - 1)
        }
    }

    /// Removes everything, and frees the storage.
    mutating func removeAll() {
        storage = []
        head = 0
        count = 0
    }

    /// Returns how many bytes from `offset` on equal the given bytes, up to the first difference or the end of the
    /// ring.
    func commonPrefix(with bytes: UnsafeRawBufferPointer, from offset: Int = 0) -> Int {
        let length = min(bytes.count, count - offset)
        guard length > 0 else { return 0 }
        let start = (head + offset) & (storage.count - 1)
        let first = min(length, storage.count - start)
        return storage.withUnsafeBytes { stored in
            let run = commonPrefixLength(stored[start..<(start + first)], bytes[..<first])
            guard run == first, length > first else { return run }
            return first + commonPrefixLength(stored[..<(length - first)], bytes[first..<length])
        }
    }

    private mutating func grow(toHold needed: Int) {
        var capacity = max(storage.count, 64)
        while capacity < needed { capacity *= 2 }
        let first = min(count, storage.count - head)
        // Bytes are never read before they are written: clearing them would cost as much as filling them.
        storage = Array(unsafeUninitializedCapacity: capacity) { target, filled in
            filled = capacity
            guard count > 0 else { return }
            let target = UnsafeMutableRawBufferPointer(target)
            storage.withUnsafeBytes { source in
                target[..<first].copyBytes(from: source[head..<(head + first)])
                target[first..<count].copyBytes(from: source[..<(count - first)])
            }
        }
        head = 0
    }
}

/// Returns the number of equal bytes at the front of two slices of the same length, compared eight at a time.
private func commonPrefixLength(_ left: Slice<UnsafeRawBufferPointer>, _ right: Slice<UnsafeRawBufferPointer>) -> Int {
    let left = UnsafeRawBufferPointer(rebasing: left)
    let right = UnsafeRawBufferPointer(rebasing: right)
    let count = min(left.count, right.count)
    var index = 0
    while index + 8 <= count {
        let difference =
            left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            ^ right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        if difference != 0 { return index + UInt64(littleEndian: difference).trailingZeroBitCount / 8 }
        index += 8
    }
    while index < count, left[index] == right[index] { index += 1 }
    return index
}
