import WeirEngine
public import WeirWire

/// A choice of destinations: a transport, a host and ports, each of which may be left out.
///
/// | text | what it chooses |
/// | --- | --- |
/// | `tcp`, `udp` | all of that transport |
/// | `5432`, `8000-8100`, `udp:53` | ports |
/// | `10.0.0.1`, `[::1]:8000`, `::1` | an address; an IPv6 address before a port has brackets |
/// | `10.0.0.0/8`, `[fd00::]/8`, `fd00::/8` | a range of addresses |
/// | `example.com`, `*.example.com:443` | a name, or all names that end so; not `example.com` itself |
/// | `*`, `*:443` | every host |
public struct DestinationFilter: Hashable, Sendable, CustomStringConvertible {
    /// The hosts of a filter.
    enum Host: Hashable, Sendable {
        /// Every host.
        case any
        /// The addresses of a range; an IPv4-mapped address is stored as the IPv4 address.
        case network(ToxicMatch.Network)
        /// The addresses of a name.
        case name(NamePattern)
    }

    /// The transport; nil for both.
    public var transport: Transport?
    /// The hosts.
    var host: Host
    /// The ports; nil for all.
    var ports: ClosedRange<UInt16>?

    /// Reads a filter.
    ///
    /// - Parameter text: the filter as on the command line.
    /// - Throws: `DestinationFilterError` with the part that is wrong.
    public init(parsing text: String) throws(DestinationFilterError) {
        self = try DestinationReader(text: text).filter()
    }

    init(_ transport: Transport?, _ host: Host, _ ports: ClosedRange<UInt16>?) {
        (self.transport, self.host, self.ports) = (transport, host, ports)
    }

    /// Returns whether the filter chooses a destination.
    ///
    /// - Parameters:
    ///   - transport: the transport of the flow.
    ///   - endpoint: the destination; an IPv4-mapped address is the IPv4 address.
    ///   - names: the names that are known for the address, in any case.
    /// - Returns: whether it does.
    public func matches(_ transport: Transport, _ endpoint: Endpoint, names: [String]) -> Bool {
        if let own = self.transport, own != transport { return false }
        if let ports, !ports.contains(endpoint.port) { return false }
        let address = Self.reached(endpoint.address)
        switch host {
        case .any: return true
        case .network(let network): return network.contains(address) && network.hasZone(of: address)
        case .name(let pattern):
            return pattern.isLocalhost && address.isLoopback || names.contains { pattern.matches($0.utf8) }
        }
    }

    /// Whether it chooses hosts by a name, for which DNS answers must be seen; `localhost` is known.
    var needsNames: Bool { if case .name(let pattern) = host { !pattern.isLocalhost } else { false } }

    /// Whether it chooses every name server, over UDP.
    public var isOfAllNameServers: Bool {
        host == .any && transport != .tcp && ports?.contains(WatchedProcesses.nameServerPort) ?? true
    }

    /// Returns the address that a connection reaches: the kernel takes 0.0.0.0 and :: for the loopback.
    static func reached(_ address: IPAddress) -> IPAddress {
        let address = address.unmapped
        guard address.isUnspecified else { return address }
        return address.isV4 ? .loopbackV4 : .loopbackV6
    }

    /// The filter in a form that is parsed.
    public var description: String {
        let hosts: String? =
            switch host {
            case .any: ports == nil && transport == nil ? "*" : nil
            case .network(let network): network.text(beforePort: ports != nil)
            case .name(let pattern): pattern.description
            }
        let ports = ports.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        return [transport.map { "\($0)" }, hosts, ports].compactMap { $0 }.joined(separator: ":")
    }
}

extension ToxicMatch.Network {
    /// Returns whether an address has the range's zone, if the range has one.
    fileprivate func hasZone(of other: IPAddress) -> Bool { address.scope == 0 || address.scope == other.scope }

    /// Returns the range as text, with brackets if a port follows an IPv6 address.
    fileprivate func text(beforePort: Bool) -> String {
        guard beforePort, !address.isV4 else { return description }
        return bits == 128 ? "[\(address)]" : "[\(address)]/\(bits)"
    }
}

/// An error in the text of a filter or of a map.
public struct DestinationFilterError: Error, Hashable, CustomStringConvertible {
    /// The form that the text should have.
    enum Form: Hashable, Sendable {
        case filter
        case map
    }

    /// The whole text.
    public var text: String
    /// The part that is wrong, and what it should be.
    public var problem: String
    /// The form that the text should have.
    var form: Form

    /// Makes an error.
    init(_ text: String, _ problem: String, form: Form = .filter) {
        (self.text, self.problem, self.form) = (text, problem, form)
    }

    /// The error in one line.
    public var description: String {
        switch form {
        case .filter:
            "'\(text)' is not a filter: \(problem); a filter is [tcp:|udp:][HOST][:PORT], as in tcp, 5432, udp:53, "
                + "10.0.0.0/8 or *.example.com:443"
        case .map:
            "'\(text)' is not a map: \(problem); a map is [tcp:|udp:]HOST:PORT=HOST:PORT, as in "
                + "db:5432=127.0.0.1:15432, or NAME=ADDRESS, as in api.example.com=127.0.0.1"
        }
    }
}
