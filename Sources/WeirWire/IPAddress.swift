/// Holds an IPv4 address, or an IPv6 address with its zone.
///
/// All numbers are in host order: the first byte on the wire is the most significant one.
/// Fixed in size and free of references, so that it is cheap as a key of a map.
///
/// Source: RFC 791 section 3.2, RFC 4291 section 2, RFC 4007 section 6 (zones).
@frozen
public struct IPAddress: Hashable, Sendable {
    /// Names the version of the Internet Protocol.
    @frozen
    public enum Family: UInt8, Sendable, Hashable, CaseIterable {
        /// Has 32 bits.
        case v4
        /// Has 128 bits.
        case v6
    }

    /// Holds the first 64 bits of an IPv6 address; 0 for IPv4.
    public let high: UInt64
    /// Holds the last 64 bits of an IPv6 address; the 32 bits of an IPv4 address.
    public let low: UInt64
    /// Holds the number of the zone, which is the interface's index on Linux; 0 when there is none and for IPv4.
    public let scope: UInt32
    /// Says which of the two kinds this address is.
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

    /// Names this host over IPv4, `127.0.0.1`.
    @inlinable
    public static var loopbackV4: IPAddress { IPAddress(v4: 0x7f00_0001) }
    /// Names this host over IPv6, `::1`.
    @inlinable
    public static var loopbackV6: IPAddress { IPAddress(v6: 0, low: 1) }
    /// Names every IPv4 address of this host when listening, `0.0.0.0`.
    @inlinable
    public static var anyV4: IPAddress { IPAddress(v4: 0) }
    /// Names every IPv6 address of this host when listening, `::`.
    @inlinable
    public static var anyV6: IPAddress { IPAddress(v6: 0, low: 0) }
}

extension IPAddress {
    /// Says whether this is an IPv4 address; an IPv4-mapped IPv6 address is not.
    @inlinable
    public var isV4: Bool { family == .v4 }

    /// Gives the 32 bits of an IPv4 address in host order; for IPv6 the last 32 bits.
    @inlinable
    public var v4: UInt32 { UInt32(truncatingIfNeeded: low) }

    /// Says whether this is in `127.0.0.0/8`, or is `::1`.
    ///
    /// Source: RFC 1122 section 3.2.1.3 (g), RFC 4291 section 2.5.3.
    @inlinable
    public var isLoopback: Bool { isV4 ? v4 >> 24 == 127 : high == 0 && low == 1 }

    /// Says whether this is `0.0.0.0` or `::`.
    ///
    /// Source: RFC 1122 section 3.2.1.3 (a), RFC 4291 section 2.5.2.
    @inlinable
    public var isUnspecified: Bool { high == 0 && low == 0 }

    /// Says whether this is in `169.254.0.0/16` or in `fe80::/10`.
    ///
    /// Source: RFC 3927 section 2.1, RFC 4291 section 2.4.
    @inlinable
    public var isLinkLocal: Bool { isV4 ? v4 >> 16 == 0xa9fe : high >> 54 == 0x3fa }

    /// Says whether this is an IPv6 address in `::ffff:0:0/96`, which stands for an IPv4 address.
    ///
    /// Source: RFC 4291 section 2.5.5.2.
    @inlinable
    public var isV4Mapped: Bool { !isV4 && high == 0 && low >> 32 == 0xffff }

    /// Gives the IPv4 address that an IPv4-mapped address stands for, without a zone; any other address unchanged.
    @inlinable
    public var unmapped: IPAddress { isV4Mapped ? IPAddress(v4: v4) : self }

    /// Feeds the address to a hasher as whole words, which is its fast path.
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
