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
    /// Its flows are closed if it is to listen or lead elsewhere, or is disabled. If anything is wrong with the change, or
    /// the route cannot listen there, it stays as it was. Its flows are closed even then in one case: the new place
    /// overlaps with the old one (`127.0.0.1:80` and `*:80`), so that the old one must be given up first.
    ///
    /// - Parameters:
    ///   - name: the route's name.
    ///   - route: where to listen and where to forward from now on; nil leaves that as it is.
    ///   - isEnabled: whether it takes clients; nil leaves that as it is.
    ///   - dropsToxics: whether it loses its toxics, as a route that replaces another one.
    /// - Returns: the route as it is now.
    /// - Throws: `RouteChangeError`, `SystemError`, `ResolveError`, `ToxicError` if one of its toxics is none for the new
    ///   transport.
    @discardableResult
    public func change(
        _ name: String,
        to route: Route? = nil,
        isEnabled: Bool? = nil,
        dropsToxics: Bool = false
    ) async throws -> RouteStatus {
        await turnstile.enter()
        do {
            let status = try await changeNow(name, route, isEnabled, dropsToxics)
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
        await unlisten(entry.number)
        await dismiss(entry.number)
        await turnstile.leave()
    }

    /// Checks that routes could be made or changed one after another, and changes nothing.
    ///
    /// No flow may come back to where it began, or reach the control API.
    ///
    /// - Parameter routes: the routes as they are to be, by their names.
    /// - Returns: what is wrong with the first one that is wrong, and its place in the list; nil if none is.
    public func check(
        _ routes: [(name: String, route: Route, isEnabled: Bool)]
    ) async -> (place: Int, error: RouteChangeError)? {
        let (known, first) = (served.mapValues(\.number), wiring)
        return await onThread {
            var (wiring, numbers) = (first, known)
            for (place, (name, route, isEnabled)) in routes.enumerated() {
                // Numbers below 0 are no route's.
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
