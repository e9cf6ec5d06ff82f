import WeirWire

/// The end of a flow: by half-closes, by a reset, by time, or by force.
extension Flow {
    /// Handles the end of a direction: its source has sent its last byte.
    mutating func finish(_ direction: Direction, _ turn: inout Turn) {
        guard !self[direction].isEnded else { return }
        self[direction].isEnded = true
        switch state {
        case .delivering(direction, _, _): return endReaches(direction, &turn)
        case .delivering, .resetting, .closed: return
        case .waiting, .dialing, .open, .closing: break
        }
        lastActivity = turn.now.instant
        record(.ended(direction, isDelayed: passesEndLater(direction)), &turn)
        if direction == .downstream, !passesEndLater(direction) { reportMissingEcho(&turn) }
        if isEcho {
            record(.ended(.downstream, isDelayed: passesEndLater(.downstream)), &turn)
            down.isEnded = true
        }
        if case .closing = state { return closeIfQuiet(&turn) }
        endReaches(direction, &turn)
    }

    /// Takes the end of a direction through its toxics, or, if there are none, directly after the queued bytes.
    private mutating func endReaches(_ direction: Direction, _ turn: inout Turn) {
        guard self[direction].chain.stages.isEmpty else { return passEndThroughToxics(direction, &turn) }
        self[exit(of: direction)].hasEndDue = true
        passEnd(exit(of: direction), &turn)
    }

    /// Half-closes a direction after its last byte; closes the flow when both directions are finished.
    mutating func passEnd(_ direction: Direction, _ turn: inout Turn) {
        if case .delivering = state { return resetReceiver(&turn) }
        guard isPassingEnds, self[direction].hasEndDue, !self[direction].isFinished, self[direction].queue.isEmpty
        else { return }
        self[direction].isFinished = true
        if passesEndLater(direction) {
            record(.endForwarded(direction), &turn)
            if direction == .downstream { reportMissingEcho(&turn) }
        }
        if case .closing = state {
            if transport == .tcp { turn.ask(.finish(direction)) }
            return closeIfQuiet(&turn)
        }
        // Closing a descriptor sends the end too: the second half needs no system call of its own.
        if self[direction.opposite].isFinished {
            close(.finished, &turn)
        } else {
            turn.ask(.finish(direction))
        }
    }

    /// Returns whether the end of a direction gets a record of its own when it goes on, after what toxics hold.
    private func passesEndLater(_ direction: Direction) -> Bool { transport == .tcp && self[direction].hasMetToxics }

    private var isPassingEnds: Bool {
        switch state {
        case .open, .closing: true
        case .waiting, .dialing, .delivering, .resetting, .closed: false
        }
    }

    /// Closes a flow that a toxic ended, after both sides have got their end and have ended themselves; they have one
    /// second to do so, because closing a socket with unread bytes sends a reset, which may cost bytes before it.
    mutating func closeIfQuiet(_ turn: inout Turn) {
        guard case .closing(let toxic, let until) = state, up.isFinished, down.isFinished else { return }
        if transport == .udp || up.isEnded && (down.isEnded || isEcho) { return close(.toxic, &turn) }
        if until == nil { state = .closing(by: toxic, until: turn.now.instant.advanced(by: settings.resetDelay)) }
    }

    /// Handles a reset by one side while a toxic ends the flow: that side needs nothing any more, and the other side
    /// still gets what was released.
    private mutating func leave(_ direction: Direction, _ turn: inout Turn) {
        dropQueue(direction.opposite, dropReason, &turn)
        self[direction].isEnded = true
        self[direction.opposite].isFinished = true
        closeIfQuiet(&turn)
    }

    /// Resets the sides that have not ended a second after both got their end, but only after the kernel has sent
    /// everything: an earlier reset would cost a slow reader the rest and the end.
    mutating func resetStaying(_ toxic: String, _ turn: inout Turn) {
        let pending: [Direction] = isEcho ? [.downstream] : [.downstream, .upstream]
        let until = settings.idleTimeout.map { turn.now.instant.advanced(by: $0) } ?? .never
        state = .resetting(pending: pending, .toxic, .toxic(toxic))
        for direction in pending { turn.ask(.reset(by: until, direction)) }
    }

    /// Handles a reset by a source: the bytes read from it are delivered first; those meant for it are lost.
    mutating func abort(_ direction: Direction, _ turn: inout Turn) {
        let reason: CloseReason = direction == .upstream ? .clientReset : .serverReset
        switch state {
        case .resetting, .closed: return
        case .waiting, .dialing: return end(reason, losing: .reset, &turn)
        case .delivering(let delivered, _, let first):
            // The receiver is gone as well: nothing can be delivered any more.
            if direction != delivered { end(first, losing: .reset, &turn) }
            return
        case .closing(let toxic, _):
            guard !isEcho else { return end(.toxic, losing: .toxic(toxic), &turn) }
            return leave(direction, &turn)
        case .open: break
        }
        guard !isEcho else { return end(reason, losing: .reset, &turn) }
        dropQueue(direction.opposite, .reset, &turn)
        if !self[direction.opposite].isEnded { pauseReading(direction.opposite, &turn) }
        state = .delivering(direction, until: turn.now.instant.advanced(by: settings.resetDelay), reason)
        resetReceiver(&turn)
    }

    /// Resets the receiver, after everything from its peer was read and handed to the kernel.
    private mutating func resetReceiver(_ turn: inout Turn) {
        guard case .delivering(let direction, let until, let reason) = state,
            self[direction].hasEndDue, self[direction].queue.isEmpty
        else { return }
        state = .resetting(pending: [direction], reason, .reset)
        turn.ask(.reset(by: until, direction))
    }

