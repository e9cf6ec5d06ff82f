import WeirEngine
import WeirWire

/// The reading of a filter's text.
struct DestinationReader {
    /// What could be meant as a transport, and is none here; a host with such a name can be chosen without a port.
    private static let otherProtocols = ["icmp", "icmpv6", "sctp", "dccp", "udplite"]

    /// The whole text, for errors.
    let text: String

    /// Reads `[tcp:|udp:][HOST][:PORTS]`.
    func filter() throws(DestinationFilterError) -> DestinationFilter {
        guard !text.isEmpty else { throw DestinationFilterError(text, "it is empty") }
        let colon = text.firstIndex(of: ":")
        let word = colon.map { String(text[..<$0]) } ?? text
        var rest = text[...]
        let transport = Transport(word)
        if transport != nil {
            guard let colon else { return DestinationFilter(transport, .any, nil) }
            rest = text[text.index(after: colon)...]
            guard !rest.isEmpty else { throw DestinationFilterError(text, "nothing follows '\(word):'") }
        } else if let lower = Transport(word.lowercased()) {
            throw DestinationFilterError(text, "'\(word)' is written in lower case: \(lower)")
        }
        if transport == nil, colon != nil, Self.otherProtocols.contains(word.lowercased()) {
            throw DestinationFilterError(text, "'\(word)' is not relayed, only tcp and udp are")
        }
        let (hostText, portText) = try split(rest)
        var filter = DestinationFilter(transport, .any, nil)
        if let hostText { filter.host = try host(hostText) }
        if let portText { filter.ports = try ports(portText) }
        return filter
    }

    /// Splits a host from its ports.
    private func split(_ rest: Substring) throws(DestinationFilterError) -> (host: Substring?, ports: Substring?) {
        // What has no colon is a port, ports or a host.
        guard let last = rest.lastIndex(of: ":") else {
            let isPorts = rest.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
            return isPorts ? (nil, rest) : (rest, nil)
        }
        // A bare IPv6 address, or a range of them, has colons of its own: a port needs brackets, or stands after '/'.
        let hostEnd = rest.firstIndex(of: "]") ?? rest.firstIndex(of: "/")
        if let hostEnd, last < hostEnd { return (rest, nil) }
        if hostEnd == nil, rest.count(where: { $0 == ":" }) > 1 { return (rest, nil) }
        let host = rest[..<last]
        return (host.isEmpty ? nil : host, rest[rest.index(after: last)...])
    }

    private func host(_ text: Substring) throws(DestinationFilterError) -> DestinationFilter.Host {
        if text == "*" { return .any }
        if let slash = text.lastIndex(of: "/") {
            return .network(try network(text[..<slash], bits: text[text.index(after: slash)...]))
        }
        if let address = try address(text) { return .network(ToxicMatch.Network(DestinationFilter.reached(address))) }
        guard HostPort.isName(text.hasPrefix("*.") ? text.dropFirst(2) : text), let pattern = NamePattern(text) else {
            if text.contains(":") || text.contains("[") {
                let example = "in brackets before a port, as in [::1]:8000"
                throw DestinationFilterError(self.text, "'\(text)' is no IPv6 address; write one \(example)")
            }
            let advice = text.contains("*") ? "; '*' stands alone, or first as in *.example.com" : ""
            throw DestinationFilterError(self.text, "'\(text)' is neither an address nor a host name\(advice)")
        }
        return .name(pattern)
    }

    private func network(_ start: Substring, bits: Substring) throws(DestinationFilterError) -> ToxicMatch.Network {
        guard let address = try address(start) else {
            throw DestinationFilterError(text, "'\(start)' before '/' is no address")
        }
        let most = address.isV4 ? 32 : 128
        guard let bits = Self.number(bits), bits <= most else {
            throw DestinationFilterError(text, "the prefix '\(bits)' is no number from 0 to \(most)")
        }
        guard address.isV4Mapped, bits >= 96 else { return ToxicMatch.Network(address, bits: bits) }
        return ToxicMatch.Network(address.unmapped, bits: bits - 96)
    }

    /// Reads an address; nil if the text has the form of something else.
    private func address(_ text: Substring) throws(DestinationFilterError) -> IPAddress? {
        let host: HostPort.Host?
        do throws(ResolveError) {
            host = try HostPort.Host(alone: String(text))
        } catch {
            throw DestinationFilterError(self.text, error.reason)
        }
        guard case .address(let address)? = host else { return nil }
        return address
    }

    private func ports(_ range: Substring) throws(DestinationFilterError) -> ClosedRange<UInt16> {
        var ends: [UInt16] = []
        for end in range.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false) {
            guard let number = Self.number(end), let port = UInt16(exactly: number), port > 0 else {
                let problem = "'\(end)' is no port from 1 to 65535"
                throw DestinationFilterError(text, end == range ? problem : "\(problem), in the ports '\(range)'")
            }
            ends.append(port)
        }
        guard let first = ends.first, let last = ends.last, first <= last else {
            throw DestinationFilterError(text, "the ports '\(range)' run backwards; write the lower one first")
        }
        return first...last
    }

    /// Reads a number of decimal digits alone.
    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}
