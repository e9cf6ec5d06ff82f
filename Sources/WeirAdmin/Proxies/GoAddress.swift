import Glibc
import WeirEngine
import WeirRelay
import WeirWire

/// An address as read by Toxiproxy, which is written in Go.
///
/// It is `HOST:PORT`; an empty host means all addresses, and a name with several addresses means its first IPv4 one.
/// The prefixes, which Toxiproxy does not have, are those of routes: `udp:` makes it a UDP address, `tls:`, `auto:` and `tcp:` say what
/// is spoken over TCP.
///
/// Source: Go's `net.SplitHostPort`, `net.Listen` and `net.ResolveTCPAddr`.
struct GoAddress: Hashable, Sendable {
    /// The transport of the flows.
    var transport: Transport
    /// What is spoken, if that was given.
    var layer: RouteSecurity.Layer?
    /// The host as it was given; empty for all addresses.
    var host: String
    /// The port as it was given.
    var port: UInt16

    /// The reason why an address cannot be used, in Go's words.
    struct Failure: Error, Hashable, CustomStringConvertible {
        var description: String
    }

    /// Reads an address.
    init(_ text: String) throws(Failure) {
        let isUDP = text.hasPrefix("udp:")
        transport = isUDP ? .udp : .tcp
        var address = isUDP ? String(text.dropFirst(4)) : text
        // A host may have such a name: only before a host with a port is it a layer.
        if let colon = text.firstIndex(of: ":"), let layer = RouteSecurity.Layer(rawValue: String(text[..<colon])),
            text[colon...].dropFirst().contains(":")
        {
            self.layer = layer
            address = String(text[colon...].dropFirst())
        }
        guard !address.isEmpty else {
            (host, port) = ("", 0)
            return
        }
        let (host, portText) = try Self.split(address)
        self.host = host
        guard portText.isEmpty || portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Failure(description: "lookup \(transport)/\(portText): unknown port")
        }
        guard let port = portText.isEmpty ? 0 : UInt16(portText) else {
            throw Failure(description: "address \(portText): invalid port")
        }
        self.port = port
    }

    private static func split(_ address: String) throws(Failure) -> (host: String, port: String) {
        func failure(_ reason: String) -> Failure { Failure(description: "address \(address): \(reason)") }
        guard let colon = address.lastIndex(of: ":") else { throw failure("missing port in address") }
        var (host, rest) = (address[..<colon], address[...])
        if address.hasPrefix("[") {
            guard let end = address.firstIndex(of: "]") else { throw failure("missing ']' in address") }
            rest = address[address.index(after: end)...]
            guard rest.startIndex == colon else {
                throw failure(rest.hasPrefix(":") ? "too many colons in address" : "missing port in address")
            }
            host = address[..<end].dropFirst()
        } else if host.contains(":") {
            throw failure("too many colons in address")
        }
        guard !address[host.startIndex...].contains("[") else { throw failure("unexpected '[' in address") }
        guard !rest.contains("]") else { throw failure("unexpected ']' in address") }
        return (String(host), String(address[colon...].dropFirst()))
    }

    /// Returns the endpoint on which to listen; blocks to resolve a name.
    func listening() throws(Failure) -> HostPort {
        if host.isEmpty { return HostPort(.any, port) }
        if let address = IPAddress(host) {
            // Go opens one socket for both families for either wildcard.
            return address.isUnspecified ? HostPort(.any, port) : HostPort(.address(address.unmapped), port)
        }
        guard let name = try? HostPort.Host(alone: host) else { throw noSuchHost }
        let endpoints = (try? Resolver.resolve(HostPort(name, port), family: nil)) ?? []
        guard let first = endpoints.first(where: \.address.isV4) ?? endpoints.first else { throw noSuchHost }
        return HostPort(first)
    }

    /// Returns the endpoint to which to forward; a name is not resolved.
    func target() throws(Failure) -> HostPort {
        guard port > 0 else { throw Failure(description: "address \(host):\(port): invalid port") }
        // Go takes an empty host for this machine.
        if host.isEmpty { return HostPort(.address(.loopbackV4), port) }
        guard let host = try? HostPort.Host(alone: host), host != .any, host != .loopbackByDefault else {
            throw noSuchHost
        }
        return HostPort(host, port)
    }

    private var noSuchHost: Failure { Failure(description: "lookup \(host): no such host") }

    /// Returns an address to which a route's sockets are bound, in Toxiproxy's form.
    static func text(_ route: Route, _ endpoints: [Endpoint]) -> String? {
        guard let first = endpoints.first else { return nil }
        var text = "\(first)"
        if endpoints.count > 1, first.address.isUnspecified { text = "[::]:\(first.port)" }
        return prefix(route) + text
    }

    private static func prefix(_ route: Route) -> String {
        if route.transport == .udp { return "udp:" }
        return route.security.client == .plain ? "" : "\(route.security.client.rawValue):"
    }

    /// Returns where a route leads, after what is spoken there if that is not what its clients speak; empty for a route without target.
    static func upstream(_ route: Route) -> String {
        guard let target = route.target else { return "" }
        return (route.security.server == route.security.client ? "" : "\(route.security.server.rawValue):")
            + "\(target)"
    }

    /// Returns the endpoint on which a route is to listen, in Toxiproxy's form; a name keeps its spelling.
    static func text(_ route: Route) -> String {
        let place =
            switch route.listen.host {
            case .any: "[::]:\(route.listen.port)"
            case .loopbackByDefault: "\(Endpoint(address: .loopbackV4, port: route.listen.port))"
            case .address, .name: "\(route.listen)"
            }
        return prefix(route) + place
    }

    /// Returns the reason why listening failed, in Go's words.
    static func failure(_ error: any Error, listening route: Route) -> String {
        guard let error = error as? SystemError else { return "\(error)" }
        let place =
            switch route.listen.host {
            case .any: ":\(route.listen.port)"
            case .loopbackByDefault: "\(Endpoint(address: .loopbackV4, port: route.listen.port))"
            case .address, .name: "\(route.listen)"
            }
        let reason = String(cString: strerror(error.error.rawValue)).lowercased()
        return "listen \(route.transport) \(place): bind: \(reason)"
    }
}
