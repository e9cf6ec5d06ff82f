import Glibc
import WeirWire

/// Adding, changing and removing routes while the relay runs.
extension Supervisor {
    /// The routes, in order of their names.
    public nonisolated var routes: [RouteStatus] { listing.withLock { $0 } }

    /// Finds a route.
    public nonisolated func route(named name: String) -> RouteStatus? {
        listing.withLock { $0.first { $0.name == name } }
    }

    /// Adds a route; a target's name is resolved when the first flow needs it.
    ///
    /// - Parameters:
    ///   - route: the endpoint to listen at and the target to forward to.
    ///   - name: the route's name.
    ///   - isEnabled: whether to listen at once.
    /// - Returns: the route; if it had port 0, with the port that the kernel chose.
    /// - Throws: `RouteChangeError`; `SystemError` or `ResolveError` if it cannot listen; then the route is not added.
    @discardableResult
    public func add(_ route: Route, named name: String, isEnabled: Bool = true) async throws -> RouteStatus {
        await mutex.enter()
        do {
            let status = try await addNow(route, name, isEnabled)
            await mutex.leave()
            return status
        } catch {
            await mutex.leave()
            throw error
        }
    }

    /// Changes a route's listener or target, or whether it is enabled.
    ///
    /// If the listener or the target changes, or the route is disabled, its flows are closed. If anything is wrong with
    /// the change, or the route cannot listen there, it stays as it was. Even then its flows are closed in one case:
    /// the new listening endpoint overlaps with the old one (`127.0.0.1:80` and `*:80`), so the old one must be closed
    /// first.
    ///
    /// - Parameters:
    ///   - name: the route's name.
    ///   - route: the new listener and target; if nil, they stay as they are.
    ///   - isEnabled: whether it accepts clients; if nil, that stays as it is.
    ///   - dropsToxics: whether it loses its toxics, as a route does that replaces another one.
    /// - Returns: the route as it is now.
    /// - Throws: `RouteChangeError`, `SystemError`, `ResolveError`; `ToxicError` if one of its toxics does not work
    ///   with the new transport.
    @discardableResult
    public func change(
        _ name: String,
        to route: Route? = nil,
        isEnabled: Bool? = nil,
        dropsToxics: Bool = false
    ) async throws -> RouteStatus {
        await mutex.enter()
        do {
            let status = try await changeNow(name, route, isEnabled, dropsToxics)
            await mutex.leave()
            return status
        } catch {
            await mutex.leave()
            throw error
        }
    }

    /// Removes a route: stops listening, and closes its flows.
    ///
    /// - Throws: `RouteChangeError.unknown`.
    public func remove(_ name: String) async throws(RouteChangeError) {
        await mutex.enter()
        guard let entry = served.removeValue(forKey: name) else {
            await mutex.leave()
            throw .unknown(name)
        }
        await unlisten(entry.number)
        await dismiss(entry.number)
        await mutex.leave()
    }

    /// Checks that routes could be made or changed one after another, and changes nothing.
    ///
    /// No flow may come back to its own listener, or reach the control API.
    ///
    /// - Parameter routes: the wanted routes, by their names.
    /// - Returns: the error of the first wrong route, and its place in the list; nil if none is wrong.
    public func check(
        _ routes: [(name: String, route: Route, isEnabled: Bool)]
    ) async -> (place: Int, error: RouteChangeError)? {
        let (known, first) = (served.mapValues(\.number), wiring)
        return await onThread {
            var (wiring, numbers) = (first, known)
            for (place, (name, route, isEnabled)) in routes.enumerated() {
                // No route has a number below 0.
                let number = numbers[name] ?? -1 - place
                numbers[name] = number
                let endpoints = wiring.endpoints(of: route)
                do throws(RouteChangeError) {
                    try wiring.check(number, route, at: endpoints)
                } catch {
                    return (place, error)
                }
                wiring.put(number, route, at: isEnabled ? endpoints : [])
            }
            return nil
        }
    }

    // MARK: - Reaching the loops

    /// Runs a closure on a loop's thread, and waits for its result; nil if the loop has ended.
    nonisolated func on<Result: Sendable>(
        _ loop: LoopHandle,
        _ body: @escaping @Sendable (FlowHost) -> Result
    ) async -> Result? {
        await withCheckedContinuation { continuation in
            let isTaken = loop.mailbox.post(.perform { continuation.resume(returning: body($0)) })
            if !isTaken { continuation.resume(returning: nil) }
        }
    }

    /// Runs a closure on every loop's thread, between two events, and returns the results of those that have not ended.
    nonisolated func onEach<Result: Sendable>(_ body: @escaping @Sendable (FlowHost) -> Result) async -> [Result] {
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

    /// Runs a closure that blocks on a thread of its own.
    package func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result, any Error>) in
            do {
                try startThread(named: "weir-control") { continuation.resume(with: .init(catching: body)) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            do {
                try startThread(named: "weir-control") { continuation.resume(returning: body()) }
            } catch {
                continuation.resume(returning: body())
            }
        }
    }
}
