/// The first two bytes of an IPv6 extension header, with its length and the protocol that follows.
///
/// ```
///  0 next header    1 length in units of 8 bytes, the first 8 not counted    2 content
/// ```
/// Hop-by-hop options, destination options, routing, mobility and others have this form. The authentication header has
/// it, too, but counts in units of 4 bytes, the first 8 not counted.
///
/// Source: RFC 8200 section 4, RFC 6564 section 4, RFC 4302 section 2.
public struct IPv6ExtensionHeader: Hashable, Sendable {
    /// The size of the smallest such header, in bytes.
    public static let minimumSize = 8

    /// The protocol that follows.
    public var nextHeader: IPProtocol
    /// The size of the header, in bytes.
    public var size: Int

    /// Creates a header.
    ///
    /// - Parameters:
    ///   - nextHeader: The protocol that follows the header.
    ///   - size: The size of the header in bytes; it is rounded up to a multiple of 8, from 8 to 2048.
    public init(nextHeader: IPProtocol, size: Int) {
        self.nextHeader = nextHeader
        self.size = min(max((size &+ 7) & ~7, Self.minimumSize), 2048)
    }

    private enum Layout {
        static let nextHeader = HeaderNumber<UInt8>(at: 0)
        static let length = HeaderNumber<UInt8>(at: 1)
        static let content = 2
    }
}

extension IPv6ExtensionHeader {
    /// Returns whether a protocol is an extension header that this type reads.
    public static func reads(_ number: IPProtocol) -> Bool {
        switch number {
        case .hopByHopOptions, .routing, .destinationOptions, .authentication, .mobility, .hostIdentity, .shim6: true
        default: false
        }
    }

    /// Parses the header at an offset.
    ///
    /// - Parameters:
    ///   - bytes: The bytes of the packet.
    ///   - offset: The offset of the header.
    ///   - number: The protocol number of this header, from the header before; authentication counts in another unit.
    /// - Throws: `DecodeError.truncated` if the header is incomplete.
    public init(
        parsing bytes: RawSpan,
        at offset: Int = 0,
        as number: IPProtocol = .destinationOptions
    ) throws(DecodeError) {
        try bytes.require(Self.minimumSize, at: offset)
        let length = Int(bytes.load(Layout.length, at: offset))
        self.nextHeader = IPProtocol(rawValue: bytes.load(Layout.nextHeader, at: offset))
        self.size = number == .authentication ? (length &+ 2) &* 4 : (length &+ 1) &* 8
        try bytes.require(size, at: offset)
    }

    /// Appends a header with its content, cut or padded with zeros to the size.
    public func emit(content: RawSpan, to buffer: inout ByteBuffer) {
        buffer.append(nextHeader.rawValue)
        buffer.append(UInt8(truncatingIfNeeded: size / 8 - 1))
        let count = min(content.byteCount, size - Layout.content)
        buffer.append(content.extracting(first: count))
        for _ in count..<(size - Layout.content) { buffer.append(0) }
    }
}
