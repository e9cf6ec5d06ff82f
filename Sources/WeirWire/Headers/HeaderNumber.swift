/// Names a number of a header by where its bytes are.
///
/// Each header names its numbers once, in its `Layout`; parsing and emitting use the same names.
struct HeaderNumber<Value: FixedWidthInteger & BitwiseCopyable> {
    /// Holds where the number begins, in bytes from the start of its header.
    let offset: Int

    init(at offset: Int) {
        self.offset = offset
    }

    /// Gives the bytes of the number within its header.
    var range: Range<Int> { offset..<(offset + MemoryLayout<Value>.size) }
}

extension RawSpan {
    /// Reads a number in network order from a header that begins at `offset`.
    ///
    /// - Precondition: The bytes are there: `require` was called for the whole header.
    @inline(__always)
    func load<Value>(_ number: HeaderNumber<Value>, at offset: Int) -> Value {
        Value(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset &+ number.offset, as: Value.self))
    }

    /// Checks that so many bytes are there.
    @inline(__always)
    func require(_ count: Int, at offset: Int) throws(DecodeError) {
        let available = offset >= 0 && offset <= byteCount ? byteCount &- offset : 0
        guard available >= count else { throw .truncated(needed: count, available: available, at: offset) }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Checks that the room has so many bytes.
    @inline(__always)
    func require(_ size: Int) {
        precondition(count >= size, "a header has more bytes than there is room")
    }

    /// Writes a number in network order into the room for a header.
    @inline(__always)
    func store<Value>(_ value: Value, in number: HeaderNumber<Value>) {
        storeBytes(of: value.bigEndian, toByteOffset: number.offset, as: Value.self)
    }
}
