/// The latest bytes of a stream, up to a limit.
///
/// A ring whose size is a power of two; it begins without memory and doubles up to its limit.
struct ByteWindow: Sendable {
    private var ring: [UInt8] = []
    /// The offset in the stream of the first kept byte.
    private(set) var start = 0
    /// The offset in the stream of the end of the kept bytes.
    private(set) var end = 0

    /// The memory of the window, in bytes.
    var capacity: Int { ring.count }

    /// The number of kept bytes.
    var count: Int { end &- start }

    /// Appends bytes; the oldest ones are discarded if they exceed the limit.
    mutating func append(_ bytes: RawSpan, limit: Int) {
        var bytes = bytes
        if bytes.byteCount > limit {
            let skipped = bytes.byteCount &- limit
            end &+= skipped
            start = end
            bytes = bytes.extracting(droppingFirst: skipped)
        }
        guard bytes.byteCount > 0 else { return start = end }
        grow(toHold: min(count &+ bytes.byteCount, limit))
        end &+= bytes.byteCount
        if count > limit { start = end &- limit }
        write(at: end &- bytes.byteCount, bytes)
    }

    /// Moves to another offset in the stream, and discards all bytes.
    mutating func move(to offset: Int) {
        start = offset
        end = offset
    }

    /// Discards all bytes and frees the memory.
    mutating func removeAll() {
        ring = []
        start = end
    }

    private mutating func write(at offset: Int, _ bytes: RawSpan) {
        let first = min(bytes.byteCount, ring.count &- place(of: offset))
        let place = place(of: offset)
        ring.withUnsafeMutableBytes { ring in
            bytes.withUnsafeBytes { bytes in
                let (head, tail) = (bytes.prefix(first), bytes.dropFirst(first))
                UnsafeMutableRawBufferPointer(rebasing: ring[place..<(place &+ first)]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: head)
                )
                UnsafeMutableRawBufferPointer(rebasing: ring[0..<tail.count]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: tail)
                )
            }
        }
    }

    /// Lends kept bytes, in one piece or two.
    ///
    /// - Precondition: All bytes of the range are kept.
    func forEachPiece(of range: Range<Int>, _ body: (Int, RawSpan) -> Void) {
        guard !range.isEmpty else { return }
        let place = place(of: range.lowerBound)
        let first = min(range.count, ring.count &- place)
        let bytes = ring.span.bytes
        body(range.lowerBound, bytes.extracting(place..<(place &+ first)))
        if first < range.count { body(range.lowerBound &+ first, bytes.extracting(0..<(range.count &- first))) }
    }

    private func place(of offset: Int) -> Int { offset & (ring.count &- 1) }

    private mutating func grow(toHold needed: Int) {
        guard needed > ring.count else { return }
        var size = max(ring.count, 256)
        while size < needed { size &*= 2 }
        var larger = [UInt8](repeating: 0, count: size)
        forEachPiece(of: start..<end) { offset, bytes in
            let place = offset & (size &- 1)
            let first = min(bytes.byteCount, size &- place)
            for index in 0..<bytes.byteCount {
                let byte = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
                larger[index < first ? place &+ index : index &- first] = byte
            }
        }
        ring = larger
    }
}

extension RawSpan {
    /// Finds the ranges in which two equally long spans differ, and passes them to a closure.
    func differences(from other: RawSpan, _ body: (Range<Int>) -> Void) {
        let count = min(byteCount, other.byteCount)
        var index = 0
        while index < count {
            // Most bytes are equal: compare 8 at a time.
            while index &+ 8 <= count,
                unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
                    == other.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            {
                index &+= 8
            }
            while index < count, byte(index) == other.byte(index) { index &+= 1 }
            let start = index
            while index < count, byte(index) != other.byte(index) { index &+= 1 }
            if start < index { body(start..<index) }
        }
    }

    private func byte(_ index: Int) -> UInt8 { unsafeLoad(fromByteOffset: index, as: UInt8.self) }
}
