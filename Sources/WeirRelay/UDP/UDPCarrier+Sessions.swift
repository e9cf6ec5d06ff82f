import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirWire

/// The beginning and the end of UDP sessions.
extension UDPCarrier {
    func listen(_ listeners: [UDPListener]) throws(SystemError) {
        if !listeners.isEmpty { makeBatches() }
        self.listeners = listeners
        for listener in listeners {
            try loop.watch(listener.raw, Self.interest, Token(.udpListener, place: listener.place))
        }
    }

    /// Starts to receive the datagrams of one more route.
    func add(_ socket: Listening) throws(SystemError) {
        makeBatches()
        let place = listeners.firstIndex(where: \.isClosed) ?? listeners.count
        let listener = UDPListener(socket, place: place)
        try loop.watch(listener.raw, Self.interest, Token(.udpListener, place: place))
        if place == listeners.count { listeners.append(listener) } else { listeners[place] = listener }
    }

    /// Stops receiving the datagrams of a route, and ends its sessions.
    func unlisten(_ route: Int) {
        for session in sessions where session.route == route { session.end(with: .dismissed) }
        for listener in listeners where listener.listening.route == route && !listener.isClosed {
            reportDrops(of: listener)
            listener.blocked = []
            listener.close()
        }
    }

    /// Stops receiving the datagrams of one listener, and ends its sessions.
    func unlisten(at endpoint: Endpoint) {
        guard let listener = listeners.first(where: { !$0.isClosed && $0.listening.endpoint == endpoint }) else {
            return
        }
        for session in listener.sessions.values { session.end(with: .dismissed) }
        reportDrops(of: listener)
        listener.blocked = []
        listener.close()
    }

    static let interest = UInt32(WEIR_IN) | UInt32(WEIR_OUT) | (UInt32(1) << 31)

    /// Finds the session of a datagram, or begins one.
    ///
    /// - Returns: the session that is to get the datagram; nil if it is dropped, or its flow has it already.
    func session(
        of datagram: UnsafePointer<weir_datagram>,
        _ arrival: Arrival,
        at listener: UDPListener
    ) -> UDPSession? {
        let client = withUnsafePointer(to: datagram.pointee.peer) { SocketAddress.endpoint($0) }
        guard let client else { return nil }
        let local = listener.listening.isWildcard ? SocketAddress.address(datagram.pointee.local) : nil
        let key = SessionKey(client: client, local: local ?? listener.listening.endpoint.address)
        if let session = listener.sessions[key] {
            state.recent.touch(session)
            return session
        }
        guard !loop.isDraining else { return nil }
        guard !loop.shared.own.contains(.udp, client) else {
            // Such a datagram has no flow, and so no record: the reports count it.
            loop.shared.refusals.tell(
                "udp \(listener.listening.endpoint): a datagram from \(client) is dropped: that is a listener of this relay, "
                    + "and the answer would go round for ever",
                of: "loop \(listener.listening.endpoint)"
            )
            return nil
        }
        let session = begin(client, local, key, arrival, at: listener)
        return session.first.take() == nil ? nil : session
    }

    private func begin(
        _ client: Endpoint,
        _ local: IPAddress?,
        _ key: SessionKey,
        _ arrival: Arrival,
        at listener: UDPListener
    ) -> UDPSession {
        let shared = loop.shared
        // Count first, and evict then, so that loops that begin sessions at the same time see each other's.
        let count = shared.udpSessions.add(1, ordering: .acquiringAndReleasing).newValue
        if count > shared.limits.udpSessions { evictOldest() }
        shared.loops[loop.index].sessions.add(1, ordering: .relaxed)
        let route = listener.listening.route
        let target = shared.targets[route]
        let session = host.add(
            .udp,
            from: listener.listening.shown.map { Endpoint(address: $0.client, port: client.port) } ?? client,
            at: listener.listening.shown?.listener
                ?? local.map { Endpoint(address: $0, port: listener.listening.endpoint.port) }
                ?? listener.listening.endpoint,
            route: route,
            target: target,
            cookie: 0
        ) { flow, slot in
            UDPSession(flow, target: target, at: slot, of: self, listener, key, client: client, local: local)
        }
        listener.sessions[key] = session
        state.recent.touch(session)
        session.first = arrival
        host.begin(session)
        return session
    }

    /// Starts a session whose server's addresses are known.
    func begin(_ session: UDPSession) {
        let endpoints = session.state.addresses
        do {
            if let first = endpoints.first { session.spare = try Socket.make(.udp, for: first.address) }
        } catch {
            if error.error.isShortage, let oldest = state.recent.oldest, oldest !== session {
                // The process is out of descriptors, so end the least recently active session to free one.
                oldest.end(with: .evicted)
                session.spare = try? Socket.make(.udp, for: endpoints[0].address)
            }
        }
        host.start(session)
    }

