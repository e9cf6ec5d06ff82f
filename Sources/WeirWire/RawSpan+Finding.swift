extension RawSpan {
    /// Finds a byte in a range, as far as the range is there.
    package func find(_ byte: UInt8, in range: Range<Int>) -> Int? {
        var index = max(range.lowerBound, 0)
        let end = min(range.upperBound, byteCount)
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        while index &+ 8 <= end {
            // A byte of the difference is 0 at each place of the searched byte.
            let word = unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) ^ pattern
            let found = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if found != 0 { return index &+ UInt64(littleEndian: found).trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < end {
            if unsafeLoad(fromByteOffset: index, as: UInt8.self) == byte { return index }
            index &+= 1
        }
        return nil
    }

    /// Finds a byte from an offset on, which may be past the end.
    package func find(_ byte: UInt8, from start: Int) -> Int? {
        find(byte, in: Swift.min(start, byteCount)..<byteCount)
    }
}
