/// A numeric field of a header, at a fixed offset.
///
/// Each header declares its fields once, in its `Layout`; parsing and emitting use the same declarations.
struct HeaderNumber<Value: FixedWidthInteger & BitwiseCopyable> {
    /// The offset of the number in bytes, from the start of its header.
    let offset: Int

    init(at offset: Int) {
        self.offset = offset
    }

    /// The bytes of the number within its header.
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

    /// Reads an Ethernet address.
    ///
    /// - Precondition: The bytes are there.
    @inline(__always)
    func loadMAC(at offset: Int) -> MACAddress {
        let high: UInt16 = load(HeaderNumber(at: 0), at: offset)
        let low: UInt32 = load(HeaderNumber(at: 2), at: offset)
        return MACAddress(UInt64(high) << 32 | UInt64(low))
    }

    /// Checks that a number of bytes is there at an offset.
    @inline(__always)
    func require(_ count: Int, at offset: Int) throws(DecodeError) {
        let available = offset >= 0 && offset <= byteCount ? byteCount &- offset : 0
        guard available >= count else { throw .truncated(needed: count, available: available, at: offset) }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Checks that the buffer has room for a number of bytes.
    @inline(__always)
    func require(_ size: Int) {
        precondition(count >= size, "a header has more bytes than there is room")
    }

    /// Writes a number in network order into the buffer of a header.
    @inline(__always)
    func store<Value>(_ value: Value, in number: HeaderNumber<Value>) {
        storeBytes(of: value.bigEndian, toByteOffset: number.offset, as: Value.self)
    }

    /// Writes an Ethernet address into the buffer of a header.
    @inline(__always)
    func storeMAC(_ address: MACAddress, at offset: Int) {
        store(UInt16(truncatingIfNeeded: address.value >> 32), in: HeaderNumber(at: offset))
        store(UInt32(truncatingIfNeeded: address.value), in: HeaderNumber(at: offset &+ 2))
    }
}
