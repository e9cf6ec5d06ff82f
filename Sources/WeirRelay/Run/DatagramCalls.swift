import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The calls that send and receive datagrams with addresses.
extension CallServer {
    // MARK: - Connecting

    func connectDatagrams(
        _ call: WatchedCall,
        _ socket: borrowing WatchedSocket,
        to asked: Endpoint,
        _ fate: TrafficFate
    ) {
        if fate.isDenied { return finish(call, deny(asked)) }
        switch pair(call, socket, call.descriptorNumber, asked) {
        case .left(let obstacle): pass(call, obstacle)
        case .error(let error): finish(call, .error(error))
        case .pair(let pair):
            let receiver = socket.written(pair.receiver)
            if let error = Socket.connectNow(socket.raw, to: receiver) { return finish(call, .error(error)) }
            pair.isConnected = true
            sockets[socket.cookie] = SocketTable.Entry(
                asked: Endpoint(address: DestinationFilter.reached(asked.address), port: asked.port),
                local: pair.local
            )
            use(pair, socket, call)
            finish(call, .done)
        }
    }

    /// Counts a datagram, or its socket's connection, that the program may not send, and returns the answer.
    private func deny(_ asked: Endpoint) -> CallResult {
        denied.count(.udp, asked.unmapped)
        return .error(settings.denial)
    }

    /// A receiver for datagrams, or why there is none.
    private enum FoundPair {
        case pair(DatagramPairs.Pair)
        /// The kernel is to send the datagrams itself.
        case left(Obstacle)
        /// The error that the program gets.
        case error(ErrorNumber)

        init(_ error: ErrorNumber) {
            self =
                switch error.rawValue {
                case _ where error.isShortage: .left(.shortage)
                // The broadcast of an interface: whether the program may use it, the kernel knows.
                case EACCES: .left(.toGroup)
                default: .error(error)
                }
        }
    }

