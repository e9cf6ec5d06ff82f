public import WeirWire

/// The capture filter for a relay's packets, which accepts few others.
///
/// Source: pcap-filter(7).
public enum RouteFilter {
    /// Returns the filter for both legs: packets to and from the ports of the listeners and the servers.
    ///
    /// Only the first fragment of an IPv4 datagram has ports, and libpcap finds the ports of no IPv6 fragment: if UDP
    /// is relayed, the filter accepts all fragments.
    ///
    /// - Parameter ends: The endpoints of the listeners and of the servers.
    /// - Returns: The filter; empty if there are no endpoints.
    public static func text(for ends: [(transport: Transport, endpoint: Endpoint)]) -> String {
        var terms: [String] = []
        for (transport, endpoint) in ends.sorted(by: { ($0.0.rawValue, $0.1.port) < ($1.0.rawValue, $1.1.port) }) {
            let term = "\(transport) port \(endpoint.port)"
            if terms.last != term { terms.append(term) }
        }
        if ends.contains(where: { $0.transport == .udp }) {
            terms.append("(ip proto 17 and ip[6:2] & 0x1fff != 0)")
            terms.append("ip6[6] == 44")
        }
        return terms.joined(separator: " or ")
    }
}