    /// Opens the socket to the server.
    ///
    /// The kernel chooses its port as for a connected socket. Then the socket is disconnected, so that datagrams from
    /// other endpoints are visible (see `RelayConfiguration.takesAnySource`); it keeps the errors of its peers as a
    /// connected socket does.
    func dial(_ session: UDPSession, _ attempt: Int) {
        guard attempt < session.state.addresses.count else {
            // The name has no address, or each is now one of this relay's own listeners.
            return fail(session, session.state.target?.refusal ?? .connectionRefused)
        }
        let target = session.state.addresses[attempt]
        do throws(SystemError) {
            let descriptor: Descriptor
            if let spare = session.spare.take() {
                descriptor = spare
            } else {
                descriptor = try Socket.make(.udp, for: target.address)
            }
            let raw = descriptor.raw
            Socket.set(SO_RCVBUF, of: SOL_SOCKET, to: 1 << 20, on: raw)
            if let source = session.listener.listening.shown?.source { Socket.bind(raw, toAddress: source) }
            let isBound = loop.shared.prepareEgress(raw, session.flow, to: target)
            let (egress, error) = Self.takePort(raw, toward: target, isBound: isBound)
            host.feed(session, .dialed(egress: egress, server: target))
            if let error { return fail(session, error) }
            // A socket to which the kernel gave the server's own port would answer itself.
            if egress == target { return fail(session, .connectionRefused) }
            try loop.watch(raw, Self.interest, session.token(.session))
            session.socket.raw = raw
            session.egress = consume descriptor
            // The kernel treats 0.0.0.0 and [::] as the loopback, so answers come from there.
            session.socket.server = target
            if target.address.isUnspecified {
                session.socket.server?.address = target.address.isV4 ? .loopbackV4 : .loopbackV6
            }
            session.socket.peer = session.socket.server
            host.feed(session, .connected)
        } catch {
            host.feed(session, .dialed(egress: nil, server: target))
            fail(session, error.error)
        }
    }

    /// Lets the kernel choose a socket's address and port for a server, and binds the socket to them without connecting
    /// it.
    ///
    /// The socket is connected first, because binding it to port 0 would change the kernel's choice. Another program
    /// may take the port at the moment when it is free: then the kernel chooses again.
    private static func takePort(
        _ raw: Int32,
        toward target: Endpoint,
        isBound: Bool
    ) -> (egress: Endpoint?, error: ErrorNumber?) {
        var failure: ErrorNumber?
        for _ in 0..<3 {
            if let error = Socket.connect(raw, to: target) { return (nil, error) }
            let egress = Socket.localEndpoint(raw)
            let status = weir_disconnect(raw)
            guard status >= 0, let egress else { return (egress, ErrorNumber(-status)) }
            failure = nil
            // The port that `prepareEgress` has bound stays bound.
            if !isBound {
                do throws(SystemError) {
                    try Socket.bind(raw, to: egress, attempt: "")
                } catch {
                    failure = error.error
                }
            }
            guard failure?.rawValue == EADDRINUSE else {
                _ = weir_keep_errors(raw, !target.address.isV4)
                return (egress, failure)
            }
        }
        return (nil, failure)
    }

    /// Informs a session that it cannot reach the server; the datagram that began the session is lost, and counted.
    private func fail(_ session: UDPSession, _ error: ErrorNumber) {
        if let arrival = session.first.take() { host.feed(session, .received(.upstream), bytes: arrival.bytes.bytes) }
        host.feed(session, .connectFailed(error))
    }

    /// Ends this loop's least recently active session; if it has none, asks the loop with the most sessions to end one.
    private func evictOldest() {
        if let oldest = state.recent.oldest { return oldest.end(with: .evicted) }
        let fullest = loop.shared.loops.max {
            $0.sessions.load(ordering: .relaxed) < $1.sessions.load(ordering: .relaxed)
        }
        fullest?.mailbox.post(.evictSession)
    }

    /// Ends this loop's least recently active session, if all loops together still have too many.
    func evictForOthers() {
        let shared = loop.shared
        guard shared.udpSessions.load(ordering: .acquiring) > shared.limits.udpSessions,
            let oldest = state.recent.oldest
        else {
            return
        }
        oldest.end(with: .evicted)
    }

    /// Reports what the kernel has dropped; `endIdle` does the rest.
    func drain() {
        for listener in listeners { reportDrops(of: listener) }
    }

    /// Ends the sessions that have nothing to send, while the relay drains.
    ///
    /// The first call checks all sessions, and each later call only those with an action since: nothing else empties a
    /// queue.
    func endIdle() {
        let turn = hasBegunToEnd ? state.touched : sessions
        hasBegunToEnd = true
        state.touched.removeAll(keepingCapacity: true)
        for session in turn where !session.isClosed { session.end(with: .drained) }
    }

    /// Closes a session's socket.
    func close(_ session: UDPSession) {
        session.socket.isReadable = false
        session.egress = nil
        state.recent.remove(session)
        session.listener.sessions[session.key] = nil
        loop.shared.udpSessions.subtract(1, ordering: .acquiringAndReleasing)
        loop.shared.loops[loop.index].sessions.subtract(1, ordering: .relaxed)
        loop.shared.flowEnded()
    }

    // MARK: - What the kernel dropped

    /// Returns the number of datagrams that the kernel has dropped at a socket; 0 if it refuses to say it.
    private func countDrops(_ raw: Int32) -> Int {
        let drops = Int(weir_drops(raw))
        if drops < 0, loop.shared.dropNotice.isFirst() {
            loop.shared.report("the kernel does not say which datagrams it drops: \(ErrorNumber(Int32(-drops)))")
        }
        return max(0, drops)
    }

    func reportDrops(of session: UDPSession) {
        guard session.socket.raw >= 0, !session.isClosed else { return }
        let drops = countDrops(session.socket.raw)
        guard drops > session.drops else { return }
        host.dispatch(session, .overflowed(.downstream, datagrams: drops - session.drops))
        session.drops = drops
    }

    func reportDrops(of listener: UDPListener) {
        // A closed one's number may be another socket's by now.
        guard !listener.isClosed else { return }
        let drops = countDrops(listener.raw)
        guard drops > listener.drops else { return }
        loop.shared.report(
            "udp \(listener.listening.endpoint): the kernel dropped \(drops - listener.drops) datagrams of clients: "
                + "the receive buffer was full"
        )
        listener.drops = drops
    }
}
