import WeirWire

/// The listeners and targets of a relay's routes, for finding flows that would come back to their own listener.
///
/// It is a value, so a change can be tried on it before anything changes outside.
struct Wiring: Sendable {
    private var own: OwnListeners
    private var targets: [Int: HostPort]
    private let family: AddressFamily?
    private let resolve: Resolve

    /// Makes the wiring of the current routes.
    init(_ own: OwnListeners, _ routes: some Sequence<RouteStatus>, _ configuration: RelayConfiguration) {
        self.own = own
        targets = [:]
        for status in routes { targets[status.number] = status.route.target }
        family = configuration.family
        resolve = configuration.resolve
    }

    /// Sets a route's listening endpoints and target; a route without endpoints accepts no clients.
    mutating func put(_ number: Int, _ route: Route, at endpoints: [Endpoint]) {
        own = own.replacing(.route(number), route.transport, endpoints)
        targets[number] = route.target
    }

    /// Refuses a route whose flows would come back to its own listener, also through other routes, or reach the control
    /// API; blocks while it resolves names.
    ///
    /// A name is compared by its current addresses; a name without an address yet is checked when a flow needs it.
    func check(_ number: Int, _ route: Route, at endpoints: [Endpoint]) throws(RouteChangeError) {
        guard let target = route.target else { return }
        let own = own.replacing(.route(number), route.transport, endpoints)
        var waiting = [target]
        var seen: Set<HostPort> = []
        while let host = waiting.popLast() {
            guard seen.insert(host).inserted, own.hasPort(route.transport, host.port) else { continue }
            for endpoint in (try? resolve(host, family)) ?? [] {
                switch own.owner(route.transport, endpoint) {
                case .admin: throw .admin(endpoint)
                case .route(number): throw .loop(RouteLoopError(route: route, endpoint: endpoint))
                case .route(let other): if let next = targets[other] { waiting.append(next) }
                case nil: break
                }
            }
        }
    }

    /// Returns a route's listening endpoints, none if only the kernel knows the port; blocks while it resolves a name.
    func endpoints(of route: Route) -> [Endpoint] {
        guard route.listen.port > 0 else { return [] }
        return (try? ListeningSockets.endpoints(of: route, family: family)) ?? []
    }
}
