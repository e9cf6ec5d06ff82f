import Glibc
import WeirEngine
import WeirWire

/// Making and changing routes, one at a time; every step that can be refused or fail comes before any visible change.
extension Supervisor {
    /// The routes' current listeners and targets.
    var wiring: Wiring { Wiring(shared.own, served.values, shared.configuration) }

    func addNow(_ route: Route, _ name: String, _ isEnabled: Bool) async throws -> RouteStatus {
        guard !isStopping else { throw RouteChangeError.stopping }
        guard served[name] == nil else { throw RouteChangeError.exists(name) }
        guard route.target != nil || route.opening != nil else { throw RouteChangeError.unknown("\(route)") }
        try route.check()
        try await prepareTLS(route)
        let number = shared.targets.next
        try await check(number, route)
        let sockets = isEnabled ? try await bind(number, route) : []
        let target = route.target.map { makeTarget($0, over: route.transport, number: number) }
        _ = shared.targets.add(target, of: route)
        while toxicSets.count <= number { toxicSets.append(.none) }
        for loop in shared.loops { _ = await on(loop) { $0.loop.addRoute(number) } }
        var status = RouteStatus(name: name, number: number, route: route, endpoints: [])
        do {
            status.bind(to: try await hand(sockets, number, route.transport))
        } catch {
            await unlisten(number)
            await dismiss(number)
            throw error
        }
        served[name] = status
        return status
    }

    func changeNow(
        _ name: String,
        _ route: Route?,
        _ isEnabled: Bool?,
        _ dropsToxics: Bool
    ) async throws -> RouteStatus {
        guard !isStopping else { throw RouteChangeError.stopping }
        guard let before = served[name] else { throw RouteChangeError.unknown(name) }
        let (route, number, isWanted) = (route ?? before.route, before.number, isEnabled ?? before.isEnabled)
        // Port 0 asks for a new port, whatever the previous one was.
        let moves = route.listensElsewhere(than: before.route) || route.listen.port == 0
        let begins = isWanted && (moves || !before.isEnabled)
        let ends = before.isEnabled && (moves || !isWanted)
        let leadsElsewhere =
            route.target != before.route.target || route.opening != before.route.opening
            || route.security != before.route.security
        try route.check()
        try await prepareTLS(route)
        if !dropsToxics, route.transport != before.route.transport {
            for toxic in before.toxics { _ = try toxic.validated(for: route.transport) }
        }
        // A route that is only disabled gets no new target.
        if begins || moves || leadsElsewhere {
            try await check(number, route, at: begins || !isWanted ? nil : before.endpoints)
        }

        let sockets = begins ? try await bind(number, route, insteadOf: ends ? before : nil) : []
        if leadsElsewhere { setTarget(number, of: route) }
        if ends { await unlisten(number) }
        if ends || leadsElsewhere { await dismiss(number) }
        if dropsToxics { try await setToxics([], route: number) }
        var after = before
        after.route = route
        do {
            let endpoints = try await hand(sockets, number, route.transport)
            after.bind(to: begins ? endpoints : ends ? [] : before.endpoints)
        } catch {
            await unlisten(number)
            setTarget(number, of: before.route)
            if ends { await restore(before) }
            throw error
        }
        // Its toxics may have changed meanwhile.
        served[name]?.route = after.route
        served[name]?.endpoints = after.endpoints
        return served[name] ?? after
    }

    // MARK: - Steps

    /// Makes what flows with TLS share, if a route is the first one with TLS.
    private func prepareTLS(_ route: Route) async throws {
        guard route.security != .plain else { return }
        #if TLS
        let shared = shared
        try await onThread { try shared.makeTLS() }
        #else
        throw RouteError("\(route)", "it needs TLS, without which this program was built (trait TLS)")
        #endif
    }

    /// Checks that a route's flows cannot loop, for listeners at these endpoints, or at the route's own if they are
    /// nil.
    private func check(_ number: Int, _ route: Route, at endpoints: [Endpoint]? = nil) async throws {
        let wiring = wiring
        try await onThread { try wiring.check(number, route, at: endpoints ?? wiring.endpoints(of: route)) }
    }

    private func makeTarget(_ host: HostPort, over transport: Transport, number: Int) -> Target {
        let own = shared.own
        return Target(later: host, shared.configuration, report: shared.report) { endpoint in
            switch own.owner(transport, endpoint) {
            case .admin: true
            case .route(let owner): owner == number
            case nil: false
            }
        }
    }

