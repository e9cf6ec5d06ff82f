import Glibc
import WeirFlow
import WeirWire

/// How routes come and go while the relay runs.
extension Supervisor {
    /// Lists the routes, by their names.
    public nonisolated var routes: [RouteStatus] { listing.withLock { $0 } }

    /// Finds a route.
    public nonisolated func route(named name: String) -> RouteStatus? {
        listing.withLock { $0.first { $0.name == name } }
    }

    /// Adds a route; a target's name is resolved when the first flow asks for it.
    ///
    /// - Parameters:
    ///   - route: where to listen and where to forward.
    ///   - name: the route's name.
    ///   - isEnabled: whether to listen at once.
    /// - Returns: the route, with the port that the kernel chose where 0 was asked for.
    /// - Throws: `RouteChangeError`; `SystemError` or `ResolveError` where it cannot listen: then there is no such route.
    @discardableResult
    public func add(_ route: Route, named name: String, isEnabled: Bool = true) async throws -> RouteStatus {
        await turnstile.enter()
        do {
            let status = try await addNow(route, name, isEnabled)
            await turnstile.leave()
            return status
        } catch {
            await turnstile.leave()
            throw error
        }
    }

    /// Changes a route: where it listens or leads to, or whether it is enabled.
    ///
    /// Its flows are closed where it is to listen or lead elsewhere, or is disabled. Where it cannot listen, it stays
    /// disabled with what was asked for.
    ///
    /// - Parameters:
    ///   - name: the route's name.
    ///   - route: where to listen and where to forward from now on; nil leaves that as it is.
    ///   - isEnabled: whether it takes clients; nil leaves that as it is.
    /// - Returns: the route as it is now.
    /// - Throws: `RouteChangeError`, `SystemError`, `ResolveError`.
    @discardableResult
    public func change(
        _ name: String,
        to route: Route? = nil,
        isEnabled: Bool? = nil
    ) async throws -> RouteStatus {
        await turnstile.enter()
        do {
            let status = try await changeNow(name, route, isEnabled)
            await turnstile.leave()
            return status
        } catch {
            await turnstile.leave()
            throw error
        }
    }

    /// Removes a route: listens no more, and closes its flows.
    ///
    /// - Throws: `RouteChangeError.unknown`.
    public func remove(_ name: String) async throws(RouteChangeError) {
        await turnstile.enter()
        guard let entry = served.removeValue(forKey: name) else {
            await turnstile.leave()
            throw .unknown(name)
        }
        await halt(entry.number)
        await turnstile.leave()
    }

    // MARK: - One at a time

    private func addNow(_ route: Route, _ name: String, _ isEnabled: Bool) async throws -> RouteStatus {
        guard !isStopping else { throw RouteChangeError.stopping }
        guard served[name] == nil else { throw RouteChangeError.exists(name) }
        let target = try makeTarget(route, number: nil)
        let number = shared.targets.add(target)
        while toxicSets.count <= number { toxicSets.append(.none) }
        for loop in shared.loops { _ = await on(loop) { $0.addRoute(number) } }
        // A target knows its route's number only now.
        shared.targets.replace(number, with: try makeTarget(route, number: number))
        var status = RouteStatus(name: name, number: number, route: route, endpoints: [])
        if isEnabled { status.endpoints = try await begin(status) }
        served[name] = status
        return status
    }

    private func changeNow(_ name: String, _ route: Route?, _ isEnabled: Bool?) async throws -> RouteStatus {
        guard !isStopping else { throw RouteChangeError.stopping }
        guard var status = served[name] else { throw RouteChangeError.unknown(name) }
        let wasEnabled = status.isEnabled
        // Port 0 asks for another one, whatever was asked for before.
        if let route, route != status.route || route.listen.port == 0 {
            let target = try makeTarget(route, number: status.number)
            await halt(status.number)
            status.endpoints = []
            status.route = route
            shared.targets.replace(status.number, with: target)
            served[name]?.endpoints = []
            served[name]?.route = route
        }
        let isWanted = isEnabled ?? wasEnabled
        guard isWanted != status.isEnabled else { return served[name] ?? status }
        if isWanted {
            status.endpoints = try await begin(status)
        } else {
            await halt(status.number)
            status.endpoints = []
        }
        // Its toxics may have been changed meanwhile.
        served[name]?.endpoints = status.endpoints
        return served[name] ?? status
    }

    private func makeTarget(_ route: Route, number: Int?) throws(RouteChangeError) -> Target {
        let own = shared.own
        let transport = route.transport
        guard let host = route.target else { throw .unknown("\(route)") }
        let target = Target(later: host, shared.configuration, report: shared.report) { endpoint in
            switch own.owner(transport, endpoint) {
            case .admin: true
            case .route(let owner): owner == number
            case nil: false
            }
        }
        for endpoint in target.endpoints where own.owner(transport, endpoint) == .admin { throw .admin(endpoint) }
        return target
    }

