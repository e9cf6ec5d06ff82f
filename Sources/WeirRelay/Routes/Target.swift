import WeirEngine
import WeirWire

/// The addresses of one route's target, whose name is resolved again when the answer is old.
final class Target: Sendable {
    private struct State {
        var endpoints: [Endpoint]
        var resolvedAt: Instant
        /// Whether connections to the addresses were refused, or timed out, since they were looked up.
        var isDoubtful = false
        /// Whether a look-up has found an address, if only one of the relay's own listeners.
        var isResolved = true
        var waiting: [@Sendable () -> Void] = []
    }

    private let host: HostPort
    private let isOwn: @Sendable (Endpoint) -> Bool
    private let family: AddressFamily?
    private let lifetime: Duration
    private let resolve: Resolve
    private let names: ResolvedNames
    private let report: RepeatedReport
    private let state: Lock<State>

    /// The minimum interval between look-ups that are caused by doubt alone.
    private static let doubtInterval = Duration.milliseconds(100)

    /// Resolves the target for the first time, unless the answer is given; if it has no address yet, each flow looks it up
    /// again.
    init(
        _ host: HostPort,
        over transport: Transport,
        own: OwnListeners = OwnListeners(),
        family: AddressFamily?,
        lifetime: Duration = .seconds(30),
        resolve: @escaping Resolve = Resolver.resolve,
        names: ResolvedNames = ResolvedNames(),
        first: Result<[Endpoint], ResolveError>? = nil,
        clock: @escaping @Sendable () -> Instant = { SystemClock.instant() },
        report: @escaping @Sendable (String) -> Void
    ) {
        self.host = host
        isOwn = { own.contains(transport, $0) }
        self.family = family
        self.lifetime = lifetime
        self.resolve = resolve
        self.names = names
        self.report = RepeatedReport(clock: clock, report)
        var endpoints: [Endpoint] = []
        do {
            endpoints = try first?.get() ?? resolve(host, family)
            if case .name(let name) = host.host { names.add(name, endpoints) }
        } catch {
            report("\(error); it is looked up again for each client, and refused until it has an address")
        }
        let isResolved = !endpoints.isEmpty
        state = Lock(State(endpoints: endpoints, resolvedAt: SystemClock.instant(), isResolved: isResolved))
    }

    /// Makes a target whose name is resolved when a flow needs it, and again for each flow until it has an address.
    ///
    /// - Parameters:
    ///   - host: the host and port.
    ///   - configuration: the relay's configuration, with the choice among the addresses.
    ///   - report: called with one line for the user.
    ///   - isOwn: returns whether a flow to an endpoint would come back to its own listener.
    init(
        later host: HostPort,
        _ configuration: RelayConfiguration,
        report: @escaping @Sendable (String) -> Void,
        isOwn: @escaping @Sendable (Endpoint) -> Bool
    ) {
        self.host = host
        self.isOwn = isOwn
        family = configuration.family
        lifetime = configuration.nameLifetime
        resolve = configuration.resolve
        names = configuration.names
        self.report = RepeatedReport(report)
        var endpoints: [Endpoint] = []
        if case .address(let address) = host.host {
            let endpoint = Endpoint(address: address, port: host.port)
            if !isOwn(endpoint) { endpoints = [endpoint] }
        }
        state = Lock(State(endpoints: endpoints, resolvedAt: SystemClock.instant()))
    }

    /// The host's name; nil for an address.
    var name: String? { if case .name(let name) = host.host { name } else { nil } }

    /// The addresses of the last look-up.
    var endpoints: [Endpoint] { state.withLock { $0.endpoints } }

    /// The error of a flow for which there is no further address.
    var refusal: ErrorNumber { state.withLock { $0.isResolved ? .connectionRefused : .nameNotResolved } }

