public import WeirEngine
public import WeirWire

/// A map of a host's name: the DNS answers that the program reads have this address for it.
public struct NameMap: Hashable, Sendable {
    /// The name, or `*.` and the end of names, in lower case.
    public var host: String
    /// The address.
    public var address: IPAddress

    /// Reads a map: `NAME=ADDRESS`; nil if one of both has a port, as in a map of destinations.
    ///
    /// - Parameter text: the map as on the command line.
    /// - Throws: `DestinationFilterError` with the part that is wrong.
    public init?(parsing text: String) throws(DestinationFilterError) {
        guard let equals = text.firstIndex(of: "="),
            let filter = try? DestinationFilter(parsing: String(text[..<equals])),
            filter.transport == nil, filter.ports == nil
        else { return nil }
        let (from, to) = (text[..<equals], text[text.index(after: equals)...])
        let isBracketed = to.hasPrefix("[") && to.hasSuffix("]")
        let address = IPAddress(isBracketed ? to.dropFirst().dropLast() : to)
        if address == nil, to.contains(":") { return nil }
        guard case .name(let name) = filter.host else {
            throw DestinationFilterError(
                text,
                "'\(from)' before '=' is no name; with a port it is a destination",
                form: .map
            )
        }
        guard let address else {
            let problem = to.isEmpty ? "nothing follows '='" : "'\(to)' after '=' is no address"
            throw DestinationFilterError(text, problem, form: .map)
        }
        guard address.scope == 0 else {
            throw DestinationFilterError(text, "'\(to)' has a zone, for which a DNS answer has no place", form: .map)
        }
        (host, self.address) = (name.description, address)
    }

    /// Returns the toxics that make the maps, for routes to DNS servers: one for each name, with all its addresses.
    ///
    /// A later toxic has the last word, so the first map of a name is at the end.
    public static func toxics(_ maps: [NameMap]) -> [ToxicConfiguration] {
        var hosts: [String] = []
        for map in maps where !hosts.contains(map.host) { hosts.append(map.host) }
        return hosts.reversed().map { host in
            let addresses = maps.filter { $0.host == host }.map { "\($0.address)" }.joined(separator: " ")
            let attributes: [String: ToxicValue] = ["host": .string(host), "address": .string(addresses)]
            return ToxicConfiguration("dns", .downstream, name: "map_\(host)", attributes: attributes)
        }
    }
}