    /// Finds the receiver for a socket's datagrams to a destination, or makes it.
    private func pair(
        _ call: WatchedCall,
        _ socket: borrowing WatchedSocket,
        _ number: Int32,
        _ asked: Endpoint
    ) -> FoundPair {
        if let pair = datagrams[socket.cookie, asked.unmapped] {
            (pair.number, pair.thread) = (number, call.thread)
            return .pair(pair)
        }
        guard let destination = destinations.find(.udp, asked) else { return .left(.tooManyDestinations) }
        do throws(SystemError) {
            // Whether there is a way, and from which address, the kernel knows before a datagram is sent.
            let probe = try Socket.make(.udp, for: destination.server.address)
            let source = Socket.boundAddress(socket.raw)
            if let source { Socket.bind(probe.raw, toAddress: source) }
            if let error = Socket.connectNow(probe.raw, to: destination.server) {
                return FoundPair(error)
            }
            let local = Socket.localEndpoint(probe.raw)?.address ?? .loopbackV4
            let address = socket.loopback(toward: destination.asked)
            let receiver = try Socket.make(.udp, for: address)
            Socket.set(SO_RCVBUF, of: SOL_SOCKET, to: relay.shared.configuration.receiveBuffer, on: receiver.raw)
            try Socket.bind(
                receiver.raw,
                to: Endpoint(address: address, port: 0),
                attempt: "bind a port of the loopback"
            )
            let copy = fcntl(receiver.raw, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0, let endpoint = Socket.localEndpoint(receiver.raw) else {
                return FoundPair(ErrorNumber(ENOBUFS))
            }
            let pair = DatagramPairs.Pair(
                socket.cookie,
                destination,
                endpoint,
                HeldDescriptor(copy),
                local: local,
                number: number,
                thread: call.thread
            )
            let shown = ShownEnds(client: local, listener: destination.asked, source: source)
            relay.listen(datagramsOn: receiver, at: endpoint, route: destination.route, shown)
            datagrams.add(pair)
            return .pair(pair)
        } catch {
            return FoundPair(error.error)
        }
    }

    /// Notes the program's end of a pair, and its process, before a datagram.
    private func use(_ pair: DatagramPairs.Pair, _ socket: borrowing WatchedSocket, _ call: WatchedCall) {
        guard let own = Socket.localEndpoint(socket.raw) else { return }
        let address = own.address.unmapped
        let client = Endpoint(address: address.isUnspecified ? pair.receiver.address : address, port: own.port)
        guard pair.client != client else { return }
        datagrams.set(client, of: pair)
        guard let process = threads.process(of: call.thread) else { return }
        processes.note(.udp, Endpoint(address: pair.local, port: own.port), process)
    }

    // MARK: - Sending

    func sendTo(_ call: WatchedCall) {
        send(call, MessageSlot(call, isReceive: false), flags: call.integer(3))
    }

    func sendMessage(_ call: WatchedCall) {
        guard let slot = MessageSlot(call, headerAt: call.argument(1)), slot.name != 0 else { return call.pass() }
        send(call, slot, flags: call.integer(2))
    }

    private func send(_ call: WatchedCall, _ slot: MessageSlot, flags: Int32) {
        guard let socket = socket(call.integer(0), of: call) else { return }
        if socket.transport == .tcp { return sendFirst(call, socket, slot, flags) }
        switch sendOne(call, socket, slot, flags: flags) {
        case .left(let obstacle): pass(call, obstacle)
        case .result(let result): finish(call, result)
        }
    }

    /// Connects a stream with its first bytes (`MSG_FASTOPEN`).
    private func sendFirst(_ call: WatchedCall, _ socket: borrowing WatchedSocket, _ slot: MessageSlot, _ flags: Int32)
    {
        guard flags & FirstBytes.flag != 0,
            case .endpoint(let asked) = call.address(at: slot.name, length: slot.nameLength), asked.port != 0
        else { return call.pass() }
        let fate = fate(of: socket, toward: asked)
        if let obstacle = fate.obstacle { return pass(call, obstacle) }
        connectStream(call, socket, to: asked, fate, sending: FirstBytes(slot: slot, flags: flags))
    }

    /// What became of one message: the kernel is to send it, or it was sent.
    private enum Sent {
        case left(Obstacle?)
        case result(CallResult)
    }

    private func sendOne(
        _ call: WatchedCall,
        _ socket: borrowing WatchedSocket,
        _ slot: MessageSlot,
        flags: Int32
    ) -> Sent {
        guard socket.transport == .udp else { return .left(nil) }
        // Port 0, and an address of another family than the socket's, are for the kernel to judge.
        guard case .endpoint(let asked) = call.address(at: slot.name, length: slot.nameLength), asked.port != 0,
            asked.address.isV4 != socket.isV6
        else { return .left(nil) }
        let fate = fate(of: socket, toward: asked)
        if let obstacle = fate.obstacle { return .left(obstacle) }
        if datagrams.hasHeard(socket.cookie, from: asked.unmapped) { return .left(nil) }
        if datagrams[socket.cookie, asked.unmapped] == nil, isItself(socket, asked) { return .left(nil) }
        if fate.isDenied { return .result(deny(asked)) }
        switch pair(call, socket, call.integer(0), asked) {
        case .left(let obstacle): return .left(obstacle)
        case .error(let error): return .result(.error(error))
        case .pair(let pair):
            // The kernel gives the socket a port with its first datagram: it is bound here, so that the process is known first.
            if pair.client == nil { bindToAny(socket) }
            use(pair, socket, call)
            let receiver = socket.written(pair.receiver)
            return .result(slot.send(call, on: socket.raw, to: receiver, flags: flags, through: room))
        }
    }

    /// Lets the kernel choose a port, as it would with the first datagram.
    private func bindToAny(_ socket: borrowing WatchedSocket) {
        guard Socket.localEndpoint(socket.raw) == nil else { return }
        let any = Endpoint(address: socket.isV6 ? .anyV6 : .anyV4, port: 0)
        try? Socket.bind(socket.raw, to: any, attempt: "")
    }

    func sendMessages(_ call: WatchedCall) {
        let (first, count) = (call.argument(1), min(Int(call.integer(2)), 1024))
        guard count > 0, let slot = MessageSlot(call, headerAt: first), slot.name != 0 else { return call.pass() }
        guard let socket = socket(call.integer(0), of: call) else { return }
        var sent: Int64 = 0
        for index in 0..<UInt64(count) {
            let header = first + index * MessageSlot.stride
            guard let slot = MessageSlot(call, headerAt: header), slot.name != 0 else { break }
            switch sendOne(call, socket, slot, flags: call.integer(3)) {
            case .left(let obstacle):
                // The first decides for the call; a later one ends it, and the program goes on from there.
                if sent == 0 { return pass(call, obstacle) }
                return finish(call, .value(sent))
            case .result(.value(let length)):
                call.write(UInt32(truncatingIfNeeded: length), to: header + UInt64(MessageSlot.headerSize))
                sent += 1
            case .result(.error(let error)):
                return finish(call, sent > 0 ? .value(sent) : .error(error))
            }
        }
        finish(call, .value(sent))
    }

    // MARK: - Receiving

    func receiveFrom(_ call: WatchedCall) {
        receive(call, [MessageSlot(call, isReceive: true)], flags: call.integer(3), lengthsAt: nil)
    }

    func receiveMessage(_ call: WatchedCall) {
        guard let slot = MessageSlot(call, headerAt: call.argument(1)), slot.name != 0 else { return call.pass() }
        receive(call, [slot], flags: call.integer(2), lengthsAt: nil)
    }

    func receiveMessages(_ call: WatchedCall) {
        let (first, count) = (call.argument(1), min(Int(call.integer(2)), 1024))
        guard count > 0, let slot = MessageSlot(call, headerAt: first), slot.name != 0 else { return call.pass() }
        var slots = [slot]
        for index in 1..<UInt64(max(count, 1)) {
            guard let slot = MessageSlot(call, headerAt: first + index * MessageSlot.stride) else { break }
            slots.append(slot)
        }
        receive(call, slots, flags: call.integer(3), lengthsAt: first)
    }

    private func receive(_ call: WatchedCall, _ slots: [MessageSlot], flags: Int32, lengthsAt first: UInt64?) {
        guard let socket = socket(call.integer(0), of: call) else { return }
        guard socket.transport == .udp, !socket.facts.is_elsewhere else { return call.pass() }
        let receive = WaitingReceive(call, socket, slots, flags: flags, lengthsAt: first)
        guard receive.tryNow(self) else { return }
        receive.wait(socket, self)
    }
}

extension Supervisor {
    /// Reads datagrams from one more socket, as a listener of a route; it belongs to the relay then.
    nonisolated func listen(
        datagramsOn socket: consuming Descriptor,
        at endpoint: Endpoint,
        route: Int,
        _ shown: ShownEnds
    ) {
        let listening = Listening(
            descriptor: socket.release(),
            endpoint: endpoint,
            route: route,
            isWildcard: false,
            shown: shown
        )
        let loop = shared.loops[Int(endpoint.port) % shared.loops.count]
        let isPosted = loop.mailbox.post(
            .perform { host in
                do throws(SystemError) {
                    try host.carrier(of: .udp)?.add(listening)
                } catch {
                    close(listening.descriptor)
                    host.loop.shared.refusals.tell("\(error); datagrams to \(shown.listener) are lost", of: "\(error)")
                }
            }
        )
        if !isPosted { close(listening.descriptor) }
    }

    /// Reads no more datagrams from a socket, and ends its sessions.
    nonisolated func unlisten(datagramsAt endpoint: Endpoint) {
        let loop = shared.loops[Int(endpoint.port) % shared.loops.count]
        loop.mailbox.post(.perform { ($0.carrier(of: .udp) as? UDPCarrier)?.unlisten(at: endpoint) })
    }
}