    /// Handles the end of the second that a reset waits for delivery.
    mutating func deliveryIsLate(_ turn: inout Turn) {
        guard case .delivering(let direction, _, let reason) = state else { return }
        dropQueue(direction, .reset, &turn)
        state = .resetting(pending: [direction], reason, .reset)
        turn.ask(.reset(by: turn.now.instant, direction))
    }

    mutating func resetDone(_ direction: Direction, _ unsent: Int, _ unread: Int, _ turn: inout Turn) {
        guard case .resetting(var pending, let reason, let drop) = state,
            let index = pending.firstIndex(of: direction)
        else { return }
        pending.remove(at: index)
        // A side that is not reset is closed after this: what it sent is not read any more.
        if pending.isEmpty, unread > 0 { self.drop(direction, bytes: UInt64(unread), datagrams: 0, drop, &turn) }
        if unsent > 0 { self.drop(direction, bytes: UInt64(unsent), datagrams: 0, drop, &turn) }
        state = .resetting(pending: pending, reason, drop)
        if pending.isEmpty { close(reason, &turn) }
    }

    /// Ends the flow now: counts what was queued, resets what is connected, and closes.
    mutating func end(
        _ reason: CloseReason,
        losing drop: DropReason,
        _ turn: inout Turn
    ) {
        if case .resetting(let pending, let first, _) = state {
            // A second, stronger reason: the pending resets are to happen at once.
            state = .resetting(pending: pending, first, drop)
            for direction in pending { turn.ask(.reset(by: turn.now.instant, direction)) }
            return
        }
        openIfNeeded(&turn)
        dropQueue(.upstream, drop, &turn)
        dropQueue(.downstream, drop, &turn)
        if let (direction, bytes) = arriving.take() {
            // A toxic ended the flow before it got this chunk.
            self.drop(
                direction,
                bytes: UInt64(bytes),
                datagrams: transport == .udp ? 1 : 0,
                drop,
                &turn
            )
        }
        guard transport == .tcp else { return close(reason, &turn) }
        var pending: [Direction] = [.downstream]
        if !isEcho, case .open = state { pending.append(.upstream) }
        if !isEcho, case .delivering = state { pending.append(.upstream) }
        if !isEcho, case .closing = state { pending.append(.upstream) }
        state = .resetting(pending: pending, reason, drop)
        for direction in pending { turn.ask(.reset(by: turn.now.instant, direction)) }
    }

    /// Closes both sides with an end, not with a reset; queued bytes are lost.
    mutating func dismiss(_ reason: CloseReason, _ turn: inout Turn) {
        if case .resetting = state { return end(reason, losing: .closed, &turn) }
        openIfNeeded(&turn)
        dropQueue(.upstream, .closed, &turn)
        dropQueue(.downstream, .closed, &turn)
        close(reason, &turn)
    }

    /// Records what TLS did, and ends the flow if it failed.
    mutating func note(_ tls: TLSRecord, _ turn: inout Turn) {
        lastActivity = turn.now.instant
        openIfNeeded(&turn)
        record(.tls(tls), &turn)
        if case .failed = tls { dismiss(.tls, &turn) }
    }

    mutating func close(_ reason: CloseReason, _ turn: inout Turn) {
        state = .closed
        // A client that resets does not wait for the rest of its echo.
        if settings.expectsEcho, reason == .refused { record(.mismatch(.refused), &turn) }
        if transport == .udp || reason != .clientReset { reportMissingEcho(&turn) }
        let summary = CloseRecord(
            reason: reason,
            upstream: up.counters,
            downstream: down.counters,
            duration: opened.instant.duration(to: turn.now.instant)
        )
        record(.closed(summary), &turn)
        turn.ask(.close(reason))
    }

    /// The reason why bytes in the kernel are lost while the flow ends.
    var lossReason: DropReason {
        switch state {
        case .resetting(_, _, let reason): reason
        case .delivering, .closing: dropReason
        case .waiting, .dialing, .open, .closed: .closed
        }
    }

    /// Drops what toxics hold of a direction, and what is queued.
    mutating func dropQueue(
        _ direction: Direction,
        _ reason: DropReason,
        _ turn: inout Turn
    ) {
        let held = self[direction].chain.removeAll()
        let bytes = self[direction].queue.count + held.bytes
        let chunks = self[direction].queue.entryCount + held.chunks
        guard chunks > 0 else { return }
        self[direction].queue.removeAll()
        drop(direction, bytes: UInt64(bytes), datagrams: transport == .udp ? UInt64(chunks) : 0, reason, &turn)
    }

    mutating func drop(
        _ direction: Direction,
        bytes: UInt64,
        datagrams: UInt64,
        _ reason: DropReason,
        _ turn: inout Turn
    ) {
        self[direction].counters.droppedBytes += bytes
        self[direction].counters.droppedDatagrams += datagrams
        let loss = DropRecord(direction: direction, bytes: bytes, datagrams: datagrams, reason: reason)
        record(.dropped(loss), &turn)
    }

    /// Handles a failed send of a datagram: it costs that datagram, never the session.
    mutating func sendFailed(
        _ direction: Direction,
        _ error: ErrorNumber,
        _ bytes: RawSpan,
        _ turn: inout Turn
    ) {
        var lost = UInt64(bytes.byteCount)
        if bytes.byteCount == 0, let queued = self[direction].queue.withFirst({ UInt64($0.count) }) {
            // The front of the queue was offered.
            lost = queued
            self[direction].queue.take(Int(queued))
        }
        drop(direction, bytes: lost, datagrams: 1, .error(error), &turn)
        self[direction].isToPump = true
    }
}
