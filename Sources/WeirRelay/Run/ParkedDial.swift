import CWeir
import Glibc
import WeirEngine
import WeirWire

/// A dial that takes long, while the program's socket is parked: it waits in the state SYN_SENT, as without Weir.
///
/// The socket is connected to a listener of Weir's whose backlog is full, so that its SYN stays unanswered. When the server
/// answers the dial, a socket on the same port connects back to the program's, and both are established at once: TCP's
/// simultaneous open (RFC 9293 section 3.5).
final class ParkedDial: WaitingJob {
    /// The interval of looks whether the program has closed its socket.
    private static let interval = Duration.milliseconds(100)

    private let call: WatchedCall
    private let number: Int32
    /// Whether the program waits in its call for the outcome.
    private var isHeld: Bool
    private let cookie: UInt64
    /// The number that /proc has for the program's socket.
    private let inode: UInt64
    private let destination: Destination
    /// What a blocking call sends once it is connected.
    private let first: FirstBytes?
    /// The end of a blocking call's patience (`SO_SNDTIMEO`).
    private let deadline: Instant?
    /// The process that connects; it may have ended when the dial does.
    private let process: ClientProcess?
    private let started: Instant
    /// The time of the last look whether the socket exists.
    private var looked: Instant
    private let dial: SentDescriptor
    private let rawDial: Int32
    /// The relay's own endpoint of the dial.
    private let egress: Endpoint?
    /// The listener with a full backlog, and what fills it.
    private var place: Place?
    private let parked: Endpoint
    /// The end of the program's socket.
    private let client: Endpoint

    private struct Place {
        var listener: HeldDescriptor
        var filler: HeldDescriptor
    }

    private init(
        _ call: WatchedCall,
        _ socket: borrowing WatchedSocket,
        _ dial: consuming Descriptor,
        _ destination: Destination,
        _ place: Place,
        parked: Endpoint,
        client: Endpoint,
        process: ClientProcess?,
        sending first: FirstBytes?
    ) {
        (self.first, self.process) = (first, process)
        started = SystemClock.instant()
        looked = started
        (self.call, self.destination, self.place, self.parked, self.client) = (call, destination, place, parked, client)
        number = call.descriptorNumber
        cookie = socket.cookie
        inode = Socket.inode(socket.raw)
        isHeld = socket.facts.is_blocking
        deadline =
            isHeld ? Socket.patience(SO_SNDTIMEO, of: socket.raw).map { SystemClock.instant().advanced(by: $0) } : nil
        rawDial = dial.raw
        egress = Socket.localEndpoint(dial.raw)
        self.dial = SentDescriptor(dial)
    }

    /// Parks the program's socket while a dial goes on.
    static func park(
        _ call: WatchedCall,
        _ socket: borrowing WatchedSocket,
        _ dial: consuming Descriptor,
        _ destination: Destination,
        sending first: FirstBytes?,
        _ server: CallServer
    ) {
        let address = socket.loopback(toward: destination.asked)
        guard let (place, parked) = makePlace(address) else { return server.pass(call, .shortage) }
        Socket.set(Int32(TCP_FASTOPEN_CONNECT), of: Int32(IPPROTO_TCP), to: 0, on: socket.raw)
        // The flag is the program's, too: it is as before after this call.
        let isBlocking = socket.facts.is_blocking
        if isBlocking { _ = weir_set_blocking(socket.raw, false) }
        let error = Socket.connectNow(socket.raw, to: socket.written(parked))
        if isBlocking { _ = weir_set_blocking(socket.raw, true) }
        guard error?.rawValue == EINPROGRESS, let client = Socket.localEndpoint(socket.raw) else {
            return server.finish(call, .error(error ?? ErrorNumber(ECONNABORTED)))
        }
        let job = ParkedDial(
            call,
            socket,
            dial,
            destination,
            place,
            parked: parked,
            client: client,
            process: server.threads.process(of: call.thread),
            sending: first
        )
        server.sockets[socket.cookie] = SocketTable.Entry(asked: destination.asked, local: job.egress?.address)
        guard server.start(job, on: job.rawDial, UInt32(WEIR_OUT)) else {
            job.fail(ErrorNumber(ENOMEM), server)
            return
        }
        if !job.isHeld { server.finish(call, .error(ErrorNumber(EINPROGRESS))) }
    }

