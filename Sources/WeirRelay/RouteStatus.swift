public import WeirFlow
public import WeirWire

/// Describes a route that a relay serves, or would if it were not disabled.
public struct RouteStatus: Hashable, Sendable {
    /// Names the route.
    public var name: String
    /// Numbers the route; a number is never given again.
    public var number: Int
    /// Where it listens and where it leads, as it was asked for; a port that the kernel chose is its own from then on.
    public var route: Route
    /// Lists where it is bound; empty while it is disabled.
    public var endpoints: [Endpoint]
    /// Lists its toxics, of both directions, all attributes filled in, in the order of its chain.
    public internal(set) var toxics: [ToxicConfiguration] = []
    /// Whether it takes clients.
    public var isEnabled: Bool { !endpoints.isEmpty }

    /// Takes the endpoints that a route is bound to, and keeps their port where any was asked for.
    mutating func bind(to endpoints: [Endpoint]) {
        self.endpoints = endpoints
        if let first = endpoints.first, route.listen.port == 0 { route.listen.port = first.port }
    }
}

/// Says why a route was not made or changed.
public enum RouteChangeError: Error, Hashable, CustomStringConvertible {
    /// There is a route of that name.
    case exists(String)
    /// There is no route of that name.
    case unknown(String)
    /// Its flows would come back to where they began.
    case loop(RouteLoopError)
    /// It leads to the control API's own port.
    case admin(Endpoint)
    /// The relay ends.
    case stopping

    /// Says it in one line.
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
    /// Lists routes by their names.
    static func list(_ served: [String: RouteStatus]) -> [RouteStatus] {
        served.values.sorted { $0.name < $1.name }
    }

    /// Names the routes that a relay begins with: `tcp-9000`, and with a number behind it where two would be the same.
    static func named(_ routes: [Route], _ sockets: [Listening], _ toxics: [ToxicSet]) -> [String: RouteStatus] {
        var served: [String: RouteStatus] = [:]
        for (number, route) in routes.enumerated() {
            var endpoints: [Endpoint] = []
            for socket in sockets where socket.route == number && !endpoints.contains(socket.endpoint) {
                endpoints.append(socket.endpoint)
            }
            let base = "\(route.transport)-\(endpoints.first?.port ?? route.listen.port)"
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
