public import WeirEngine
import WeirWire

/// The ranges from which the ports of a relay, and of clients on its host, come, as far as the relay knows them.
public struct OwnPortRanges: Sendable {
    /// The host's range of ephemeral ports; nil if the system does not report it.
    public var host: PortRange?
    /// The port that the relay requests when it dials.
    public var egressPort: EgressPort

    /// Creates the ranges of a relay.
    public init(host: PortRange? = nil, egressPort: EgressPort = .kernel) {
        self.host = host
        self.egressPort = egressPort
    }

    /// Returns the range from which a series comes, with the name of what set it; nil if it is not known.
    ///
    /// A client is on this host if its address is a loopback address, or the one to which it connected.
    public func known(for series: PortSeries) -> PortRange.Known? {
        let host = host.map { PortRange.Known(range: $0, name: "net.ipv4.ip_local_port_range of this host") }
        let client = series.key.client
        switch series.key.side {
        case .client, .direct:
            return client.isLoopback || series.destinations.contains { $0.address == client } ? host : nil
        case .egress:
            switch egressPort {
            case .kernel: return host
            case .same: return nil
            case .range(let range): return PortRange.Known(range: range, name: "--egress-port")
            }
        }
    }
}
