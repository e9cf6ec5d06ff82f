/// The protocol number of an IPv4 or IPv6 header, which identifies the next header.
///
/// Source: IANA, Protocol Numbers.
@frozen
public struct IPProtocol: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt8

    /// Creates a protocol from its number.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// IPv6 options that every router reads (hop-by-hop).
    public static let hopByHopOptions = IPProtocol(rawValue: 0)
    /// ICMP for IPv4.
    public static let icmp = IPProtocol(rawValue: 1)
    /// IPv4 within IP.
    public static let ipv4 = IPProtocol(rawValue: 4)
    /// TCP.
    public static let tcp = IPProtocol(rawValue: 6)
    /// UDP.
    public static let udp = IPProtocol(rawValue: 17)
    /// IPv6 within IP.
    public static let ipv6 = IPProtocol(rawValue: 41)
    /// An IPv6 routing header.
    public static let routing = IPProtocol(rawValue: 43)
    /// An IPv6 fragment header.
    public static let fragment = IPProtocol(rawValue: 44)
    /// Generic Routing Encapsulation (GRE).
    public static let gre = IPProtocol(rawValue: 47)
    /// An IP authentication header.
    public static let authentication = IPProtocol(rawValue: 51)
    /// ICMP for IPv6.
    public static let icmpv6 = IPProtocol(rawValue: 58)
    /// No next header: nothing follows.
    public static let none = IPProtocol(rawValue: 59)
    /// IPv6 options that the destination reads.
    public static let destinationOptions = IPProtocol(rawValue: 60)
    /// Protocol Independent Multicast.
    public static let pim = IPProtocol(rawValue: 103)
    /// A Mobile IPv6 header.
    public static let mobility = IPProtocol(rawValue: 135)
    /// MPLS within IP.
    public static let mpls = IPProtocol(rawValue: 137)
    /// The Host Identity Protocol.
    public static let hostIdentity = IPProtocol(rawValue: 139)
    /// Shim6.
    public static let shim6 = IPProtocol(rawValue: 140)
}

extension IPProtocol {
    /// Creates the protocol number of a transport.
    @inlinable
    public init(_ transport: Transport) {
        switch transport {
        case .tcp: self = .tcp
        case .udp: self = .udp
        }
    }
}

extension Transport {
    /// Creates the transport with a protocol number; nil if it is neither TCP nor UDP.
    @inlinable
    public init?(_ number: IPProtocol) {
        switch number {
        case .tcp: self = .tcp
        case .udp: self = .udp
        default: return nil
        }
    }
}
