/// The header of a frame on a Cisco serial line (Cisco HDLC).
///
/// ```
///  0 address    1 control, 0    2 type
/// ```
/// Source: draft-ietf-opsawg-pcaplinktype, LINKTYPE_C_HDLC; RFC 1547 section 4.3.1.
public struct CiscoHDLCHeader: Hashable, Sendable {
    /// The size of the header in bytes.
    public static let size = 4

    /// The address: 0x0f for unicast, 0x8f for broadcast.
    public var address: UInt8
    /// The protocol that follows: an EtherType or one of Cisco's own numbers.
    public var type: EtherType

    private enum Layout {
        static let address = HeaderNumber<UInt8>(at: 0)
        static let type = HeaderNumber<UInt16>(at: 2)
    }

    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if there are under 4 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.size, at: offset)
        address = bytes.load(Layout.address, at: offset)
        type = EtherType(rawValue: bytes.load(Layout.type, at: offset))
    }
}
