/// The header of a packet that Linux's netfilter logged (NFLOG).
///
/// ```
///  0 address family    1 version, 0    2 resource    4 values: length (2 bytes), type (2), bytes, filled up to words
/// ```
/// Lengths and types are in the byte order of the capturing machine; a length includes its own 4 bytes. The packet is
/// the value of type 9.
///
/// Source: https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html.
public struct NFLOGHeader: Hashable, Sendable {
    /// The address family of the packet: 2 is IPv4, 10 is IPv6.
    public var family: UInt8
    /// The offset of the packet in bytes from the header; the end if there is no packet.
    public var size: Int
    /// The packet's length in bytes.
    public var length: Int

    private static let fixed = 4
    private static let payload: UInt16 = 9

    /// Parses the header at an offset.
    ///
    /// - Parameters:
    ///   - bytes: The captured bytes.
    ///   - offset: The offset of the header.
    ///   - end: The end of the packet on the wire, which may be past the captured bytes.
    /// - Throws: `truncated`; `malformed` if a value's length is impossible in both byte orders.
    public init(parsing bytes: RawSpan, at offset: Int = 0, end: Int) throws(DecodeError) {
        try bytes.require(Self.fixed, at: offset)
        family = bytes.load(HeaderNumber<UInt8>(at: 0), at: offset)
        (size, length) = (end &- offset, 0)
        for isSwapped in [true, false] {
            guard let found = try Self.find(bytes, offset &+ Self.fixed, end, isSwapped) else { continue }
            (size, length) = (found.start &- offset, found.length)
            return
        }
        throw .malformed(.nflogLength, at: offset &+ Self.fixed)
    }

    /// Finds the packet among the values; nil if a length is under 4 or exceeds the end.
    private static func find(
        _ bytes: RawSpan,
        _ start: Int,
        _ end: Int,
        _ isSwapped: Bool
    ) throws(DecodeError) -> (start: Int, length: Int)? {
        var at = start
        while at < end {
            guard end &- at >= fixed else { return nil }
            try bytes.require(fixed, at: at)
            var length = bytes.load(HeaderNumber<UInt16>(at: 0), at: at)
            var type = bytes.load(HeaderNumber<UInt16>(at: 2), at: at)
            if isSwapped { (length, type) = (length.byteSwapped, type.byteSwapped) }
            guard length >= fixed, at &+ Int(length) <= end else { return nil }
            if type == payload { return (at &+ fixed, Int(length) &- fixed) }
            at &+= (Int(length) &+ 3) & ~3
        }
        return (end, 0)
    }
}
