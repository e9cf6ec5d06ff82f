/// The header of a PIM message (Protocol Independent Multicast), with the four bytes of a Register after it.
///
/// ```
///  0 version 2 (4 bits), type (4)    1 reserved    2 checksum    4 Register: border, null (1 bit each), reserved
/// ```
/// A Register carries a whole IP packet from a source's router to the tree's root.
///
/// Source: RFC 7761 section 4.9.
public struct PIMHeader: Hashable, Sendable {
    /// The size of the header of a Register, in bytes.
    public static let size = 8
    /// The type of the Register message.
    public static let register: UInt8 = 1

    /// The message type.
    public var type: UInt8
    /// The checksum, as on the wire; that of a Register covers only its first 8 bytes.
    public var checksum: UInt16 = 0
    /// The flags of a Register in the top two bits: border, null.
    public var flags: UInt32

    /// Creates a header; the checksum is not set yet.
    public init(type: UInt8 = register, flags: UInt32 = 0) {
        self.type = type & 0xf
        self.flags = flags
    }

    private enum Layout {
        static let versionAndType = HeaderNumber<UInt8>(at: 0)
        static let reserved = HeaderNumber<UInt8>(at: 1)
        static let checksum = HeaderNumber<UInt16>(at: 2)
        static let flags = HeaderNumber<UInt32>(at: 4)
    }
}

extension PIMHeader {
    /// Whether a whole packet follows, and not only the header in a Null-Register, which keeps the registration alive.
    public var carriesPacket: Bool { type == Self.register && flags & 0x4000_0000 == 0 }

    /// Parses the header at an offset.
    ///
    /// - Throws: `truncated`; `malformed` if the version is not 2.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        let first = bytes.load(Layout.versionAndType, at: offset)
        guard first >> 4 == 2 else { throw .malformed(.pimVersion, at: offset) }
        self.init(type: first, flags: bytes.load(Layout.flags, at: offset))
        self.checksum = bytes.load(Layout.checksum, at: offset)
    }

    /// Appends the 8 bytes of the header as it is, its checksum included.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(0x20 | type & 0xf, in: Layout.versionAndType)
            room.store(0, in: Layout.reserved)
            room.store(checksum, in: Layout.checksum)
            room.store(flags, in: Layout.flags)
            return Self.size
        }
    }

    /// Computes and sets the checksum of a Register.
    public mutating func setChecksum() {
        checksum = 0
        checksum = sum.value
    }

    /// Whether the checksum of a Register is correct.
    public var hasValidChecksum: Bool { sum.isValid }

    private var sum: Checksum {
        var sum = Checksum()
        sum.add(UInt32(0x20 | type & 0xf) << 24 | UInt32(checksum))
        sum.add(flags)
        return sum
    }
}
