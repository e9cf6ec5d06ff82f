import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The calls of a server whose clients are relayed: Weir accepts a client, and gives the program a connection to Weir.
///
/// Where that fails, the program gets the client's own connection.
extension CallServer {
    /// Epoll's events for a listening socket: each new client, once.
    private static let newClients = UInt32(WEIR_IN) | UInt32(1) << 31
    /// The bit of epoll's tokens for listening sockets; the rest is the cookie.
    static let servedToken: UInt64 = 1 << 63

    /// A listening socket of the program on a served port.
    private struct Served: ~Copyable {
        let socket: WatchedSocket
        let endpoint: Endpoint
        let port: ServedPort
    }

    /// What a call gets, once the duplicate of its socket is closed: the program may close its own next, and bind the port again.
    private enum Answer {
        case pass(Obstacle?)
        case result(CallResult)
        case client(ServedSockets.Accepted, listening: UInt64)
        /// Nothing: there is no client, and the call waits.
        case nothing
    }

    private func perform(_ answer: Answer, _ call: WatchedCall, _ flags: Int32) {
        switch answer {
        case .pass(let obstacle): pass(call, obstacle)
        case .result(let result): finish(call, result)
        case .client(let accepted, let cookie): give(accepted, to: call, flags, from: cookie)
        case .nothing: break
        }
    }

    /// Answers `listen`.
    func listen(_ call: WatchedCall) { perform(listening(call), call, 0) }

    /// Answers `accept` and `accept4`.
    func accept(_ call: WatchedCall, flags: Int32) {
        let known = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        serving.waiting.removeAll { $0.call.thread == call.thread }
        perform(flags & ~known == 0 ? accepting(call, flags) : .pass(nil), call, flags)
    }

    // MARK: - Listening

    /// Lets a socket listen; its port is announced once clients can connect.
    private func listening(_ call: WatchedCall) -> Answer {
        guard let socket = socket(call.integer(0), of: call) else { return .nothing }
        guard let served = served(socket) else { return .pass(nil) }
        guard Glibc.listen(served.socket.raw, call.integer(1)) == 0 else { return .result(.error(.current)) }
        serving.listens(at: served.endpoint, served.port)
        return .result(.done)
    }

    /// Returns a socket whose port is served, if it can be relayed.
    private func served(_ socket: consuming WatchedSocket) -> Served? {
        guard !letsPass, socket.transport == .tcp, !socket.facts.is_elsewhere,
            let endpoint = Socket.localEndpoint(socket.raw), let port = serving.ports[endpoint.port]
        else { return nil }
        return Served(socket: socket, endpoint: endpoint, port: port)
    }

    // MARK: - Accepting

    private func accepting(_ call: WatchedCall, _ flags: Int32) -> Answer {
        guard let socket = socket(call.integer(0), of: call) else { return .nothing }
        guard let served = served(socket) else { return .pass(nil) }
        // The kernel refuses a socket that does not listen.
        guard served.socket.facts.state == 10 else { return .pass(nil) }
        // It may have been listening before the command began.
        serving.listens(at: served.endpoint, served.port)
        let answer = acceptNow(served)
        guard case .nothing = answer else { return answer }
        guard served.socket.facts.is_blocking else { return .result(.error(ErrorNumber(EAGAIN))) }
        guard watch(served.socket) else { return .pass(.shortage) }
        let patience = Socket.patience(SO_RCVTIMEO, of: served.socket.raw)
        let deadline = patience.map { SystemClock.instant().advanced(by: $0) }
        let cookie = served.socket.cookie
        serving.waiting.append(
            ServedSockets.Waiting(call: call, flags: flags, cookie: cookie, deadline: deadline)
        )
        return .nothing
    }

    /// Lets epoll report the clients of a listening socket from now on; returns false if the kernel refuses to.
    ///
    /// The duplicate that epoll is given is closed: a socket that is kept would listen beyond the program's `close`. Epoll forgets
    /// the socket once the program has closed it.
    private func watch(_ socket: borrowing WatchedSocket) -> Bool {
        guard !serving.watched.contains(socket.cookie) else { return true }
        let status = watchForever(socket.raw, Self.newClients, Self.servedToken | socket.cookie)
        guard status >= 0 || status == -EEXIST else { return false }
        serving.watched.insert(socket.cookie)
        return true
    }

    /// Gives the clients of a listening socket to the calls that wait for them.
    func clientsWait(for cookie: UInt64) {
        var left: [ServedSockets.Waiting] = []
        var isOver = false
        for waiting in serving.waiting {
            guard waiting.cookie == cookie, !isOver else {
                left.append(waiting)
                continue
            }
            // A signal has interrupted it.
            guard waiting.call.isWaiting else { continue }
            switch acceptNow(waiting) {
            case nil: left.append(waiting)
            case .nothing:
                isOver = true
                left.append(waiting)
            case let answer?: perform(answer, waiting.call, waiting.flags)
            }
        }
        serving.waiting = left
    }

    /// Accepts a client for a call that waits; nil if its process has closed the socket.
    private func acceptNow(_ waiting: ServedSockets.Waiting) -> Answer? {
        let found = try? threads.descriptor(waiting.call.integer(0), of: waiting.call.thread)
        guard let descriptor = found else { return nil }
        var facts = weir_socket_facts()
        guard weir_socket_facts_read(descriptor.raw, &facts) >= 0, facts.cookie == waiting.cookie,
            let served = served(WatchedSocket(descriptor: descriptor, facts: facts))
        else { return nil }
        return acceptNow(served)
    }

