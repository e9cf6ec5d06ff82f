import CWeir
import Glibc
import WeirEngine
public import WeirWire

/// A bound socket, before its event loop takes it over.
struct Listening: Sendable {
    var descriptor: Int32
    var endpoint: Endpoint
    var route: Int
    var isWildcard: Bool
    /// What is shown of the client's side, if it is not the truth: a watched program is told so, too.
    var shown: ShownEnds?
}

/// The ends of a client's side as a watched program sees them.
struct ShownEnds: Sendable {
    /// The client's address; its port is its own.
    var client: IPAddress
    /// The endpoint that the program asked for.
    var listener: Endpoint
    /// The address to which the program has bound its socket, from which the relay dials; nil if it is the kernel's choice.
    var source: IPAddress?
}

/// An endpoint at which a relay listens, and the target to which it forwards from there.
public struct Listener: Hashable, Sendable, CustomStringConvertible {
    /// The transport protocol.
    public var transport: Transport
    /// The listening endpoint; if port 0 was configured, with the port that the kernel chose.
    public var endpoint: Endpoint
    /// The target; if nil, bytes are sent back to the client.
    public var target: HostPort?
    /// What both sides speak.
    public var security = RouteSecurity.plain

    /// Text such as `tcp 127.0.0.1:9000 -> 127.0.0.1:65432` or `tls 127.0.0.1:9000 -> tcp 127.0.0.1:80`.
    public var description: String {
        let word = transport == .udp ? "udp" : security.client.rawValue
        let layer = security.client == security.server ? "" : "\(security.server.rawValue) "
        return "\(word) \(endpoint)" + (target.map { " -> \(layer)\($0)" } ?? "")
    }
}

/// The endpoints to which a relay is bound, and its targets, before it listens.
public struct Bound: Sendable {
    /// The endpoints at which the relay will listen, in the order of its routes.
    public var listeners: [Listener]
    /// The endpoints to which it will forward, as they resolve now.
    public var servers: [Server]

    /// An endpoint to which flows are forwarded.
    public struct Server: Hashable, Sendable {
        /// The transport protocol.
        public var transport: Transport
        /// The endpoint.
        public var endpoint: Endpoint
    }
}

/// The making of listening sockets.
enum ListeningSockets {
    private static let backlog: Int32 = 4096

    /// Returns the endpoints at which a route listens.
    static func endpoints(of route: Route, family: AddressFamily?) throws -> [Endpoint] {
        var endpoints = try Resolver.resolve(route.listen, family: family)
        if route.listen.host == .any, try !hasIPv6() { endpoints.removeAll { !$0.address.isV4 } }
        return endpoints
    }

    /// Returns whether this machine has IPv6.
    ///
    /// - Throws: `SystemError` if that cannot be determined: a `*` means IPv4 alone only if there is no IPv6.
    private static func hasIPv6() throws(SystemError) -> Bool {
        do throws(SystemError) {
            let descriptor = try Socket.make(.udp, for: .loopbackV6)
            try Socket.bind(descriptor.raw, to: Endpoint(address: .anyV6, port: 0), attempt: "listen on IPv6")
            return true
        } catch {
            guard [EAFNOSUPPORT, EADDRNOTAVAIL, EPROTONOSUPPORT].contains(error.error.rawValue) else {
                throw SystemError(error.attempt, error.error, advice: "for IPv4 alone listen on 0.0.0.0")
            }
            return false
        }
    }

