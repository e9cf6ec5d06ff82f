import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The calls of `connect`: the server is dialed first, and then the program's socket is connected to Weir.
///
/// So the program gets the true errors, and what it would see of a connection that is being made.
extension CallServer {
    /// How long a dial on the loopback is waited for before the program's socket is parked.
    private static let patience: Int32 = 5

    /// Answers `connect`.
    ///
    /// - Parameters:
    ///   - call: the call.
    ///   - number: the descriptor.
    ///   - address: where the destination stands in the program's memory.
    ///   - length: the destination's length.
    ///   - repeated: the answer to the same call before, which a signal kept from the program.
    func connect(_ call: WatchedCall, _ number: Int32, _ address: UInt64, _ length: UInt32, _ repeated: CallResult?) {
        let asked: Endpoint
        switch call.address(at: address, length: length) {
        case .endpoint(let endpoint): asked = endpoint
        case .none:
            // The socket is disconnected: what is known of it is over.
            if let socket = socket(number, of: call) {
                forget(socket.cookie)
                call.pass()
            }
            return
        case .other: return call.pass()
        case .unreadable: return pass(call, .unreadable)
        }
        // The kernel refuses port 0 with an error of its own.
        guard asked.port != 0 else { return call.pass() }
        guard let socket = socket(number, of: call) else { return }
        // Unless it is another socket with the same number.
        if let repeated, let entry = sockets[socket.cookie], entry.asked.port == asked.port {
            return finish(call, repeated)
        }
        // An address of another family than the socket's is for the kernel to judge.
        let fate = fate(of: socket, toward: asked)
        if fate.isLeft || isItself(socket, asked) || asked.address.isV4 == socket.isV6 {
            // A socket for datagrams may have had another destination.
            if socket.transport == .udp { forget(socket.cookie) }
            return pass(call, fate.obstacle)
        }
        switch socket.transport {
        case .tcp: connectStream(call, socket, to: asked, fate, sending: nil)
        case .udp: connectDatagrams(call, socket, to: asked, fate)
        case nil: pass(call, .otherProtocol)
        }
    }

    /// Forgets what is known of a socket.
    func forget(_ cookie: UInt64) {
        if sockets[cookie] != nil { sockets[cookie] = nil }
    }

    /// Decides what becomes of a socket's traffic to a destination.
    func fate(of socket: borrowing WatchedSocket, toward asked: Endpoint) -> TrafficFate {
        if let obstacle = socket.obstacle { return .left(obstacle) }
        if letsPass { return .left(.afterEnd) }
        guard let transport = socket.transport else { return .left(.otherProtocol) }
        let address = asked.address.unmapped
        if address.isGroup { return .left(.toGroup) }
        if own.contains(asked) || relay.shared.own.contains(transport, asked) { return .left(.toWeir) }
        switch destinations.choice(transport, asked) {
        case .denied: return .denied
        case .excluded: return .left(.excluded)
        // The server's side relays these.
        case .relayed where transport == .tcp && serving.contains(asked): return .left(.toServed)
        case .relayed, .mapped: return .relayed
        }
    }

    /// Returns whether a destination is the socket's own end: it is connected to itself, which only the kernel can do.
    func isItself(_ socket: borrowing WatchedSocket, _ asked: Endpoint) -> Bool {
        guard let own = Socket.localEndpoint(socket.raw), own.port == asked.port else { return false }
        let (address, bound) = (DestinationFilter.reached(asked.address), own.address.unmapped)
        return address == bound || asked.address.isUnspecified || bound.isUnspecified && address.isLoopback
    }

    // MARK: - TCP

