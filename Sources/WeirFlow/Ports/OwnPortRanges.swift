import WeirWire

/// The ranges that the ports of a relay, and of clients on its host, come from, as far as the relay knows them.
public struct OwnPortRanges: Sendable {
    /// The host's range of ephemeral ports; nil if the system does not say.
    public var host: PortRange?
    /// The port that the relay asks for when it dials.
    public var egressPort: EgressPort

    /// Makes the ranges of a relay.
    public init(host: PortRange? = nil, egressPort: EgressPort = .kernel) {
        self.host = host
        self.egressPort = egressPort
    }

    /// Returns the range that a series comes from, with the name of what set it; nil if that is not known.
    ///
    /// A client is on this host if its address is the loopback's, or the one that it has connected to.
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