    private func setTarget(_ number: Int, of route: Route) {
        guard route.target != nil || route.opening != nil else { return }
        let target = route.target.map { makeTarget($0, over: route.transport, number: number) }
        shared.targets.replace(number, with: target, of: route)
    }

    /// Binds a route's sockets and lets clients wait there; they are accepted once the loops have the sockets.
    private func bind(_ number: Int, _ route: Route) async throws -> [(loop: Int, socket: Listening)] {
        let (configuration, loops, wiring) = (shared.configuration, shared.loops.count, wiring)
        return try await onThread {
            let sockets = try Self.bindSockets(of: route, number, configuration, loops: loops)
            do {
                // A port that the kernel chose is known only now.
                if route.listen.port == 0 { try wiring.check(number, route, at: sockets.map(\.socket.endpoint)) }
                for (_, socket) in sockets { try ListeningSockets.listen(socket, route.transport) }
            } catch {
                for (_, socket) in sockets { close(socket.descriptor) }
                throw error
            }
            return sockets
        }
    }

    /// Binds a route's sockets, in addition to its current ones; closes those first only if they are in the way.
    private func bind(
        _ number: Int,
        _ route: Route,
        insteadOf before: RouteStatus?
    ) async throws -> [(loop: Int, socket: Listening)] {
        do {
            return try await bind(number, route)
        } catch let error as SystemError {
            guard let before, error.error.rawValue == EADDRINUSE, before.mayOverlap(route) else { throw error }
        }
        await unlisten(number)
        do {
            return try await bind(number, route)
        } catch {
            if let before { await restore(before) }
            throw error
        }
    }

    /// Gives a route's sockets to the loops, which then own them.
    ///
    /// - Returns: the endpoints of the sockets.
    private func hand(
        _ sockets: [(loop: Int, socket: Listening)],
        _ number: Int,
        _ transport: Transport
    ) async throws -> [Endpoint] {
        var endpoints: [Endpoint] = []
        for (_, socket) in sockets where !endpoints.contains(socket.endpoint) {
            endpoints.append(socket.endpoint)
            shared.own.add(transport, socket.endpoint, of: .route(number))
        }
        for (place, (loop, socket)) in sockets.enumerated() {
            do {
                try await hand(socket, transport, to: shared.loops[loop])
            } catch {
                for (_, socket) in sockets[(place + 1)...] { close(socket.descriptor) }
                throw error
            }
        }
        return endpoints
    }

    private func hand(_ socket: Listening, _ transport: Transport, to loop: LoopHandle) async throws {
        let outcome = await on(loop) { host -> Result<Void, SystemError> in
            do throws(SystemError) {
                try host.carrier(of: transport)?.add(socket)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        guard let outcome else {
            close(socket.descriptor)
            throw RouteChangeError.stopping
        }
        try outcome.get()
    }

    /// Stops listening for a route; UDP sessions end with their socket, TCP flows continue.
    func unlisten(_ number: Int) async {
        for loop in shared.loops {
            _ = await on(loop) { host in
                for transport in [Transport.tcp, .udp] { host.carrier(of: transport)?.unlisten(number) }
            }
        }
        shared.own.remove(.route(number))
    }

    /// Closes the flows of a route.
    func dismiss(_ number: Int) async {
        // After this, connections that were accepted earlier are in the loops' mailboxes.
        for loop in shared.loops { _ = await on(loop) { _ in } }
        for loop in shared.loops {
            _ = await on(loop) { $0.dismiss(route: number) }
        }
    }

    /// Listens again where a route listened before; if another program has taken the port, disables and reports the
    /// route.
    private func restore(_ status: RouteStatus) async {
        do {
            let sockets = try await bind(status.number, status.route)
            served[status.name]?.endpoints = try await hand(sockets, status.number, status.route.transport)
        } catch {
            await unlisten(status.number)
            served[status.name]?.endpoints = []
            shared.report("route '\(status.name)' is disabled: \(error)")
        }
    }
}

extension Route {
    fileprivate func listensElsewhere(than other: Route) -> Bool {
        transport != other.transport || listen != other.listen
    }
}

extension RouteStatus {
    /// Returns whether the route's own sockets may prevent its new version from listening.
    fileprivate func mayOverlap(_ other: Route) -> Bool {
        other.transport == route.transport && endpoints.contains { $0.port == other.listen.port }
    }
}