    /// Returns the addresses, or nil if they are old: then another thread looks them up, and calls `answer`.
    func endpoints(at now: Instant, orAfter answer: @escaping @Sendable () -> Void) -> [Endpoint]? {
        guard case .name = host.host else { return endpoints }
        let (endpoints, starts) = state.withLock { state -> ([Endpoint]?, Bool) in
            let isOld = state.endpoints.isEmpty || state.isDoubtful || state.resolvedAt.duration(to: now) > lifetime
            guard isOld else { return (state.endpoints, false) }
            state.waiting.append(answer)
            return (nil, state.waiting.count == 1)
        }
        if starts { refresh() }
        return endpoints
    }

    /// Reports how often a problem repeated since it was last reported; call it at the end.
    func tellRest() { report.tellRest() }

    /// Makes the next flow look up the name again, because its addresses refused or timed out, and it may have moved.
    func doubt() {
        guard case .name = host.host else { return }
        let now = SystemClock.instant()
        state.withLock { if $0.resolvedAt.duration(to: now) >= Self.doubtInterval { $0.isDoubtful = true } }
    }

    private func refresh() {
        do {
            try startThread(named: "weir-resolve") { self.resolveAgain() }
        } catch {
            report.tell("\(error); the last addresses of \(host) are used")
            answer(nil)
        }
    }

    private func resolveAgain() {
        do {
            let endpoints = try resolve(host, family)
            if case .name(let name) = host.host { names.add(name, endpoints) }
            let others = endpoints.filter { !isOwn($0) }
            if others.count < endpoints.count {
                report.tell("'\(host)' is an address of this relay's own listeners now, which is not dialed")
            }
            answer(others)
        } catch {
            let hasAddress = !endpoints.isEmpty
            report.tell("\(error); \(hasAddress ? "its last addresses are used" : "the client is refused")")
            answer(nil)
        }
    }

    private func answer(_ endpoints: [Endpoint]?) {
        let waiting = state.withLock { state in
            if let endpoints { state.endpoints = endpoints }
            state.isResolved = endpoints != nil || !state.endpoints.isEmpty
            state.resolvedAt = SystemClock.instant()
            state.isDoubtful = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for answer in waiting { answer() }
    }
}

/// The target of each route, and what its clients must say first, by the route's number; numbers are never used again.
final class Targets: Sendable {
    private struct Entry {
        var target: Target?
        var opening: OpeningKind?
        var security = RouteSecurity.plain
    }

    private let entries: Lock<[Entry]>

    init(_ targets: [Target?], of routes: [Route] = []) {
        entries = Lock(
            targets.enumerated().map { index, target in
                guard index < routes.count else { return Entry(target: target) }
                return Entry(target: target, opening: routes[index].opening, security: routes[index].security)
            }
        )
    }

    /// Returns a route's target; nil for a route that sends bytes back, or whose clients name theirs.
    subscript(route: Int) -> Target? { entries.withLock { $0[route].target } }

    /// Returns what makes the openings of a route's clients; nil if they need not say anything.
    func opening(of route: Int) -> (@Sendable () -> any Opening)? { entries.withLock { $0[route].opening?.make } }

    /// The number of the next route.
    var next: Int { entries.withLock { $0.count } }

    /// Returns what both sides of a route speak.
    func security(of route: Int) -> RouteSecurity { entries.withLock { $0[route].security } }

    /// Adds the target of a new route; returns the route's number.
    func add(_ target: Target?, of route: Route) -> Int {
        entries.withLock { entries in
            entries.append(Entry(target: target, opening: route.opening, security: route.security))
            return entries.count - 1
        }
    }

    /// Reports the repetitions of earlier warnings; call it at the end.
    func tellRest() {
        for entry in entries.withLock({ $0 }) { entry.target?.tellRest() }
    }

    /// Changes a route's target, what its clients must say first and what both sides speak, from the next client on.
    func replace(_ number: Int, with target: Target?, of route: Route) {
        entries.withLock {
            $0[number] = Entry(target: target, opening: route.opening, security: route.security)
        }
    }
}
