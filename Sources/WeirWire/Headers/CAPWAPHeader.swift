/// The header of a frame that an access point and its controller exchange for a station over UDP (CAPWAP data).
///
/// ```
///  0 version (4 bits), kind of preamble (4)
///  1 header length in words (5 bits), radio (5), binding (5), native, fragment, last, wireless,
///    radio MAC, keep-alive, 3 flags
///  4 fragment: number, 6 place
/// ```
/// Source: RFC 5415 section 4.3; RFC 5416 section 2 for IEEE 802.11.
public struct CAPWAPHeader: Hashable, Sendable {
    /// The port of the controller.
    public static let port: UInt16 = 5247
    private static let minimumSize = 8

    /// The size of the header with its optional parts in bytes.
    public var size: Int
    /// The kind of the bytes after the header.
    public var payload: Payload

    /// The kind of a CAPWAP payload.
    public enum Payload: Hashable, Sendable {
        /// A frame of IEEE 802.3.
        case ethernet
        /// A frame of IEEE 802.11.
        case wireless
        /// A fragment, a keep-alive, a payload that DTLS protects, or another kind of frame.
        case other
    }

    /// Parses the header at an offset.
    ///
    /// - Throws: `truncated`; `malformed` if the header's length is under 8 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(1, at: offset)
        guard bytes.load(HeaderNumber<UInt8>(at: 0), at: offset) == 0 else {
            (size, payload) = (1, .other)
            return
        }
        try bytes.require(Self.minimumSize, at: offset)
        let bits = bytes.load(HeaderNumber<UInt32>(at: 0), at: offset)
        size = Int(bits >> 19 & 31) &* 4
        guard size >= Self.minimumSize else { throw .malformed(.capwapLength, at: offset &+ 1) }
        try bytes.require(size, at: offset)
        let (isNative, isFragment, isKeepAlive) = (bits & 0x100 != 0, bits & 0x80 != 0, bits & 8 != 0)
        if isFragment || isKeepAlive {
            payload = .other
        } else if isNative {
            payload = bits >> 9 & 31 == 1 ? .wireless : .other
        } else {
            payload = .ethernet
        }
    }
}
