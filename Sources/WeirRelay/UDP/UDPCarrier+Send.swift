import CWeir
import Glibc
import WeirEngine
import WeirWire

/// Sending datagrams in batches, where each error costs one datagram at most.
extension UDPCarrier {
    /// The maximum number of retries for a datagram whose send returned an error of an earlier one.
    private static let mostTries = 4

    /// Sends the datagrams that wait for their servers.
    func flushUpstream() {
        guard !state.pendingUpstream.isEmpty else { return }
        let turn = state.pendingUpstream
        state.pendingUpstream.removeAll(keepingCapacity: true)
        for session in turn { flush(session) }
    }

    /// Sends one session's datagrams to its server.
    func flush(_ session: UDPSession) {
        guard !session.socket.pending.isEmpty else { return }
        let pending = session.socket.pending
        session.socket.pending.removeAll(keepingCapacity: true)
        guard !session.isClosed else { return }
        var peer = sockaddr_storage()
        let length = session.socket.peer.map { SocketAddress.write($0, to: &peer) } ?? 0
        for (index, place) in pending.enumerated() {
            let bytes = received(place)
            weir_outbox_put(upstreamOutbox, UInt32(index), bytes.baseAddress, bytes.count, &peer, length, nil)
        }
        sendBatch(upstreamOutbox, session.socket.raw, count: pending.count) { index, failure in
            let bytes = received(pending[index])
            switch failure {
            case .refused(let error): host.dispatch(session, .refused(error))
            case .lost(let error): host.dispatch(session, .sendFailed(.upstream, error), Arrival(bytes: bytes))
            case .blocked:
                session.socket.isBlocked = true
                host.dispatch(session, .sendBlocked(.upstream), Arrival(bytes: bytes))
            }
        }
    }

    func received(_ place: Int) -> UnsafeRawBufferPointer {
        guard let datagram = weir_inbox_datagram(clientInbox, UInt32(place)) else { return .init(start: nil, count: 0) }
        return .init(start: weir_inbox_bytes(clientInbox, UInt32(place)), count: Int(datagram.pointee.length))
    }

    /// Adds an answer to the batch for the clients.
    func putDownstream(_ session: UDPSession, _ bytes: UnsafeRawBufferPointer) {
        put(session, bytes, in: downstreamOutbox, at: state.pendingDownstream.count)
        state.pendingDownstream.append((session, bytes))
    }

    private func put(_ session: UDPSession, _ bytes: UnsafeRawBufferPointer, in outbox: OpaquePointer?, at index: Int) {
        // Not the flow's own path: the flow may be lending these bytes.
        if let watched = loop.shared.configuration.watched, let asked = session.listener.listening.shown?.listener {
            watched.read(bytes, from: asked, to: loop.shared.configuration.names)
        }
        var peer = sockaddr_storage()
        let length = SocketAddress.write(session.client, to: &peer)
        if let local = session.local {
            var address = SocketAddress.local(local)
            weir_outbox_put(outbox, UInt32(index), bytes.baseAddress, bytes.count, &peer, length, &address)
        } else {
            weir_outbox_put(outbox, UInt32(index), bytes.baseAddress, bytes.count, &peer, length, nil)
        }
    }

    /// Sends the answers that wait for their clients.
    func flushDownstream() {
        guard let listener = state.pendingDownstream.first?.session.listener else { return }
        let pending = state.pendingDownstream
        state.pendingDownstream.removeAll(keepingCapacity: true)
        sendBatch(downstreamOutbox, listener.raw, count: pending.count) { index, failure in
            let (session, bytes) = pending[index]
            guard !session.isClosed else { return }
            switch failure {
            case .refused: break
            case .lost(let error): host.dispatch(session, .sendFailed(.downstream, error), Arrival(bytes: bytes))
            case .blocked:
                block(session, at: listener)
                host.dispatch(session, .sendBlocked(.downstream), Arrival(bytes: bytes))
            }
        }
    }

    private func block(_ session: UDPSession, at listener: UDPListener) {
        if !listener.blocked.contains(where: { $0 === session }) { listener.blocked.append(session) }
    }

    /// Resumes the sessions that waited for room in the kernel for their answers.
    func unblock(_ listener: UDPListener) {
        let waiting = listener.blocked
        listener.blocked = []
        for session in waiting where !session.isClosed { host.dispatch(session, .writable(.downstream)) }
    }

    /// Sends the first datagram of a session's queue.
    func sendQueued(_ session: UDPSession, _ direction: Direction) {
        let outbox = singleOutbox
        let raw = direction == .upstream ? session.socket.raw : session.listener.raw
        var failures: [SendFailure] = []
        let sent = session.flow.offerQueued(direction) { bytes in
            if direction == .upstream {
                var peer = sockaddr_storage()
                let length = session.socket.peer.map { SocketAddress.write($0, to: &peer) } ?? 0
                weir_outbox_put(outbox, 0, bytes.baseAddress, bytes.count, &peer, length, nil)
            } else {
                put(session, bytes, in: outbox, at: 0)
            }
            sendBatch(outbox, raw, count: 1) { _, failure in failures.append(failure) }
            return bytes.count
        }
        guard let sent else { return }
        // The errors of earlier datagrams come first; the last failure is this datagram's, if it has one.
        for case .refused(let error) in failures { host.feed(session, .refused(error)) }
        switch failures.last {
        case nil, .refused: host.feed(session, .sent(direction, sent))
        case .lost(let error): host.feed(session, .sendFailed(direction, error))
        case .blocked:
            if direction == .upstream { session.socket.isBlocked = true } else { block(session, at: session.listener) }
        }
    }

    /// The failure of one datagram of a batch.
    enum SendFailure {
        /// The error belonged to an earlier datagram; this one was sent after it.
        case refused(ErrorNumber)
        case lost(ErrorNumber)
        /// The kernel has no room.
        case blocked
    }

    /// Sends a whole batch: an error skips only the datagram to which it belongs.
    ///
    /// The errors of earlier datagrams are reported, and a datagram whose send returned such an error is sent again, up
    /// to `mostTries` times.
    private func sendBatch(
        _ outbox: OpaquePointer?,
        _ raw: Int32,
        count: Int,
        _ report: (_ index: Int, SendFailure) -> Void
    ) {
        var index = 0
        var tries = 0
        while index < count {
            let sent = Int(weir_outbox_send(outbox, raw, UInt32(index), UInt32(count - index)))
            if sent > 0 {
                index += sent
                tries = 0
                continue
            }
            let error = ErrorNumber(Int32(-sent))
            switch error.rawValue {
            case EINTR: continue
            case EAGAIN:
                // Later datagrams must not overtake it.
                for blocked in index..<count { report(blocked, .blocked) }
                return
            default:
                let earlier = tries < Self.mostTries ? refusals(raw, error) : []
                if !earlier.isEmpty {
                    tries += 1
                    for error in earlier { report(index, .refused(error)) }
                    continue
                }
                report(index, .lost(error))
            }
            index += 1
            tries = 0
        }
    }

    /// Takes the errors of earlier datagrams from a socket, after a call returned one of them.
    ///
    /// - Parameters:
    ///   - raw: the socket.
    ///   - error: the error that the call returned.
    /// - Returns: the errors, oldest first; empty if the error is the call's own.
    func refusals(_ raw: Int32, _ error: ErrorNumber) -> [ErrorNumber] {
        var errors = [Int32](repeating: 0, count: 64)
        let count = Int(weir_take_errors(raw, &errors, UInt32(errors.count)))
        guard count > 0 else { return error == .connectionRefused ? [error] : [] }
        return errors[..<count].map { ErrorNumber($0) }
    }
}