    /// Binds a route's sockets, and hands them to the loops.
    private func begin(_ status: RouteStatus) async throws -> [Endpoint] {
        let (configuration, loops, number, route) = (
            shared.configuration, shared.loops.count, status.number, status.route
        )
        let sockets = try await onThread {
            try Self.bindSockets(of: route, number, configuration, loops: loops)
        }
        var handed = 0
        do {
            for (_, socket) in sockets { shared.own.add(route.transport, socket.endpoint, of: .route(number)) }
            try await refuseLoop(status)
            for (_, socket) in sockets { try ListeningSockets.listen(socket, route.transport) }
            for (loop, socket) in sockets {
                // From here on the loop closes it.
                handed += 1
                try await hand(socket, route.transport, to: shared.loops[loop])
            }
        } catch {
            for (_, socket) in sockets[handed...] { close(socket.descriptor) }
            await halt(number)
            throw error
        }
        var endpoints: [Endpoint] = []
        for (_, socket) in sockets where !endpoints.contains(socket.endpoint) { endpoints.append(socket.endpoint) }
        return endpoints
    }

    private func hand(_ socket: Listening, _ transport: Transport, to loop: LoopHandle) async throws {
        let outcome = await on(loop) { loop -> Result<Void, SystemError> in
            do throws(SystemError) {
                switch transport {
                case .tcp: try loop.tcp.add(socket)
                case .udp: try loop.udp.add(socket)
                }
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

    /// Listens no more for a route, and closes its flows.
    private func halt(_ number: Int) async {
        for loop in shared.loops { _ = await on(loop) { $0.tcp.unlisten(number) } }
        // What was accepted before is in the loops' mailboxes by now.
        for loop in shared.loops {
            _ = await on(loop) { loop in
                loop.tcp.dismiss(number)
                loop.udp.remove(number)
            }
        }
        shared.own.remove(.route(number))
    }

    /// Refuses a route whose flows would come back to its own listener, also by way of other routes.
    private func refuseLoop(_ status: RouteStatus) async throws {
        guard let host = status.route.target else { return }
        let (configuration, transport) = (shared.configuration, status.route.transport)
        // A name that has no address yet is looked at when it has one.
        let endpoints = await onThread { (try? configuration.resolve(host, configuration.family)) ?? [] }
        var waiting = endpoints
        var seen: Set<Endpoint> = []
        while let endpoint = waiting.popLast() {
            guard seen.insert(endpoint).inserted else { continue }
            switch shared.own.owner(transport, endpoint) {
            case .admin: throw RouteChangeError.admin(endpoint)
            case .route(status.number):
                throw RouteChangeError.loop(RouteLoopError(route: status.route, endpoint: endpoint))
            case .route(let other): waiting += shared.targets[other]?.endpoints ?? []
            case nil: break
            }
        }
    }

    // MARK: - Reaching the loops

    /// Runs a body on a loop's thread, and waits for what it returns; nil where the loop has ended.
    nonisolated func on<Result: Sendable>(
        _ loop: LoopHandle,
        _ body: @escaping @Sendable (EventLoop) -> Result
    ) async -> Result? {
        await withCheckedContinuation { continuation in
            let isTaken = loop.mailbox.post(.perform { continuation.resume(returning: body($0)) })
            if !isTaken { continuation.resume(returning: nil) }
        }
    }

    /// Runs a body on every loop's thread, between two events, and returns what those have to say that have not ended.
    nonisolated func onEach<Result: Sendable>(_ body: @escaping @Sendable (EventLoop) -> Result) async -> [Result] {
        let loops = shared.loops
        return await withCheckedContinuation { continuation in
            let state = Lock((results: [Result](), left: loops.count))
            let take: @Sendable (Result?) -> Void = { result in
                let all = state.withLock { state -> [Result]? in
                    if let result { state.results.append(result) }
                    state.left -= 1
                    return state.left == 0 ? state.results : nil
                }
                if let all { continuation.resume(returning: all) }
            }
            for loop in loops where !loop.mailbox.post(.perform({ take(body($0)) })) { take(nil) }
        }
    }

    /// Runs a body that blocks on a thread of its own.
    package func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result, any Error>) in
            do {
                try startThread(named: "weir-control") { continuation.resume(with: .init(catching: body)) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            do {
                try startThread(named: "weir-control") { continuation.resume(returning: body()) }
            } catch {
                continuation.resume(returning: body())
            }
        }
    }
}
