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

    /// Names TCP.
    @inlinable
    public static var tcp: IPProtocol { IPProtocol(rawValue: 6) }
    /// Names UDP.
    @inlinable
    public static var udp: IPProtocol { IPProtocol(rawValue: 17) }
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
