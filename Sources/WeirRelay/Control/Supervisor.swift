import Glibc
import Synchronization
import WeirEngine
import WeirWire

/// A relay, from its start to its end: the interface of `WeirRelay`, where control meets the event loops.
///
/// ```swift
/// let relay = try await Supervisor(RelayConfiguration(routes: [try Route(parsing: "tcp:0=127.0.0.1:65432")]))
/// print(relay.listeners[0].endpoint)
/// await relay.stop(grace: .seconds(5))
/// ```
public actor Supervisor {
    /// The endpoints at which the relay listens, in the order of its routes.
    public nonisolated let listeners: [Listener]
    /// The maximum number of TCP flows at once: the configured one, or what the descriptor limit allows.
    public nonisolated let maxFlows: Int
    /// The maximum number of UDP sessions at once.
    public nonisolated let maxSessions: Int

    let shared: Shared
    /// The routes, including disabled ones, by their names.
    var served: [String: RouteStatus] = [:] { didSet { listing.withLock { $0 = RouteStatus.list(served) } } }
    /// The list of the routes, for readers outside the actor.
    let listing: Lock<[RouteStatus]>
    /// The mutex that allows one change of the routes at a time.
    let mutex = AsyncMutex()
    /// Whether the relay is stopping, and accepts no more routes.
    private(set) var isStopping = false
    /// The toxics of each route.
    var toxicSets: [ToxicSet]
    /// The toxics of a watched program's destinations to come, by their transport; empty if no program is watched.
    var templates: [Transport: [ToxicConfiguration]] = [:]
    /// The toxics that a destination has besides those, by its route's number.
    var ownToxics: [Int: [ToxicConfiguration]] = [:]
    private var stopping: Task<Void, Never>?

    /// Binds every route's sockets, starts the event loops, and serves.
    ///
    /// - Parameters:
    ///   - configuration: what to serve, and how.
    ///   - outputs: the destinations of the records.
    ///   - report: called with one line that the user should know; on any thread.
    ///   - sinkReport: called with reports about the outputs; on any thread.
    ///   - whenBound: called with the endpoints before any client can connect; if it throws, the relay does not start.
    /// - Throws: `SystemError` if a socket cannot be made, `ResolveError` if the name of a listener has no address,
    ///   `ToxicError` if a toxic is wrong, `RouteError` if a route over UDP has an opening.
    public init(
        _ configuration: RelayConfiguration,
        outputs: [SinkOutput] = [],
        report: @escaping @Sendable (String) -> Void = { _ in },
        sinkReport: @escaping @Sendable (SinkReport) -> Void = { _ in },
        whenBound: (Bound) throws -> Void = { _ in }
    ) async throws {
        let loops = max(1, configuration.threads)
        toxicSets = try configuration.toxicSets()
        let own = OwnListeners()
        for endpoint in configuration.adminEndpoints { own.add(.tcp, endpoint, of: .admin) }
        for route in configuration.routes { try route.check() }
        let targets = await Self.resolveTargets(configuration, own, report)
        let descriptors = DescriptorLimit.raise()
        let limits = DescriptorLimit.share(descriptors, for: configuration)
        guard limits.tcpFlows > 0, limits.udpSessions > 0 else {
            let needed = DescriptorLimit.reserve(of: descriptors, for: configuration) + 3
            throw SystemError(
                "serve with \(descriptors) descriptors",
                ErrorNumber(EMFILE),
                advice: "raise the limit (ulimit -n) to \(needed) at least, or lower the number of threads and routes"
            )
        }
        let sockets = try Self.bindSockets(configuration, loops: loops)
        do {
            for (_, socket) in sockets {
                own.add(configuration.routes[socket.route].transport, socket.endpoint, of: .route(socket.route))
            }
            try Self.refuseLoops(configuration, targets, own)
            listeners = Self.describe(sockets, configuration)
            try whenBound(Bound(listeners: listeners, servers: Self.servers(configuration, targets)))
            for (_, socket) in sockets {
                try ListeningSockets.listen(socket, configuration.routes[socket.route].transport)
            }
            var handles: [LoopHandle] = []
            for _ in 0..<loops { handles.append(try LoopHandle()) }
            let hub = try SinkHub(outputs: outputs, lanes: loops, bound: configuration.sinkBound, report: sinkReport)
            shared = Shared(
                configuration: configuration,
                targets: Targets(targets, of: configuration.routes),
                own: own,
                hub: hub,
                limits: limits,
                toxics: toxicSets,
                loops: handles,
                report: report
            )
            hub.whenReady { [handles] in
                for handle in handles { handle.mailbox.post(.sinksReady) }
            }
            hub.whenQuiet { [handles] in
                for handle in handles { handle.memory.forget() }
            }
        } catch {
            for socket in sockets { close(socket.socket.descriptor) }
            throw error
        }
        maxFlows = limits.tcpFlows
        maxSessions = limits.udpSessions
        let served = RouteStatus.named(configuration.routes, sockets.map(\.socket), toxicSets)
        self.served = served
        listing = Lock(RouteStatus.list(served))
        try await Self.startLoops(sockets, shared)
    }

    /// The number of open TCP flows.
    public nonisolated var openFlows: Int { shared.tcpFlows.load(ordering: .relaxed) }

    /// The number of open UDP sessions.
    public nonisolated var openSessions: Int { shared.udpSessions.load(ordering: .relaxed) }

    /// The number of recorded mismatches, if an echo is expected.
    public nonisolated var mismatches: Int { shared.mismatches.load(ordering: .relaxed) }

    /// The number of bytes that the outputs have taken.
    public nonisolated var bytesWritten: UInt64 { shared.hub.bytesWritten }

    /// The names of the outputs that have not taken everything yet, for use while `stop` waits for them.
    public nonisolated var unfinishedOutputs: [String] { shared.hub.unfinished }

    /// Drains and ends: accepts no more, waits for the flows, resets those that are left, and lets every sink finish.
    ///
    /// If the relay is already stopping, waits for the end.
    ///
    /// - Parameter grace: how long the TCP flows may continue.
    public func stop(grace: Duration = .seconds(5)) async {
        isStopping = true
        if let stopping { return await stopping.value }
        let task = Task { [shared] in await Self.stop(shared, grace) }
        stopping = task
        await task.value
    }

    private static func stop(_ shared: Shared, _ grace: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await drain(shared) }
            group.addTask {
                try? await Task.sleep(for: grace)
                guard !Task.isCancelled else { return }
                for loop in shared.loops { loop.mailbox.post(.shutdown) }
                // A connection that was on its way between loops is reset as well.
                try? await Task.sleep(for: .milliseconds(50))
                guard !Task.isCancelled else { return }
                for loop in shared.loops { loop.mailbox.post(.shutdown) }
            }
            await group.next()
            if shared.tcpFlows.load(ordering: .acquiring) > 0 { await group.next() }
            group.cancelAll()
        }
        for loop in shared.loops { await end(loop) }
        shared.targets.tellRest()
        shared.refusals.tellRest()
        await shared.hub.finish()
    }

    private static func end(_ loop: LoopHandle) async {
        await withCheckedContinuation { continuation in
            let isTaken = loop.mailbox.post(.stop(whenStopped: { continuation.resume() }))
            // A loop that failed has ended already.
            if !isTaken { continuation.resume() }
        }
    }

    /// Resets the TCP flows for which a `stop` in progress still waits.
    public nonisolated func hurry() {
        for loop in shared.loops { loop.mailbox.post(.shutdown) }
    }

    private static func drain(_ shared: Shared) async {
        await withTaskGroup(of: Void.self) { group in
            for loop in shared.loops {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        let isTaken = loop.mailbox.post(.drain(whenIdle: { continuation.resume() }))
                        if !isTaken { continuation.resume() }
                    }
                }
            }
        }
    }

    // MARK: - Starting

    private static func resolveTargets(
        _ configuration: RelayConfiguration,
        _ own: OwnListeners,
        _ report: @escaping @Sendable (String) -> Void
    ) async -> [Target?] {
        let hosts = configuration.routes.compactMap(\.target)
        let answers = await Resolver.resolveNames(hosts, configuration.resolve, family: configuration.family)
        return configuration.routes.map { route in
            route.target.map { target in
                Target(
                    target,
                    over: route.transport,
                    own: own,
                    family: configuration.family,
                    lifetime: configuration.nameLifetime,
                    resolve: configuration.resolve,
                    names: configuration.names,
                    first: answers[target],
                    report: report
                )
            }
        }
    }

    /// Refuses a route whose target is one of the relay's own listeners.
    private static func refuseLoops(
        _ configuration: RelayConfiguration,
        _ targets: [Target?],
        _ own: OwnListeners
    ) throws {
        for (route, target) in zip(configuration.routes, targets) {
            guard let endpoint = target?.endpoints.first(where: { own.contains(route.transport, $0) }) else { continue }
            throw RouteLoopError(route: route, endpoint: endpoint)
        }
    }

    private static func bindSockets(
        _ configuration: RelayConfiguration,
        loops: Int
    ) throws -> [(loop: Int, socket: Listening)] {
        var sockets: [(loop: Int, socket: Listening)] = []
        do {
            for (index, route) in configuration.routes.enumerated() {
                for endpoint in try ListeningSockets.endpoints(of: route, family: configuration.family) {
                    let bound = sockets.map(\.socket)
                    try ListeningSockets.refuseTwins(route, at: endpoint, bound, configuration.routes)
                }
                sockets += try bindSockets(of: route, index, configuration, loops: loops)
            }
        } catch {
            for (_, socket) in sockets { close(socket.descriptor) }
            throw error
        }
        return sockets
    }

    /// Binds the sockets of one route, and returns each with the index of its loop.
    static func bindSockets(
        of route: Route,
        _ index: Int,
        _ configuration: RelayConfiguration,
        loops: Int
    ) throws -> [(loop: Int, socket: Listening)] {
        var sockets: [(loop: Int, socket: Listening)] = []
        do {
            var port: UInt16?
            for endpoint in try ListeningSockets.endpoints(of: route, family: configuration.family) {
                // With port 0, a route's further addresses get the port that the kernel chose for the first one.
                let wanted = Endpoint(address: endpoint.address, port: port ?? endpoint.port)
                let bound = try ListeningSockets.bind(
                    route,
                    index: index,
                    at: wanted,
                    loops: loops,
                    configuration
                )
                port = bound[0].endpoint.port
                for (loop, socket) in bound.enumerated() {
                    sockets.append((route.transport == .tcp ? index % loops : loop, socket))
                }
            }
        } catch {
            for (_, socket) in sockets { close(socket.descriptor) }
            throw error
        }
        return sockets
    }

    private static func servers(_ configuration: RelayConfiguration, _ targets: [Target?]) -> [Bound.Server] {
        zip(configuration.routes, targets).flatMap { route, target in
            (target?.endpoints ?? []).map { Bound.Server(transport: route.transport, endpoint: $0) }
        }
    }

    private static func describe(
        _ sockets: [(loop: Int, socket: Listening)],
        _ configuration: RelayConfiguration
    ) -> [Listener] {
        var listeners: [Listener] = []
        for (_, socket) in sockets {
            let route = configuration.routes[socket.route]
            var listener = Listener(transport: route.transport, endpoint: socket.endpoint, target: route.target)
            listener.security = route.security
            if !listeners.contains(listener) { listeners.append(listener) }
        }
        return listeners
    }

    /// Starts a thread for each loop, which then owns its sockets.
    ///
    /// If one cannot be started, the others are ended, and every socket is closed.
    static func startLoops(_ sockets: [(loop: Int, socket: Listening)], _ shared: Shared) async throws {
        for index in shared.loops.indices {
            do {
                try await start(index, sockets.filter { $0.loop == index }.map(\.socket), shared)
            } catch {
                for (loop, socket) in sockets where loop > index { close(socket.descriptor) }
                for loop in shared.loops[..<index] { await end(loop) }
                await shared.hub.finish()
                throw error
            }
        }
    }

    private static func start(_ index: Int, _ sockets: [Listening], _ shared: Shared) async throws {
        let tcp = sockets.filter { shared.configuration.routes[$0.route].transport == .tcp }
        let udp = sockets.filter { shared.configuration.routes[$0.route].transport == .udp }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            do {
                try startThread(named: "weir-loop-\(index)") {
                    do {
                        let whenStopped = try EventLoop.serve(index: index, shared: shared, tcp: tcp, udp: udp) {
                            continuation.resume()
                        }
                        whenStopped?()
                    } catch {
                        continuation.resume(throwing: error)
                    }
                }
            } catch {
                for socket in sockets { close(socket.descriptor) }
                continuation.resume(throwing: error)
            }
        }
    }
}
