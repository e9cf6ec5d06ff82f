import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirWire

/// A listening socket, with its state.
final class TCPListener {
    private var descriptor: Descriptor?
    let raw: Int32
    let listening: Listening
    var isPaused = false

    init(_ listening: Listening) {
        descriptor = Descriptor(owning: listening.descriptor)
        raw = listening.descriptor
        self.listening = listening
    }

    var isClosed: Bool { descriptor == nil }

    /// Stops accepting clients.
    func close() { descriptor = nil }
}

/// The beginning of TCP flows.
extension TCPCarrier {
    private static let acceptsPerTurn = 64
    /// The same on a route with TLS, where each has more to do.
    private static let securedAcceptsPerTurn = 16
    private static let retryPause = Duration.milliseconds(200)

    func listen(_ listeners: [TCPListener]) throws(SystemError) {
        self.listeners = listeners
        for (place, listener) in listeners.enumerated() {
            try loop.watch(listener.raw, UInt32(WEIR_IN), Token(.tcpListener, place: place))
        }
    }

    /// Starts to accept the clients of one more route.
    func add(_ socket: Listening) throws(SystemError) {
        let place = listeners.firstIndex(where: \.isClosed) ?? listeners.count
        let listener = TCPListener(socket)
        try loop.watch(listener.raw, UInt32(WEIR_IN), Token(.tcpListener, place: place))
        if place == listeners.count { listeners.append(listener) } else { listeners[place] = listener }
    }

    /// Stops accepting clients of a route, and closes those whose flow has not begun; its flows continue.
    func unlisten(_ route: Int) {
        for listener in listeners where listener.listening.route == route { listener.close() }
        closeOpenings { $0.accepted.route == route }
    }

    /// Accepts waiting clients, as many as a turn allows.
    func accept(from place: Int) {
        let listener = listeners[place]
        let shared = loop.shared
        let isPlain = shared.targets.security(of: listener.listening.route) == .plain
        let limit = isPlain ? Self.acceptsPerTurn : Self.securedAcceptsPerTurn
        var failures = 0
        for _ in 0..<limit {
            guard !listener.isPaused, !listener.isClosed else { return }
            guard shared.reserveFlow() else { return pauseAccepting(nil) }
            var peer = sockaddr_storage()
            let raw = weir_accept(listener.raw, &peer)
            guard raw >= 0 else {
                let error = ErrorNumber(-raw)
                // Loops without free descriptors must not wake each other in turn.
                shared.releaseFlow(wakesOthers: !error.isShortage)
                if error.rawValue == EAGAIN { return }
                if error.isShortage { return pauseAccepting(error) }
                // Every other error is about the connection that was not accepted (accept(2), "Error handling"), unless it
                // is always the same: then the call itself is refused.
                failures += 1
                if failures == limit { return pauseAccepting(error) }
                continue
            }
            // On a wildcard listener, use the address that the client chose.
            let local = listener.listening.isWildcard ? Socket.localEndpoint(raw) : nil
            guard let client = SocketAddress.endpoint(&peer) else {
                Glibc.close(raw)
                shared.releaseFlow()
                continue
            }
            let listened = local ?? listener.listening.endpoint
            let route = listener.listening.route
            let socket = SentDescriptor(Descriptor(owning: raw))
            assign(AcceptedConnection(socket: socket, client: client, listener: listened, route: route))
        }
    }

    /// Gives a connection to the loop with the fewest flows.
    private func assign(_ accepted: AcceptedConnection) {
        let best = loop.shared.loopWithFewestFlows(preferring: loop.index)
        loop.shared.loops[best].flows.add(1, ordering: .relaxed)
        if best == loop.index { adopt(accepted) } else { loop.shared.loops[best].mailbox.post(.adopt(accepted)) }
    }

    /// Makes the flow of an accepted client, after its opening if its route has one.
    func adopt(_ accepted: AcceptedConnection) {
        if accepted.server == nil, let opening = loop.shared.targets.opening(of: accepted.route) {
            return open(accepted, opening())
        }
        let connection = add(accepted, Leg(accepted.socket.take()), target: loop.shared.targets[accepted.route])
        #if TLS
        prepareWire(connection)
        prepareSecuring(connection)
        #endif
        if watchClient(of: connection) { host.begin(connection) }
    }

