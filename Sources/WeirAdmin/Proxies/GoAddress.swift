import Glibc
import WeirFlow
import WeirRelay
import WeirWire

/// Reads addresses as Toxiproxy does, which is written in Go.
///
/// It is `HOST:PORT`; an empty host is every one, and a name that has several addresses means its first IPv4 one. Behind
/// `udp:` is a UDP address, which Toxiproxy does not have.
///
/// Source: Go's `net.SplitHostPort`, `net.Listen` and `net.ResolveTCPAddr`.
struct GoAddress: Hashable, Sendable {
    /// Says what carries the flows.
    var transport: Transport
    /// Holds the host as it was given; empty for every one.
    var host: String
    /// Holds the port as it was given.
    var port: UInt16

    /// Says why an address cannot be used, in Go's words.
    struct Failure: Error, Hashable, CustomStringConvertible {
        var description: String
    }

    /// Reads an address.
    init(_ text: String) throws(Failure) {
        let isUDP = text.hasPrefix("udp:")
        transport = isUDP ? .udp : .tcp
        let address = isUDP ? String(text.dropFirst(4)) : text
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
        let port = String(address[address.index(after: colon)...])
        var host = address[..<colon]
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { throw failure("missing ']' in address") }
            guard host.index(after: end) == host.endIndex else {
                let isLast = port.isEmpty || host.hasSuffix("]")
                throw failure(isLast ? "too many colons in address" : "missing port in address")
            }
            host = host[host.index(after: host.startIndex)..<end]
        } else if host.contains(":") {
            throw failure("too many colons in address")
        }
        guard !host.contains("["), !host.contains("]") else { throw failure("unexpected '[' in address") }
        return (String(host), port)
    }

    /// Says where to listen; blocks where a name is to be resolved.
    func listening() throws(Failure) -> HostPort {
        if host.isEmpty { return HostPort(.any, port) }
        if let address = IPAddress(host) {
            // Go opens one socket for both families where either wildcard is asked for.
            return address.isUnspecified ? HostPort(.any, port) : HostPort(.address(address.unmapped), port)
        }
        guard let name = try? HostPort.Host(alone: host) else { throw noSuchHost }
        let endpoints = (try? Resolver.resolve(HostPort(name, port), family: nil)) ?? []
        guard let first = endpoints.first(where: \.address.isV4) ?? endpoints.first else { throw noSuchHost }
        return HostPort(first)
    }

    /// Says where to forward to; a name is not looked up.
    func target() throws(Failure) -> HostPort {
        guard port > 0 else { throw Failure(description: "address \(host):\(port): invalid port") }
        // Go takes no host for this machine.
        if host.isEmpty { return HostPort(.address(.loopbackV4), port) }
        guard let host = try? HostPort.Host(alone: host), host != .any, host != .loopbackByDefault else {
            throw noSuchHost
        }
        return HostPort(host, port)
    }

    private var noSuchHost: Failure { Failure(description: "lookup \(host): no such host") }

    /// Prints an address that sockets are bound to, as Toxiproxy shows it.
    static func text(_ transport: Transport, _ endpoints: [Endpoint]) -> String? {
        guard let first = endpoints.first else { return nil }
        var text = "\(first)"
        if endpoints.count > 1, first.address.isUnspecified { text = "[::]:\(first.port)" }
        return transport == .udp ? "udp:\(text)" : text
    }

    /// Prints where a route is to listen, as Toxiproxy shows it; a name keeps its spelling.
    static func text(_ route: Route) -> String {
        let place =
            switch route.listen.host {
            case .any: "[::]:\(route.listen.port)"
            case .loopbackByDefault: "\(Endpoint(address: .loopbackV4, port: route.listen.port))"
            case .address, .name: "\(route.listen)"
            }
        return route.transport == .udp ? "udp:\(place)" : place
    }

    /// Says why listening failed.
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