    /// Connects a stream, and then sends its first bytes, if there are any.
    ///
    /// A signal may interrupt the call meanwhile: the socket goes on connecting, as the kernel does it.
    func connectStream(
        _ call: WatchedCall,
        _ socket: borrowing WatchedSocket,
        to asked: Endpoint,
        _ fate: TrafficFate,
        sending first: FirstBytes?
    ) {
        // What is connecting, connected or listening gets the kernel's own answer.
        guard socket.facts.state == 7 else { return call.pass() }
        if let answer = renew(socket) {
            guard case .error = answer else { return call.pass() }
            return finish(call, answer)
        }
        guard let destination = destinations.find(.tcp, asked) else { return pass(call, .tooManyDestinations) }
        if fate.isDenied {
            denied.count(.tcp, destination.asked)
            return refuse(call, socket, destination, settings.denial, isDenied: true)
        }
        let dial: Descriptor
        do throws(SystemError) {
            dial = try Socket.make(.tcp, for: destination.server.address)
        } catch {
            return pass(call, .shortage)
        }
        prepare(dial.raw, socket)
        if let error = Socket.connectNow(dial.raw, to: destination.server), error.rawValue != EINPROGRESS {
            return refuse(call, socket, destination, error)
        }
        let egress = Socket.localEndpoint(dial.raw)
        var waited = pollfd(fd: dial.raw, events: Int16(POLLOUT), revents: 0)
        let isNear = destination.server.address.isLoopback || destination.server.address.isUnspecified
        if poll(&waited, 1, isNear ? Self.patience : 0) > 0 {
            // A dial that was refused is reported as such, too.
            if Int32(waited.revents) & (POLLERR | POLLHUP) != 0, let error = Socket.pendingError(dial.raw) {
                return refuse(call, socket, destination, error, egress: egress)
            }
            guard let egress else { return finish(call, .error(.connectionRefused)) }
            return join(call, socket, dial, from: egress, destination, sending: first)
        }
        ParkedDial.park(call, socket, dial, destination, sending: first, self)
    }

    /// Makes a socket new whose last dial failed while the program did not wait, as the kernel does with the next `connect`.
    ///
    /// - Returns: the answer of that call; `.done` if the kernel itself gives it (it sends nothing), nil if the socket is new already.
    private func renew(_ socket: borrowing WatchedSocket) -> CallResult? {
        guard let entry = sockets[socket.cookie], entry.hasFailed else { return nil }
        forget(socket.cookie)
        // The kernel has the same error, or none if the program has asked for it.
        guard let error = entry.error, error != .connectionRefused else { return .done }
        _ = weir_disconnect(socket.raw)
        _ = Socket.pendingError(socket.raw)
        return .error(error)
    }

    /// Binds the dial to the program's own address; the port is the kernel's choice, as the program's own is taken.
    private func prepare(_ dial: Int32, _ socket: borrowing WatchedSocket) {
        if let bound = Socket.boundAddress(socket.raw) { Socket.bind(dial, toAddress: bound) }
    }

    /// Connects the program's socket to Weir, now that the server is reached, and gives both ends to the relay.
    private func join(
        _ call: WatchedCall,
        _ socket: borrowing WatchedSocket,
        _ dial: consuming Descriptor,
        from egress: Endpoint,
        _ destination: Destination,
        sending first: FirstBytes?
    ) {
        guard relay.shared.reserveFlow() else { return finish(call, .error(.connectionRefused)) }
        let client: JoinedClient
        do throws(WatchedCallError) {
            client = try own.join(socket, toward: destination.asked)
        } catch {
            relay.shared.releaseFlow()
            return finish(call, .error(error.error))
        }
        begin(client, dial, from: egress, destination, cookie: socket.cookie, thread: call.thread) {
            // The program goes on before the relay begins: it is what waits.
            if let first { return finish(call, first.send(call, on: socket.raw, through: room)) }
            finish(call, socket.facts.is_blocking ? .done : .error(ErrorNumber(EINPROGRESS)))
        }
    }

    /// Gives both ends of a connection to the relay, which has reserved its flow.
    ///
    /// - Parameters:
    ///   - client: the program's connection; it does not block.
    ///   - dial: the connection to the server; it does not block.
    ///   - egress: the relay's own endpoint of the dial.
    ///   - destination: where the program wants to go.
    ///   - cookie: that of the program's socket.
    ///   - thread: the thread that connected.
    ///   - answer: answers the program's call, once everything is known of it that its process may take away.
    func begin(
        _ client: consuming JoinedClient,
        _ dial: consuming Descriptor,
        from egress: Endpoint,
        _ destination: Destination,
        cookie: UInt64,
        thread: Int32,
        _ answer: () -> Void
    ) {
        let asked = destination.shown { Socket.peerEndpoint(dial.raw) }
        // The client as the program sees itself. If the kernel gave both sides the same port, they would be one connection in
        // a capture: then its true ends are shown.
        var shown = (client: Endpoint(address: egress.address, port: client.own.port), listener: asked)
        if shown.client == egress, let local = Socket.localEndpoint(client.socket.raw) { shown = (client.own, local) }
        sockets[cookie] = SocketTable.Entry(asked: asked, local: egress.address)
        if let process = threads.process(of: thread) { processes.note(.tcp, shown.client, process) }
        answer()
        Socket.setStreamOptions(dial.raw)
        Socket.setKeepalive(relay.shared.configuration.keepalive, on: dial.raw)
        _ = relay.adopt(client: client.socket, server: dial, route: destination.route, shown: shown)
    }

