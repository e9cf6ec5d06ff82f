// Bounds-checked reads: nil if the bytes are not there.
extension RawSpan {
    /// Reads a byte.
    @inline(__always)
    func byte(at offset: Int) -> UInt8? {
        guard offset >= 0, offset < byteCount else { return nil }
        return unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// Reads a number in network order.
    @inline(__always)
    func number<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int, _ type: Value.Type = Value.self) -> Value? {
        guard offset >= 0, offset <= byteCount &- MemoryLayout<Value>.size else { return nil }
        return Value(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// Reads a number of 24 bits in network order.
    @inline(__always)
    func number24(at offset: Int) -> Int? {
        guard let high = number(at: offset, UInt16.self), let low = byte(at: offset &+ 2) else { return nil }
        return Int(high) << 8 | Int(low)
    }

    /// Returns whether a text is at an offset.
    func has(_ text: StaticString, at offset: Int = 0) -> Bool {
        guard offset >= 0, byteCount &- offset >= text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { text in
            for index in text.indices
            where text[index] != unsafeLoad(fromByteOffset: offset &+ index, as: UInt8.self) { return false }
            return true
        }
    }

    /// Returns whether the bytes are the beginning of a text, or begin with it.
    func agrees(with text: StaticString) -> Bool {
        text.withUTF8Buffer { text in
            for index in 0..<Swift.min(text.count, byteCount)
            where text[index] != unsafeLoad(fromByteOffset: index, as: UInt8.self) { return false }
            return true
        }
    }

    /// Returns the part of a range that is there.
    @inline(__always)
    func there(_ range: Range<Int>) -> Range<Int> { range.clamped(to: 0..<byteCount) }

    /// Returns the text of the part of a range that is there, with invalid UTF-8 repaired.
    func repairedText(_ range: Range<Int>) -> String {
        extracting(there(range)).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}