    /// Makes a listener that answers no more SYNs.
    private static func makePlace(_ address: IPAddress) -> (Place, Endpoint)? {
        guard let listener = try? Socket.make(.tcp, for: address) else { return nil }
        Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: listener.raw)
        let bound: Void? = try? Socket.bind(listener.raw, to: Endpoint(address: address, port: 0), attempt: "")
        guard bound != nil, listen(listener.raw, 0) == 0, let endpoint = Socket.localEndpoint(listener.raw),
            let filler = try? Socket.make(.tcp, for: address), Socket.connect(filler.raw, to: endpoint) == nil
        else { return nil }
        let place = Place(listener: HeldDescriptor(listener.release()), filler: HeldDescriptor(filler.release()))
        return (place, endpoint)
    }

    func ready(_ events: UInt32, _ server: CallServer) -> Bool {
        server.unwatch(rawDial)
        if let error = Socket.pendingError(rawDial) {
            fail(error, server)
            return false
        }
        // Both ends of the full backlog go, so that the port is free for the way back.
        place = nil
        guard let egress, let way = wayBack() else {
            if find(server) == nil {
                // Nobody has the socket any more; a thread that waits still learns that the server was reached.
                giveUp(server)
                if isHeld { server.finish(call, .done) }
            } else {
                fail(ErrorNumber(ECONNABORTED), server)
            }
            return false
        }
        guard server.relay.shared.reserveFlow() else {
            answer(.connectionRefused, server)
            return false
        }
        let joined = JoinedClient(socket: way, own: client)
        server.begin(joined, dial.take(), from: egress, destination, cookie: cookie, thread: call.thread) {
            answer(nil, server)
        }
        return false
    }

    /// Connects a socket on the listener's port to the program's, which waits for that.
    private func wayBack() -> Descriptor? {
        guard let way = try? Socket.make(.tcp, for: parked.address) else { return nil }
        Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: way.raw)
        Socket.setStreamOptions(way.raw)
        let bound: Void? = try? Socket.bind(way.raw, to: parked, attempt: "")
        guard bound != nil, Socket.connect(way.raw, to: client.unmapped) == nil else { return nil }
        var waited = pollfd(fd: way.raw, events: Int16(POLLOUT), revents: 0)
        guard poll(&waited, 1, 100) > 0, Socket.pendingError(way.raw) == nil else { return nil }
        return way
    }

    /// Tells the program that the server cannot be reached.
    private func fail(_ error: ErrorNumber, _ server: CallServer) {
        defer { place = nil }
        server.record(error, destination, egress: egress, process)
        guard var entry = server.sockets[cookie] else { return answer(error, server) }
        guard let socket = find(server) else {
            // The program has closed it.
            server.forget(cookie)
            return answer(error, server)
        }
        _ = weir_disconnect(socket.raw)
        _ = Socket.pendingError(socket.raw)
        if isHeld {
            server.forget(cookie)
            return answer(error, server)
        }
        // Who polls the socket must be woken, and then is told the true error.
        var facts = weir_socket_facts()
        guard weir_socket_facts_read(socket.raw, &facts) >= 0 else { return }
        _ = server.own.refuse(WatchedSocket(descriptor: socket, facts: facts), toward: destination.asked)
        entry.error = error
        entry.hasFailed = true
        server.sockets[cookie] = entry
    }

    /// Answers the call, if the program still waits in it.
    private func answer(_ error: ErrorNumber?, _ server: CallServer) {
        guard isHeld else { return }
        isHeld = false
        if let error { return server.finish(call, .error(error)) }
        guard let first else { return server.finish(call, .done) }
        let found = try? server.threads.descriptor(number, of: call.thread)
        guard let socket = found, weir_cookie(socket.raw) == cookie else {
            return server.finish(call, .error(ErrorNumber(EBADF)))
        }
        server.finish(call, first.send(call, on: socket.raw, through: server.room))
    }

    /// Finds the program's socket: under the number of the call, or if the program has duplicated it, among all descriptors of its
    /// process.
    private func find(_ server: CallServer) -> Descriptor? {
        if let socket = try? server.threads.descriptor(number, of: call.thread), weir_cookie(socket.raw) == cookie {
            return socket
        }
        guard let process else { return nil }
        return server.threads.descriptor(of: cookie, inode: inode, in: process.identifier)
    }

    /// Returns whether the program has the socket still; another process than the one that connected may have it, as the kernel's list says.
    private func exists(_ server: CallServer, at now: Instant) -> Bool {
        if find(server) != nil { return true }
        guard let living = server.livingSockets(since: started, at: now) else { return true }
        return living.contains(cookie)
    }

    func check(_ server: CallServer, at now: Instant) -> Bool {
        // A thread that waits in its call keeps the socket, as in the kernel, even if another one closes its descriptor.
        if isHeld, call.isWaiting {
            guard let deadline, now >= deadline else { return true }
            isHeld = false
            server.finish(call, .error(ErrorNumber(EINPROGRESS)))
            return true
        }
        // A signal has interrupted it: the socket goes on connecting.
        isHeld = false
        guard server.letsPass || looked.duration(to: now) >= Self.interval else { return true }
        looked = now
        if exists(server, at: now) { return true }
        // The program has given up: it closed the socket, or has ended.
        server.unwatch(rawDial)
        giveUp(server)
        return false
    }

    private func giveUp(_ server: CallServer) {
        server.record(.canceled, destination, egress: egress, process)
        server.forget(cookie)
    }
}

extension WatchedCall {
    /// The number of the descriptor of `connect`.
    var descriptorNumber: Int32 {
        guard Int(raw.kind) == WEIR_CALL_SOCKETCALL else { return integer(0) }
        return read(argument(1), as: Int32(0)) ?? -1
    }
}
