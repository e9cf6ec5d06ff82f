import CWeir
import Glibc
import WeirEngine
import WeirWire

/// A receive of datagrams, whose sources are told as the program knows them; it waits if there is none, and the program would.
final class WaitingReceive: WaitingJob {
    private let call: WatchedCall
    private let cookie: UInt64
    private let isV6: Bool
    private let slots: [MessageSlot]
    private let flags: Int32
    /// The address of the first of several messages, whose lengths are written (`recvmmsg`); nil for a single one.
    private let first: UInt64?
    private let waits: Bool
    private var deadline: Instant?
    private var received = 0
    private var socket: HeldDescriptor?
    private var raw: Int32

    init(
        _ call: WatchedCall,
        _ socket: borrowing WatchedSocket,
        _ slots: [MessageSlot],
        flags: Int32,
        lengthsAt first: UInt64?
    ) {
        (self.call, self.slots, self.flags, self.first) = (call, slots, flags, first)
        (cookie, isV6, raw) = (socket.cookie, socket.isV6, socket.raw)
        waits =
            socket.facts.is_blocking && flags & Int32(MSG_DONTWAIT) == 0
            && flags & Int32(MSG_ERRQUEUE) == 0
    }

    /// Receives what is there; returns false if the call is answered.
    func tryNow(_ server: CallServer) -> Bool {
        while received < slots.count {
            guard call.isWaiting else { return false }
            switch slots[received].receive(on: raw, flags: flags, through: server.room) {
            case .failure(let error) where error.error.rawValue == EAGAIN:
                if waits, received == 0 || !endsAfterOne { return true }
                answer(server, .error(error.error))
                return false
            case .failure(let error):
                answer(server, .error(error.error))
                return false
            case .success(let message):
                if let error = take(message, server) {
                    answer(server, .error(error))
                    return false
                }
                guard first != nil else {
                    server.finish(call, .value(message.value))
                    return false
                }
                received += 1
            }
        }
        answer(server, .done)
        return false
    }

    private var endsAfterOne: Bool { flags & 0x10000 != 0 }

    private func take(_ message: MessageSlot.Received, _ server: CallServer) -> ErrorNumber? {
        let slot = slots[received]
        let peer = message.peer.map { told($0, server) }
        if let error = slot.write(message, from: peer, to: call) { return error }
        if let first {
            let place = first + UInt64(received) * MessageSlot.stride + UInt64(MessageSlot.headerSize)
            call.write(UInt32(truncatingIfNeeded: message.value), to: place)
        }
        return nil
    }

    /// Returns the source that the program is told: the destination that it asked for, or the truth.
    private func told(_ peer: Endpoint, _ server: CallServer) -> Endpoint {
        let source = peer.unmapped
        guard let asked = server.datagrams.asked(of: source) else {
            server.datagrams.hear(cookie, from: source)
            return peer
        }
        return isV6 ? asked.mapped : asked
    }

    private func answer(_ server: CallServer, _ result: CallResult) {
        server.finish(call, received > 0 ? .value(Int64(received)) : result)
    }

    /// Waits for a datagram, as long as the program would.
    func wait(_ socket: borrowing WatchedSocket, _ server: CallServer) {
        let copy = fcntl(socket.raw, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return server.pass(call, .shortage) }
        self.socket = HeldDescriptor(copy)
        raw = copy
        deadline = patience(of: copy).map { SystemClock.instant().advanced(by: $0) }
        if !server.start(self, on: copy, UInt32(WEIR_IN)) { server.pass(call, .shortage) }
    }

    private func patience(of raw: Int32) -> Duration? {
        var shortest = Socket.patience(SO_RCVTIMEO, of: raw)
        // recvmmsg's own time.
        if first != nil, call.argument(4) != 0, let own = call.read(call.argument(4), as: timespec()) {
            let time = Duration.seconds(own.tv_sec) + .nanoseconds(own.tv_nsec)
            shortest = min(shortest ?? time, time)
        }
        return shortest
    }

    func ready(_ events: UInt32, _ server: CallServer) -> Bool {
        guard !tryNow(server) else { return true }
        end(server)
        return false
    }

    func check(_ server: CallServer, at now: Instant) -> Bool {
        if call.isWaiting {
            guard let deadline, now >= deadline else { return true }
            answer(server, .error(ErrorNumber(EAGAIN)))
        }
        end(server)
        return false
    }

    private func end(_ server: CallServer) {
        server.unwatch(raw)
        socket = nil
    }
}
