import CWeir
import Glibc
import WeirFlow
public import WeirWire

/// Is a socket that is bound, before its event loop takes it over.
struct Listening: Sendable {
    var descriptor: Int32
    var endpoint: Endpoint
    var route: Int
    var isWildcard: Bool
}

/// Says where a relay listens, and to where it forwards from there.
public struct Listener: Hashable, Sendable, CustomStringConvertible {
    /// Says what carries the flows.
    public var transport: Transport
    /// Names the listening endpoint, with the port that the kernel chose where 0 was asked for.
    public var endpoint: Endpoint
    /// Says where to; nil sends back what comes.
    public var target: HostPort?

    /// Prints `tcp 127.0.0.1:9000 -> 127.0.0.1:65432`.
    public var description: String {
        "\(transport) \(endpoint)" + (target.map { " -> \($0)" } ?? "")
    }
}

/// Says where a relay is bound, and what its targets are, before it listens.
public struct Bound: Sendable {
    /// Lists where the relay is going to listen, in the order of its routes.
    public var listeners: [Listener]
    /// Lists the endpoints that it is going to forward to, as they are resolved now.
    public var servers: [Server]

    /// Holds an endpoint that flows are forwarded to.
    public struct Server: Hashable, Sendable {
        /// Says what carries the flows.
        public var transport: Transport
        /// Names the endpoint.
        public var endpoint: Endpoint
    }
}

/// Makes listening sockets.
enum ListeningSockets {
    private static let backlog: Int32 = 4096

    /// Lists the endpoints that a route listens at.
    static func endpoints(of route: Route, family: AddressFamily?) throws -> [Endpoint] {
        var endpoints = try Resolver.resolve(route.listen, family: family)
        if route.listen.host == .any, try !hasIPv6() { endpoints.removeAll { !$0.address.isV4 } }
        return endpoints
    }

    /// Returns whether this machine has IPv6.
    ///
    /// - Throws: `SystemError` if it does not say so: a `*` is IPv4 alone only where there is no IPv6.
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

    /// Binds to an endpoint of a route; UDP gets one socket for each loop, which share the port.
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
                // The first one binds alone, so that another program's socket on the port is found, then shares.
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

    /// Lets a socket that is bound take connections.
    static func listen(_ socket: Listening, _ transport: Transport) throws(SystemError) {
        guard transport == .tcp, Glibc.listen(socket.descriptor, backlog) != 0 else { return }
        throw naming(transport, socket.endpoint, SystemError(attempt(transport, socket.endpoint), .current))
    }

    /// Names the program that has the port, if that is why one cannot listen there.
    private static func naming(_ transport: Transport, _ endpoint: Endpoint, _ error: SystemError) -> SystemError {
        guard error.error.rawValue == EADDRINUSE else { return error }
        var error = error
        let holder = ProcessSearch.holder(of: transport, endpoint).map(\.description) ?? "another program"
        error.advice = "\(holder) listens there; choose another port, or 0 to let the kernel choose"
        return error
    }

    /// Refuses a route whose listening endpoint another route of the same command has.
    ///
    /// - Parameters:
    ///   - route: the route.
    ///   - endpoint: where it is to listen.
    ///   - sockets: the sockets that are bound already.
    ///   - routes: the routes of the command, by their numbers.
    /// - Throws: `SystemError` that names the other route.
    static func refuseTwins(
        _ route: Route,
        at endpoint: Endpoint,
        _ sockets: [Listening],
        _ routes: [Route]
    ) throws(SystemError) {
        let twin = sockets.first { socket in
            routes[socket.route].transport == route.transport && endpoint.port != 0
                && socket.endpoint.port == endpoint.port
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

    /// Sets what a listening socket needs; false with `errno` set if one of the options is refused without which it would
    /// take other clients, or answer from another address, than it is to.
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
