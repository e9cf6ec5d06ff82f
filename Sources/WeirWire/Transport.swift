/// The transport protocol of a flow.
///
/// Source: RFC 9293 (TCP), RFC 768 (UDP).
@frozen
public enum Transport: UInt8, Sendable, Hashable, CaseIterable {
    /// TCP, a stream of bytes.
    case tcp
    /// UDP, datagrams.
    case udp
}

extension Transport: LosslessStringConvertible {
    /// Parses `tcp` or `udp`, in lower case.
    @inlinable
    public init?(_ description: String) {
        switch description {
        case "tcp": self = .tcp
        case "udp": self = .udp
        default: return nil
        }
    }

    /// The text `tcp` or `udp`.
    @inlinable
    public var description: String {
        switch self {
        case .tcp: "tcp"
        case .udp: "udp"
        }
    }
}
