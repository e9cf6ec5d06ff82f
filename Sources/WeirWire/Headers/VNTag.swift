/// The tag that identifies a virtual interface behind a switch port (Cisco VN-Tag).
///
/// ```
///  0 direction, pointer (1 bit each), destination (14 bits), looped (1), reserved, version (3), source (12)    4 type
/// ```
/// It follows the EtherType 0x8926.
///
/// Source: IEEE 802.1Qbh contribution "VN-Tag 101"; Wireshark's dissector agrees.
public struct VNTag: Hashable, Sendable {
    /// The size of the tag, with the type after it, in bytes.
    public static let size = 6

    /// The 4 bytes of the tag.
    public var control: UInt32
    /// The protocol that follows.
    public var type: EtherType

    /// Creates a tag from its parts.
    public init(control: UInt32, type: EtherType) {
        self.control = control
        self.type = type
    }

    private enum Layout {
        static let control = HeaderNumber<UInt32>(at: 0)
        static let type = HeaderNumber<UInt16>(at: 4)
    }
}

extension VNTag {
    /// The virtual interface that sent the frame, 0 to 4095.
    public var source: UInt16 { UInt16(control & 0xfff) }
    /// The virtual interface, or the list of them, that the frame is for, 0 to 16,383.
    public var destination: UInt16 { UInt16(control >> 16 & 0x3fff) }

    /// Parses the tag at an offset, after the EtherType that announces it.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 6 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        self.control = bytes.load(Layout.control, at: offset)
        self.type = EtherType(rawValue: bytes.load(Layout.type, at: offset))
    }

    /// Appends the 6 bytes of the tag.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(control, in: Layout.control)
            room.store(type.rawValue, in: Layout.type)
            return Self.size
        }
    }
}
