import WeirWire

/// Says which port the relay dials a server from.
public enum EgressPort: Hashable, Sendable, CustomStringConvertible {
    /// The kernel chooses, as for any client: nothing is bound before the dial.
    case kernel
    /// The client's own port number where it is free on the address that the relay dials from, else the kernel's choice.
    case same
    /// The kernel chooses in a range (IP_LOCAL_PORT_RANGE).
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

    /// Prints what is parsed.
    public var description: String {
        switch self {
        case .kernel: "kernel"
        case .same: "same"
        case .range(let range): range.description
        }
    }

    /// Says what was asked for on behalf of a client: `51514`, `20000-20999`; nil where the kernel was left alone.
    func asked(for client: Endpoint) -> String? {
        switch self {
        case .kernel: nil
        case .same: "\(client.port)"
        case .range(let range): range.description
        }
    }

    /// Says whether a dial's endpoint is what was asked for.
    func isGot(_ egress: Endpoint?, for client: Endpoint) -> Bool {
        guard let egress else { return false }
        switch self {
        case .kernel: return true
        case .same: return egress.port == client.port
        case .range(let range): return range.contains(Int(egress.port))
        }
    }
}