    /// Makes the flow of a dial that has failed already, for its records.
    func record(_ failed: FailedDial) {
        let target = loop.shared.targets[failed.route]
        let connection = host.add(
            .tcp,
            from: failed.client,
            at: failed.asked,
            route: failed.route,
            target: target,
            cookie: 0
        ) { flow, slot in
            TCPConnection(flow, target: target, route: failed.route, at: slot, of: self)
        }
        loop.shared.configuration.watched?.begin(connection.flow.id, failed)
        connection.legs.failed = failed
        host.begin(connection)
    }

    /// Makes the flow of an accepted client.
    ///
    /// - Parameters:
    ///   - accepted: the client's connection.
    ///   - leg: the client's side.
    ///   - target: where it goes; nil for a flow that is its own server.
    /// - Returns: the connection, which has not begun yet.
    func add(_ accepted: AcceptedConnection, _ leg: consuming Leg, target: Target?) -> TCPConnection {
        let connection = host.add(
            .tcp,
            from: accepted.client,
            at: accepted.listener,
            route: accepted.route,
            target: target,
            cookie: leg.cookie
        ) { flow, slot in
            TCPConnection(flow, target: target, route: accepted.route, at: slot, of: self)
        }
        connection.legs.client = leg
        if let server = accepted.server {
            connection.legs.server = Leg(server.take())
            connection.legs.isDialed = true
        }
        return connection
    }

    /// Lets the kernel watch a flow's client; returns false if it refuses to, and the client is reset.
    func watchClient(of connection: TCPConnection) -> Bool {
        do {
            try connection.legs.client.watch(in: loop, connection.token(.client))
            return true
        } catch {
            let client = connection.flow.path.client
            loop.shared.refusals.tell("\(error); the client \(client) is reset", of: "\(error)")
            host.dispatch(connection, .shutdown)
            return false
        }
    }

    // MARK: - Pausing

    func pauseAccepting(_ shortage: ErrorNumber?) {
        for listener in listeners where !listener.isPaused {
            listener.isPaused = true
            weir_epoll_remove(loop.epoll.raw, listener.raw)
        }
        sayThatItPauses(shortage)
        loop.shared.isAcceptingPaused.store(true, ordering: .sequentiallyConsistent)
        if shortage != nil {
            retryAcceptingLater()
        } else if loop.shared.tcpFlows.load(ordering: .sequentiallyConsistent) < loop.shared.limits.tcpFlows {
            // A flow ended just before the pause was stored, so no other loop will post a message.
            resumeAccepting()
        }
    }

    /// Reports why clients wait, once for each kind of reason.
    private func sayThatItPauses(_ shortage: ErrorNumber?) {
        let shared = loop.shared
        guard (shortage == nil ? shared.limitNotice : shared.shortageNotice).isFirst() else { return }
        if let shortage, !shortage.isShortage {
            return shared.report("the kernel refuses to accept clients: \(shortage); they wait in the backlog")
        }
        let reason = shortage.map { "\($0)" } ?? "\(shared.limits.tcpFlows) TCP flows are open, the most at once"
        shared.report("accepting pauses until a flow ends: \(reason); clients wait in the backlog")
    }

    /// Starts a timer for another try, because the shortage may not depend on this relay's flows.
    private func retryAcceptingLater() {
        guard !isRetrying else { return }
        isRetrying = true
        loop.timers.insert(Token(.retryAccept), due: loop.now().instant.advanced(by: Self.retryPause))
    }

    /// Tries again to accept clients.
    func retryAccepting() {
        isRetrying = false
        resumeAccepting()
    }

    /// Resumes accepting after a flow has ended.
    func resumeAccepting() {
        retryStarved()
        guard starved.isEmpty else { return }
        for (place, listener) in listeners.enumerated() where listener.isPaused && !listener.isClosed {
            let token = Token(.tcpListener, place: place)
            guard weir_epoll_add(loop.epoll.raw, listener.raw, UInt32(WEIR_IN), token.rawValue) >= 0 else {
                retryAcceptingLater()
                continue
            }
            listener.isPaused = false
        }
    }
}

extension ErrorNumber {
    /// Whether the system is temporarily out of something: descriptors or memory.
    var isShortage: Bool {
        switch rawValue {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: true
        default: false
        }
    }
}
