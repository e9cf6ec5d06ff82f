/// The header of Generic Routing Encapsulation (GRE).
///
/// ```
///  0 flags (13 bits), version (3)    2 type    then, each if its flag is set and 4 bytes long:
///    checksum and reserved, key, sequence number, acknowledgment number (version 1)
/// ```
/// Source: RFC 2784, RFC 2890, RFC 2637 section 4.1 (version 1).
public struct GREHeader: Hashable, Sendable {
    /// The size of a header without its optional parts, in bytes.
    public static let minimumSize = 4
    /// The destination port of GRE over UDP (RFC 8086).
    public static let port: UInt16 = 4754

    /// The version: 0, or 1 for PPTP.
    public var version: UInt8
    /// The protocol that follows.
    public var type: EtherType
    /// The checksum, as on the wire, if there is one.
    public var checksum: UInt16?
    /// The key (in version 1 the length and the call number), if there is one.
    public var key: UInt32?
    /// The sequence number of the packet, if there is one.
    public var sequenceNumber: UInt32?
    /// The sequence number of the last packet received, if it is included.
    public var acknowledgmentNumber: UInt32?

    /// Creates a header without its optional parts.
    public init(type: EtherType, version: UInt8 = 0) {
        self.type = type
        self.version = version & 7
    }

    private enum Layout {
        static let flags = HeaderNumber<UInt16>(at: 0)
        static let type = HeaderNumber<UInt16>(at: 2)
        static let number = HeaderNumber<UInt32>(at: 0)
    }

    private enum Flag {
        static let checksum: UInt16 = 0x8000
        static let routing: UInt16 = 0x4000
        static let key: UInt16 = 0x2000
        static let sequenceNumber: UInt16 = 0x1000
        static let acknowledgmentNumber: UInt16 = 0x0080
    }
}

extension GREHeader {
    /// The size of the header in bytes, 4 to 20.
    public var size: Int {
        var size = Self.minimumSize
        if checksum != nil { size += 4 }
        if key != nil { size += 4 }
        if sequenceNumber != nil { size += 4 }
        if acknowledgmentNumber != nil { size += 4 }
        return size
    }

    /// Parses the header at an offset.
    ///
    /// - Throws: `truncated`; `malformed` if the version is over 1, or the header has the routing field of RFC 1701.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.minimumSize, at: offset)
        let flags = bytes.load(Layout.flags, at: offset)
        guard flags & 7 <= 1 else { throw .malformed(.greVersion, at: offset) }
        guard flags & Flag.routing == 0 else { throw .malformed(.greRouting, at: offset) }
        self.version = UInt8(truncatingIfNeeded: flags & 7)
        self.type = EtherType(rawValue: bytes.load(Layout.type, at: offset))
        var size = Self.minimumSize
        func next(_ flag: UInt16) throws(DecodeError) -> UInt32? {
            guard flags & flag != 0 else { return nil }
            try bytes.require(size &+ 4, at: offset)
            defer { size &+= 4 }
            return bytes.load(Layout.number, at: offset &+ size)
        }
        self.checksum = try next(Flag.checksum).map { UInt16(truncatingIfNeeded: $0 >> 16) }
        self.key = try next(Flag.key)
        self.sequenceNumber = try next(Flag.sequenceNumber)
        self.acknowledgmentNumber = try next(Flag.acknowledgmentNumber)
    }

    /// Appends the 4 to 20 bytes of the header as it is, its checksum included.
    public func emit(to buffer: inout ByteBuffer) {
        var flags = UInt16(version & 7)
        if checksum != nil { flags |= Flag.checksum }
        if key != nil { flags |= Flag.key }
        if sequenceNumber != nil { flags |= Flag.sequenceNumber }
        if acknowledgmentNumber != nil { flags |= Flag.acknowledgmentNumber }
        buffer.append(upTo: size) { room in
            room.store(flags, in: Layout.flags)
            room.store(type.rawValue, in: Layout.type)
            var offset = Self.minimumSize
            func store(_ number: UInt32?) {
                guard let number else { return }
                room.store(number, in: HeaderNumber(at: offset))
                offset += 4
            }
            store(checksum.map { UInt32($0) << 16 })
            store(key)
            store(sequenceNumber)
            store(acknowledgmentNumber)
            return offset
        }
    }
}
