/// The tag that identifies the extended port of a bridge (E-TAG).
///
/// ```
///  0 priority (3 bits), drop (1), ingress channel (12)    2 reserved (2 bits), group (2), channel (12)
///  4 ingress channel, extension    5 channel, extension    6 type
/// ```
/// It follows the EtherType 0x893f.
///
/// Source: IEEE 802.1BR-2012 clause 7.
public struct ETag: Hashable, Sendable {
    /// The size of the tag, with the type after it, in bytes.
    public static let size = 8

    /// The channel of the destination: 2 bits of group, 12 bits of base.
    public var channel: UInt16
    /// The protocol that follows.
    public var type: EtherType

    private enum Layout {
        static let channel = HeaderNumber<UInt16>(at: 2)
        static let type = HeaderNumber<UInt16>(at: 6)
    }

    /// Parses the tag at an offset, after the EtherType that announces it.
    ///
    /// - Throws: `DecodeError.truncated` if there are under 8 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        channel = bytes.load(Layout.channel, at: offset) & 0x3fff
        type = EtherType(rawValue: bytes.load(Layout.type, at: offset))
    }
}
