public import WeirWire

/// Makes the filter that lets a relay's packets through, and few others.
///
/// Source: pcap-filter(7).
public enum RouteFilter {
    /// Makes the filter for both legs: what goes to or comes from the ports of the listeners and the servers.
    ///
    /// Only the first fragment of an IPv4 datagram has ports, and of an IPv6 datagram none that libpcap finds: where UDP is
    /// relayed, all fragments pass.
    ///
    /// - Parameter ends: the listening endpoints and those of the servers.
    /// - Returns: the filter; empty where there are none.
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