    /// Binds to an endpoint of a route; UDP has one socket for each loop, all on the same port.
    static func bind(
        _ route: Route,
        index: Int,
        at endpoint: Endpoint,
        loops: Int,
        _ configuration: RelayConfiguration
    ) throws(SystemError) -> [Listening] {
        let attempt = attempt(route.transport, endpoint)
        var sockets: [Listening] = []
        var bound = endpoint
        for loop in 0..<(route.transport == .udp ? loops : 1) {
            do throws(SystemError) {
                let descriptor = try Socket.make(route.transport, for: endpoint.address)
                guard prepare(descriptor.raw, route.transport, endpoint, shares: loop > 0) else {
                    throw SystemError("prepare a socket to \(attempt)", .current)
                }
                if route.transport == .udp {
                    Socket.set(SO_RCVBUF, of: SOL_SOCKET, to: configuration.receiveBuffer, on: descriptor.raw)
                } else {
                    Socket.setKeepalive(configuration.keepalive, on: descriptor.raw)
                }
                try Socket.bind(descriptor.raw, to: bound, attempt: attempt)
                // The first one binds without SO_REUSEPORT, so that another program's socket on the port is noticed;
                // then it shares.
                if route.transport == .udp { Socket.set(SO_REUSEPORT, of: SOL_SOCKET, to: 1, on: descriptor.raw) }
                bound = Socket.localEndpoint(descriptor.raw) ?? bound
                sockets.append(
                    Listening(
                        descriptor: descriptor.release(),
                        endpoint: bound,
                        route: index,
                        isWildcard: endpoint.address.isUnspecified
                    )
                )
            } catch {
                for socket in sockets { close(socket.descriptor) }
                throw naming(route.transport, bound, error)
            }
        }
        return sockets
    }

    /// Makes a bound socket accept connections.
    static func listen(_ socket: Listening, _ transport: Transport) throws(SystemError) {
        guard transport == .tcp, Glibc.listen(socket.descriptor, backlog) != 0 else { return }
        throw naming(transport, socket.endpoint, SystemError(attempt(transport, socket.endpoint), .current))
    }

    /// Adds the name of the program that has the port, if that is why the relay cannot listen there.
    private static func naming(_ transport: Transport, _ endpoint: Endpoint, _ error: SystemError) -> SystemError {
        guard error.error.rawValue == EADDRINUSE else { return error }
        var error = error
        let holder = ProcessSearch.holder(of: transport, endpoint).map(\.description) ?? "another program"
        error.advice = "\(holder) listens there; choose another port, or 0 to let the kernel choose"
        return error
    }

    /// Refuses a route whose listening endpoint is already used by another route of the same command.
    ///
    /// - Parameters:
    ///   - route: the route.
    ///   - endpoint: the endpoint at which it should listen.
    ///   - sockets: the sockets that are bound already.
    ///   - routes: the routes of the command, by their numbers.
    /// - Throws: `SystemError` with the name of the other route.
    static func refuseTwins(
        _ route: Route,
        at endpoint: Endpoint,
        _ sockets: [Listening],
        _ routes: [Route]
    ) throws(SystemError) {
        let twin = sockets.first { socket in
            // A bound socket has no port 0.
            routes[socket.route].transport == route.transport && socket.endpoint.port == endpoint.port
                && socket.endpoint.address.isV4 == endpoint.address.isV4
                && (socket.isWildcard || endpoint.address.isUnspecified || socket.endpoint.address == endpoint.address)
        }
        guard let twin else { return }
        throw SystemError(
            attempt(route.transport, endpoint),
            ErrorNumber(EADDRINUSE),
            advice: "the route \(routes[twin.route]) of the same command listens there"
        )
    }

    private static func attempt(_ transport: Transport, _ endpoint: Endpoint) -> String {
        "listen on \(transport) \(endpoint)"
    }

    /// Sets the options of a listening socket; returns false with `errno` set if one is refused without which it would
    /// accept the wrong clients, or answer from the wrong address.
    private static func prepare(_ raw: Int32, _ transport: Transport, _ endpoint: Endpoint, shares: Bool) -> Bool {
        let isV4 = endpoint.address.isV4
        if !isV4, !Socket.set(Int32(IPV6_V6ONLY), of: Int32(IPPROTO_IPV6), to: 1, on: raw) { return false }
        switch transport {
        case .tcp:
            Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: raw)
            Socket.setStreamOptions(raw)
            return true
        case .udp:
            if shares, !Socket.set(SO_REUSEPORT, of: SOL_SOCKET, to: 1, on: raw) { return false }
            guard endpoint.address.isUnspecified else { return true }
            let (option, level) = isV4 ? (Int32(IP_PKTINFO), IPPROTO_IP) : (Int32(IPV6_RECVPKTINFO), IPPROTO_IPV6)
            return Socket.set(option, of: Int32(level), to: 1, on: raw)
        }
    }
}
