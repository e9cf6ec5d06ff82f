/// The fixed part of an IPv6 routing header.
///
/// ```
///  0 next header    1 length in units of 8 bytes, the first 8 not counted    2 type    3 segments left    4 content
/// ```
/// Source: RFC 8200 section 4.4.
public struct IPv6RoutingHeader: Hashable, Sendable {
    /// The protocol that follows.
    public var nextHeader: IPProtocol
    /// The size of the header, in bytes.
    public var size: Int
    /// The routing type: 0 (RFC 2460), 2 (RFC 6275), 3 (RFC 6554), 4 (RFC 8754).
    public var type: UInt8
    /// The number of stops still to be made before the final destination.
    public var segmentsLeft: UInt8

    private enum Layout {
        static let type = HeaderNumber<UInt8>(at: 2)
        static let segmentsLeft = HeaderNumber<UInt8>(at: 3)
        static let firstAddress = 8
        static let addressHigh = HeaderNumber<UInt64>(at: 0)
        static let addressLow = HeaderNumber<UInt64>(at: 8)
    }
}

extension IPv6RoutingHeader {
    /// Parses the header at an offset.
    ///
    /// - Throws: `DecodeError.truncated` if the header is incomplete.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        let general = try IPv6ExtensionHeader(parsing: bytes, at: offset)
        self.nextHeader = general.nextHeader
        self.size = general.size
        self.type = bytes.load(Layout.type, at: offset)
        self.segmentsLeft = bytes.load(Layout.segmentsLeft, at: offset)
    }

    /// Finds the final destination of a packet.
    ///
    /// The checksums of TCP and UDP cover this address, not the one in the IPv6 header (RFC 8200 section 8.1).
    ///
    /// - Parameters:
    ///   - bytes: The bytes that the header was parsed from.
    ///   - offset: The offset of the header.
    /// - Returns: The last address; nil if no stop is left, or the list is damaged or of another kind.
    /// - Precondition: The header was parsed from these bytes at this offset.
    public func finalDestination(in bytes: RawSpan, at offset: Int = 0) -> IPAddress? {
        let count = (size - Layout.firstAddress) / 16
        guard segmentsLeft > 0, count > 0 else { return nil }
        let first = offset &+ Layout.firstAddress
        switch type {
        case 0, 2: return address(in: bytes, at: first &+ (count &- 1) &* 16)
        // The list of a segment routing header is in reverse order, the last stop first.
        case 4: return address(in: bytes, at: first)
        default: return nil
        }
    }

    private func address(in bytes: RawSpan, at offset: Int) -> IPAddress {
        IPAddress(v6: bytes.load(Layout.addressHigh, at: offset), low: bytes.load(Layout.addressLow, at: offset))
    }
}
