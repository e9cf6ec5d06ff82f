/// The tag that carries a customer's Ethernet frame through a provider's backbone ("MAC-in-MAC").
///
/// ```
///  0 priority (3 bits), drop eligible (1), flags (4), service identifier (24)
/// ```
/// It follows the EtherType 0x88e7. After it comes the customer's Ethernet header.
///
/// Source: IEEE Std 802.1Q-2018 section 9.7.
public struct BackboneTag: Hashable, Sendable {
    /// The size of the tag in bytes.
    public static let size = 4

    /// The priority and the flags.
    public var control: UInt8
    /// The service identifier (I-SID) of the customer, 0 to 0xffffff.
    public var service: UInt32

    /// Creates a tag from its parts.
    public init(control: UInt8 = 0, service: UInt32) {
        self.control = control
        self.service = service & 0xff_ffff
    }

    private enum Layout {
        static let word = HeaderNumber<UInt32>(at: 0)
    }
}

extension BackboneTag {
    /// Parses the tag at an offset, after the EtherType that announces it.
    ///
    /// - Throws: `DecodeError.truncated` if there are fewer than 4 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        let word = bytes.load(Layout.word, at: offset)
        self.init(control: UInt8(truncatingIfNeeded: word >> 24), service: word)
    }

    /// Appends the 4 bytes of the tag.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: Self.size) { room in
            room.store(UInt32(control) << 24 | service & 0xff_ffff, in: Layout.word)
            return Self.size
        }
    }
}
