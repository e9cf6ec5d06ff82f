package import WeirWire

/// The port from which the relay dials a server.
public enum EgressPort: Hashable, Sendable, CustomStringConvertible {
    /// The kernel chooses, as for any client: nothing is bound before the dial.
    case kernel
    /// The client's own port number if it is free on the address from which the relay dials, else the kernel's choice.
    case same
    /// The kernel chooses from a range (IP_LOCAL_PORT_RANGE).
    case range(PortRange)

    /// Parses `kernel`, `same` or `LOW-HIGH`.
    public init?(_ text: String) {
        switch text {
        case "kernel": self = .kernel
        case "same": self = .same
        default:
            guard let range = PortRange(text) else { return nil }
            self = .range(range)
        }
    }

    /// The text that `init(_:)` parses.
    public var description: String {
        switch self {
        case .kernel: "kernel"
        case .same: "same"
        case .range(let range): range.description
        }
    }

    /// Returns what was requested for a client, as in `51514` or `20000-20999`; nil if the choice is the kernel's.
    package func asked(for client: Endpoint) -> String? {
        switch self {
        case .kernel: nil
        case .same: "\(client.port)"
        case .range(let range): range.description
        }
    }

    /// Returns whether a dial's endpoint is as requested.
    package func isGot(_ egress: Endpoint?, for client: Endpoint) -> Bool {
        guard let egress else { return false }
        switch self {
        case .kernel: return true
        case .same: return egress.port == client.port
        case .range(let range): return range.contains(Int(egress.port))
        }
    }
}
