import WeirFlow
import WeirWire

/// Where a relay's routes listen and lead, to find the flows that would come back to where they began.
///
/// It is a value: a change is tried on it before anything is seen outside.
struct Wiring: Sendable {
    private var own: OwnListeners
    private var targets: [Int: HostPort]
    private let family: AddressFamily?
    private let resolve: Resolve

    /// Takes the routes as they are.
    init(_ own: OwnListeners, _ routes: some Sequence<RouteStatus>, _ configuration: RelayConfiguration) {
        self.own = own
        targets = [:]
        for status in routes { targets[status.number] = status.route.target }
        family = configuration.family
        resolve = configuration.resolve
    }

    /// Puts a route where it is to be; with no endpoints it takes no clients.
    mutating func put(_ number: Int, _ route: Route, at endpoints: [Endpoint]) {
        own = own.replacing(.route(number), route.transport, endpoints)
        targets[number] = route.target
    }

    /// Refuses a route whose flows would come back to its own listener, also by way of other routes, or reach the
    /// control API; blocks where a name is to be resolved.
    ///
    /// A name is compared by what it resolves to now; one that has no address yet is looked at when a flow asks for it.
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

    /// Returns where a route would listen, nothing if only the kernel knows; blocks where a name is to be resolved.
    func endpoints(of route: Route) -> [Endpoint] {
        guard route.listen.port > 0 else { return [] }
        return (try? ListeningSockets.endpoints(of: route, family: family)) ?? []
    }
}
