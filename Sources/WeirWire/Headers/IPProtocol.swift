/// Names what follows an IPv4 or IPv6 header.
///
/// Source: IANA, Protocol Numbers.
@frozen
public struct IPProtocol: RawRepresentable, Hashable, Sendable {
    /// Holds the number.
    public let rawValue: UInt8

    /// Creates a protocol from its number.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Names IPv6 options that each router reads.
    public static let hopByHopOptions = IPProtocol(rawValue: 0)
    /// Names ICMP for IPv4.
    public static let icmp = IPProtocol(rawValue: 1)
    /// Names IPv4 within IP.
    public static let ipv4 = IPProtocol(rawValue: 4)
    /// Names TCP.
    public static let tcp = IPProtocol(rawValue: 6)
    /// Names UDP.
    public static let udp = IPProtocol(rawValue: 17)
    /// Names IPv6 within IP.
    public static let ipv6 = IPProtocol(rawValue: 41)
    /// Names the stops on the way of an IPv6 packet.
    public static let routing = IPProtocol(rawValue: 43)
    /// Names the header of an IPv6 fragment.
    public static let fragment = IPProtocol(rawValue: 44)
    /// Names Generic Routing Encapsulation.
    public static let gre = IPProtocol(rawValue: 47)
    /// Names the header that authenticates a packet.
    public static let authentication = IPProtocol(rawValue: 51)
    /// Names ICMP for IPv6.
    public static let icmpv6 = IPProtocol(rawValue: 58)
    /// Says that nothing follows.
    public static let none = IPProtocol(rawValue: 59)
    /// Names IPv6 options that the receiver reads.
    public static let destinationOptions = IPProtocol(rawValue: 60)
    /// Names Protocol Independent Multicast.
    public static let pim = IPProtocol(rawValue: 103)
    /// Names the header of Mobile IPv6.
    public static let mobility = IPProtocol(rawValue: 135)
    /// Names MPLS within IP.
    public static let mpls = IPProtocol(rawValue: 137)
    /// Names the Host Identity Protocol.
    public static let hostIdentity = IPProtocol(rawValue: 139)
    /// Names Shim6.
    public static let shim6 = IPProtocol(rawValue: 140)
}

extension IPProtocol {
    /// Names the protocol of a transport.
    @inlinable
    public init(_ transport: Transport) {
        switch transport {
        case .tcp: self = .tcp
        case .udp: self = .udp
        }
    }
}

extension Transport {
    /// Names the transport that has this number, if it is TCP or UDP.
    @inlinable
    public init?(_ number: IPProtocol) {
        switch number {
        case .tcp: self = .tcp
        case .udp: self = .udp
        default: return nil
        }
    }
}