    /// Answers a call whose server cannot be reached, and records it.
    private func refuse(
        _ call: WatchedCall,
        _ socket: borrowing WatchedSocket,
        _ destination: Destination,
        _ error: ErrorNumber,
        egress: Endpoint? = nil,
        isDenied: Bool = false
    ) {
        record(error, destination, egress: egress, isDenied: isDenied, threads.process(of: call.thread))
        // A program that does not wait polls its socket, which must say so then.
        if error == .connectionRefused, !socket.facts.is_blocking {
            let answer = own.refuse(socket, toward: destination.asked)
            if answer?.rawValue == EINPROGRESS {
                let asked = destination.asked
                sockets[socket.cookie] = SocketTable.Entry(asked: asked, local: egress?.address, hasFailed: true)
            }
            return finish(call, answer.map { .error($0) } ?? .done)
        }
        finish(call, .error(error))
    }
}

/// What becomes of a socket's traffic to a destination.
enum TrafficFate {
    /// It is left to the kernel.
    case left(Obstacle)
    case denied
    case relayed

    var obstacle: Obstacle? { if case .left(let obstacle) = self { obstacle } else { nil } }
    var isLeft: Bool { obstacle != nil }
    var isDenied: Bool { if case .denied = self { true } else { false } }
}

extension CallServer {
    /// Records a dial that failed.
    func record(
        _ error: ErrorNumber,
        _ destination: Destination,
        egress: Endpoint?,
        isDenied: Bool = false,
        _ process: ClientProcess?
    ) {
        relay.record(
            FailedDial(
                asked: destination.asked,
                server: destination.server,
                egress: egress,
                error,
                isDenied: isDenied,
                route: destination.route,
                process
            )
        )
    }
}

extension IPAddress {
    /// Whether it is no single host's: multicast or broadcast.
    var isGroup: Bool { isV4 ? v4 >> 28 == 0xE || v4 == .max : high >> 56 == 0xFF }
}

extension Socket {
    /// Returns the number of a socket in the kernel's table of sockets, which /proc shows; 0 if it is not known.
    static func inode(_ raw: Int32) -> UInt64 {
        var status = stat()
        return fstat(raw, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// Returns how long calls on a socket wait, by `SO_RCVTIMEO` or `SO_SNDTIMEO`; nil without a limit.
    static func patience(_ option: Int32, of raw: Int32) -> Duration? {
        var time = timeval()
        var length = socklen_t(MemoryLayout<timeval>.size)
        guard getsockopt(raw, SOL_SOCKET, option, &time, &length) == 0, time.tv_sec > 0 || time.tv_usec > 0 else {
            return nil
        }
        return .seconds(time.tv_sec) + .microseconds(time.tv_usec)
    }

    /// Returns the address to which a socket is bound; nil if it is the kernel's to choose, or was when the socket was connected.
    ///
    /// It may be bound without a port (IP_BIND_ADDRESS_NO_PORT).
    static func boundAddress(_ raw: Int32) -> IPAddress? {
        guard let address = localAddress(raw)?.unmapped, !address.isUnspecified, peerEndpoint(raw) == nil else {
            return nil
        }
        return address
    }
}

/// The bytes that a program gives together with a destination (`MSG_FASTOPEN`): they follow once it is connected.
struct FirstBytes {
    var slot: MessageSlot
    var flags: Int32

    /// The flag of `sendto` and `sendmsg` (tcp(7)); Swift does not see it.
    static let flag: Int32 = 0x2000_0000

    func send(_ call: WatchedCall, on raw: Int32, through room: MessageRoom) -> CallResult {
        slot.send(call, on: raw, to: nil, flags: flags & ~Self.flag, through: room)
    }
}
