/// An IPv4 address, or an IPv6 address with its zone.
///
/// All numbers are in host order: the first byte on the wire is the most significant one.
/// Fixed in size and free of references, so it is cheap as a key of a dictionary.
///
/// Source: RFC 791 section 3.2, RFC 4291 section 2, RFC 4007 section 6 (zones).
@frozen
public struct IPAddress: Hashable, Sendable {
    /// The version of the Internet Protocol.
    @frozen
    public enum Family: UInt8, Sendable, Hashable, CaseIterable {
        /// IPv4, with addresses of 32 bits.
        case v4
        /// IPv6, with addresses of 128 bits.
        case v6
    }

    /// The first 64 bits of an IPv6 address; 0 for IPv4.
    public let high: UInt64
    /// The last 64 bits of an IPv6 address; the 32 bits of an IPv4 address.
    public let low: UInt64
    /// The number of the zone, on Linux the interface index; 0 without a zone and for IPv4.
    public let scope: UInt32
    /// The IP version of the address.
    public let family: Family

    /// Creates an IPv4 address from its 32 bits in host order: `127.0.0.1` is `0x7f00_0001`.
    @inlinable
    public init(v4 value: UInt32) {
        self.high = 0
        self.low = UInt64(value)
        self.scope = 0
        self.family = .v4
    }

    /// Creates an IPv6 address from its two halves in host order: `::1` is `(0, 1)`.
    ///
    /// - Parameters:
    ///   - high: The first 64 bits.
    ///   - low: The last 64 bits.
    ///   - scope: The number of the zone, 0 for none.
    @inlinable
    public init(v6 high: UInt64, low: UInt64, scope: UInt32 = 0) {
        self.high = high
        self.low = low
        self.scope = scope
        self.family = .v6
    }

    /// The IPv4 loopback address, `127.0.0.1`.
    @inlinable
    public static var loopbackV4: IPAddress { IPAddress(v4: 0x7f00_0001) }
    /// The IPv6 loopback address, `::1`.
    @inlinable
    public static var loopbackV6: IPAddress { IPAddress(v6: 0, low: 1) }
    /// The IPv4 wildcard address for listening on every address of this host, `0.0.0.0`.
    @inlinable
    public static var anyV4: IPAddress { IPAddress(v4: 0) }
    /// The IPv6 wildcard address for listening on every address of this host, `::`.
    @inlinable
    public static var anyV6: IPAddress { IPAddress(v6: 0, low: 0) }
}

extension IPAddress {
    /// Whether this is an IPv4 address; an IPv4-mapped IPv6 address is not.
    @inlinable
    public var isV4: Bool { family == .v4 }

    /// The 32 bits of an IPv4 address in host order; for IPv6 the last 32 bits.
    @inlinable
    public var v4: UInt32 { UInt32(truncatingIfNeeded: low) }

    /// Whether this is in `127.0.0.0/8`, or is `::1`.
    ///
    /// Source: RFC 1122 section 3.2.1.3 (g), RFC 4291 section 2.5.3.
    @inlinable
    public var isLoopback: Bool { isV4 ? v4 >> 24 == 127 : high == 0 && low == 1 }

    /// Whether this is `0.0.0.0` or `::`.
    ///
    /// Source: RFC 1122 section 3.2.1.3 (a), RFC 4291 section 2.5.2.
    @inlinable
    public var isUnspecified: Bool { high == 0 && low == 0 }

    /// Whether this is in `169.254.0.0/16` or in `fe80::/10`.
    ///
    /// Source: RFC 3927 section 2.1, RFC 4291 section 2.4.
    @inlinable
    public var isLinkLocal: Bool { isV4 ? v4 >> 16 == 0xa9fe : high >> 54 == 0x3fa }

    /// Whether this is an IPv6 address in `::ffff:0:0/96`, which stands for an IPv4 address.
    ///
    /// Source: RFC 4291 section 2.5.5.2.
    @inlinable
    public var isV4Mapped: Bool { !isV4 && high == 0 && low >> 32 == 0xffff }

    /// The IPv4 address, without a zone, that an IPv4-mapped address stands for; any other address unchanged.
    @inlinable
    public var unmapped: IPAddress { isV4Mapped ? IPAddress(v4: v4) : self }

    /// Feeds the address to a hasher as whole words, the hasher's fast path.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        hasher.combine(low)
        hasher.combine(UInt64(scope) << 32 | UInt64(family.rawValue))
    }
}

extension IPAddress: Comparable {
    /// Orders IPv4 before IPv6, then by number, then by zone.
    @inlinable
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        if left.family != right.family { return left.isV4 }
        if left.high != right.high { return left.high < right.high }
        if left.low != right.low { return left.low < right.low }
        return left.scope < right.scope
    }
}