    /// Ends the calls whose time is over, and forgets those that a signal has interrupted.
    func checkAccepts(at now: Instant) {
        let looks = serving.looks(at: now)
        serving.waiting.removeAll { waiting in
            // Another thread has closed the socket: the kernel says so.
            if looks, waiting.call.isWaiting, !hasSocket(waiting) {
                waiting.call.pass()
                return true
            }
            guard let deadline = waiting.deadline else { return false }
            guard waiting.call.isWaiting else { return true }
            guard now >= deadline else { return false }
            finish(waiting.call, .error(ErrorNumber(EAGAIN)))
            return true
        }
    }

    private func hasSocket(_ waiting: ServedSockets.Waiting) -> Bool {
        guard let found = try? threads.descriptor(waiting.call.integer(0), of: waiting.call.thread) else {
            return false
        }
        return weir_cookie(found.raw) == waiting.cookie
    }

    /// Leaves the calls that wait to the kernel.
    func passAccepts() {
        for waiting in serving.waiting { waiting.call.pass() }
        serving.waiting = []
    }

    /// Accepts a client, if there is one.
    private func acceptNow(_ served: borrowing Served) -> Answer {
        let (cookie, isBlocking) = (served.socket.cookie, served.socket.facts.is_blocking)
        if var earlier = serving.undelivered[cookie], !earlier.isEmpty {
            let accepted = earlier.removeFirst()
            serving.undelivered[cookie] = earlier.isEmpty ? nil : earlier
            return .client(accepted, listening: cookie)
        }
        var waited = pollfd(fd: served.socket.raw, events: Int16(POLLIN), revents: 0)
        guard poll(&waited, 1, 0) > 0 else { return .nothing }
        // The flag is the program's, too: it is as before after this call.
        if isBlocking { _ = weir_set_blocking(served.socket.raw, false) }
        var peer = sockaddr_storage()
        let raw = weir_accept(served.socket.raw, &peer)
        if isBlocking { _ = weir_set_blocking(served.socket.raw, true) }
        guard raw >= 0 else {
            let error = ErrorNumber(-raw)
            if error.rawValue == EAGAIN { return .nothing }
            return error.isShortage ? .pass(.shortage) : .result(.error(error))
        }
        let client = HeldDescriptor(raw)
        guard let endpoint = SocketAddress.endpoint(&peer) else { return .result(.error(ErrorNumber(ECONNABORTED))) }
        let descriptor = relayed(client, endpoint, served) ?? client
        return .client(ServedSockets.Accepted(descriptor: descriptor, client: endpoint), listening: cookie)
    }

    /// Begins the flow of a client.
    ///
    /// - Returns: the program's end of the connection to Weir; nil if none can be made.
    private func relayed(_ client: HeldDescriptor, _ peer: Endpoint, _ served: borrowing Served) -> HeldDescriptor? {
        let (socket, keepalive) = (served.socket.raw, relay.shared.configuration.keepalive)
        let copy = fcntl(client.raw, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return nil }
        let taken = Descriptor(owning: copy)
        // One that has been reset meanwhile is not for the relay.
        guard Socket.peerEndpoint(taken.raw) != nil,
            let listener = served.port.listener(isV6: served.socket.isV6),
            let local = Socket.localEndpoint(client.raw)?.unmapped,
            let near = try? Socket.make(.tcp, for: listener.endpoint.address.unmapped),
            Socket.connect(near.raw, to: listener.endpoint.unmapped) == nil,
            let egress = Socket.localEndpoint(near.raw), let far = try? listener.accept(egress)
        else { return nil }
        Socket.setStreamOptions(near.raw)
        Socket.setKeepalive(keepalive, on: near.raw)
        weir_inherit(socket, listener.raw, far.raw)
        guard relay.shared.reserveFlow() else { return nil }
        let cookie = weir_cookie(far.raw)
        sockets[cookie] = SocketTable.Entry(asked: peer.unmapped, local: local.address, port: local.port)
        let isTaken = relay.adopt(
            client: taken,
            server: near,
            route: served.port.route,
            shown: (client: peer.unmapped, listener: local)
        )
        guard isTaken else {
            forget(cookie)
            return nil
        }
        // What it has inherited was meant for the program.
        Socket.setRelayOptions(client.raw, keepalive)
        return HeldDescriptor(far.release())
    }

    /// Answers a call with a connection, which is kept for the next one if a signal has interrupted this one.
    private func give(
        _ accepted: ServedSockets.Accepted,
        to call: WatchedCall,
        _ flags: Int32,
        from cookie: UInt64
    ) {
        if call.argument(1) != 0 {
            let error = call.write(accepted.client, to: call.argument(1), lengthAt: call.argument(2))
            // The kernel drops a connection whose client it cannot tell.
            if let error, call.isWaiting { return finish(call, .error(error)) }
        }
        _ = weir_set_blocking(accepted.descriptor.raw, flags & Int32(SOCK_NONBLOCK.rawValue) == 0)
        let closesOnExecute = flags & Int32(SOCK_CLOEXEC.rawValue) != 0
        let status = weir_call_give(listener, call.id, accepted.descriptor.raw, closesOnExecute)
        guard status < 0 else { return }
        serving.undelivered[cookie, default: []].insert(accepted, at: 0)
        // The program has no descriptor left.
        if status != -ENOENT { finish(call, .error(ErrorNumber(-status))) }
    }
}

extension Socket {
    /// Sets the options of a client's connection that was accepted from a program's listening socket.
    fileprivate static func setRelayOptions(_ raw: Int32, _ keepalive: Duration?) {
        setStreamOptions(raw)
        setKeepalive(keepalive, on: raw)
        set(Int32(TCP_CORK), of: Int32(IPPROTO_TCP), to: 0, on: raw)
        set(SO_RCVLOWAT, of: SOL_SOCKET, to: 1, on: raw)
        var option = linger(l_onoff: 0, l_linger: 0)
        setsockopt(raw, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}
