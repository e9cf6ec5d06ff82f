public import WeirEngine
public import WeirWire

/// A route that a relay serves, or would serve if it were not disabled.
public struct RouteStatus: Hashable, Sendable {
    /// The route's name.
    public var name: String
    /// The route's number, which is never used again.
    public var number: Int
    /// The configured endpoints to listen at and to forward to; a port that the kernel chose becomes part of it.
    public var route: Route
    /// The endpoints to which it is bound; empty while it is disabled.
    public var endpoints: [Endpoint]
    /// Its toxics, of both directions, with all attributes, in the order of its chain.
    public internal(set) var toxics: [ToxicConfiguration] = []
    /// Whether it accepts clients.
    public var isEnabled: Bool { !endpoints.isEmpty }

    /// Sets the endpoints to which a route is bound, and keeps their port if the route had port 0.
    mutating func bind(to endpoints: [Endpoint]) {
        self.endpoints = endpoints
        if let first = endpoints.first, route.listen.port == 0 { route.listen.port = first.port }
    }
}

/// The reason why a route was not made or changed.
public enum RouteChangeError: Error, Hashable, CustomStringConvertible {
    /// A route with that name already exists.
    case exists(String)
    /// No route has that name.
    case unknown(String)
    /// Its flows would come back to their own listener.
    case loop(RouteLoopError)
    /// It leads to the control API's own port.
    case admin(Endpoint)
    /// The relay is stopping.
    case stopping

    /// The error in one line.
    public var description: String {
        switch self {
        case .exists(let name): "there is a route '\(name)'"
        case .unknown(let name): "there is no route '\(name)'"
        case .loop(let error): error.description
        case .admin(let endpoint): "\(endpoint) is this relay's own control API, where no route may lead"
        case .stopping: "the relay is stopping"
        }
    }
}

extension RouteStatus {
    /// Returns the routes in order of their names.
    static func list(_ served: [String: RouteStatus]) -> [RouteStatus] {
        served.values.sorted { $0.name < $1.name }
    }

    /// Names the routes with which a relay starts: `tcp-9000`, followed by a number if two would have the same name.
    static func named(_ routes: [Route], _ sockets: [Listening], _ toxics: [ToxicSet]) -> [String: RouteStatus] {
        var served: [String: RouteStatus] = [:]
        for (number, route) in routes.enumerated() {
            var endpoints: [Endpoint] = []
            for socket in sockets where socket.route == number && !endpoints.contains(socket.endpoint) {
                endpoints.append(socket.endpoint)
            }
            let word = route.transport == .udp ? "udp" : route.security.client.rawValue
            let base = "\(word)-\(endpoints.first?.port ?? route.listen.port)"
            var name = base
            var count = 1
            while served[name] != nil {
                count += 1
                name = "\(base)-\(count)"
            }
            var status = RouteStatus(name: name, number: number, route: route, endpoints: [])
            status.toxics = toxics[number].configurations
            status.bind(to: endpoints)
            served[name] = status
        }
        return served
    }
}
