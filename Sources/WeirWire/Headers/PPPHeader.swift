/// The protocol number in front of a PPP packet, with the address and control bytes if they are present.
///
/// ```
/// (0 address 0xff, control 0x03)    protocol, 2 bytes or 1
/// ```
/// The number is one byte if the sender compressed it: the first byte of a number is even, its last byte odd.
///
/// Source: RFC 1661 section 2, RFC 1662 section 3.
public struct PPPHeader: Hashable, Sendable {
    /// IPv4.
    public static let ipv4: UInt16 = 0x0021
    /// IPv6.
    public static let ipv6: UInt16 = 0x0057
    /// MPLS.
    public static let mpls: UInt16 = 0x0281

    /// The protocol that follows.
    public var `protocol`: UInt16
    /// Whether the address and control bytes are present.
    public var hasAddress: Bool
    /// Whether the number is compressed to one byte.
    public var isCompressed: Bool

    /// Creates a header; a number over 0xff, or an even one, is never compressed.
    public init(protocol: UInt16, hasAddress: Bool = false, isCompressed: Bool = false) {
        self.protocol = `protocol`
        self.hasAddress = hasAddress
        self.isCompressed = isCompressed && `protocol` <= 0xff && `protocol` & 1 == 1
    }

    private enum Layout {
        static let short = HeaderNumber<UInt8>(at: 0)
        static let long = HeaderNumber<UInt16>(at: 0)
        static let addressAndControl: UInt16 = 0xff03
    }
}

extension PPPHeader {
    /// The size of the header in bytes, 1 to 4.
    public var size: Int { (hasAddress ? 2 : 0) + (isCompressed ? 1 : 2) }

    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if the header is incomplete.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(1, at: offset)
        // 0xff is no protocol (RFC 1661 section 2), so a packet that ends here was cut within its address and control
        // bytes.
        if bytes.load(Layout.short, at: offset) == 0xff { try bytes.require(2, at: offset) }
        self.hasAddress =
            bytes.byteCount &- offset >= 2 && bytes.load(Layout.long, at: offset) == Layout.addressAndControl
        let start = hasAddress ? offset &+ 2 : offset
        try bytes.require(start &- offset &+ 1, at: offset)
        let first = bytes.load(Layout.short, at: start)
        self.isCompressed = first & 1 == 1
        if isCompressed {
            self.protocol = UInt16(first)
        } else {
            try bytes.require(start &- offset &+ 2, at: offset)
            self.protocol = bytes.load(Layout.long, at: start)
        }
    }

    /// Appends the 1 to 4 bytes of the header.
    public func emit(to buffer: inout ByteBuffer) {
        if hasAddress {
            buffer.append(0xff)
            buffer.append(0x03)
        }
        if !isCompressed { buffer.append(UInt8(truncatingIfNeeded: `protocol` >> 8)) }
        buffer.append(UInt8(truncatingIfNeeded: `protocol`))
    }
}
