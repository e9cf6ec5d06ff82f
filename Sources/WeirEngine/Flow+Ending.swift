import WeirWire

/// The end of a flow: by half-closes, by a reset, by time, or by force.
extension Flow {
    /// Handles the end of a direction: its source has sent its last byte.
    mutating func finish(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard !self[direction].isEnded else { return }
        self[direction].isEnded = true
        switch state {
        case .delivering(direction, _, _): return endReaches(direction, now, &actions)
        case .delivering, .resetting, .closed: return
        case .waiting, .dialing, .open, .closing: break
        }
        lastActivity = now.instant
        record(.ended(direction, isDelayed: passesEndLater(direction)), now, &actions)
        if direction == .downstream, !passesEndLater(direction) { reportMissingEcho(now, &actions) }
        if isEcho {
            record(.ended(.downstream, isDelayed: passesEndLater(.downstream)), now, &actions)
            down.isEnded = true
        }
        if case .closing = state { return closeIfQuiet(now, &actions) }
        endReaches(direction, now, &actions)
    }

    /// Takes the end of a direction through its toxics, or, if there are none, directly after the queued bytes.
    private mutating func endReaches(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard self[direction].chain.stages.isEmpty else { return passEndThroughToxics(direction, now, &actions) }
        self[exit(of: direction)].hasEndDue = true
        passEnd(exit(of: direction), now, &actions)
    }

    /// Half-closes a direction after its last byte; closes the flow when both directions are finished.
    mutating func passEnd(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        if case .delivering = state { return resetReceiver(now, &actions) }
        guard isPassingEnds, self[direction].hasEndDue, !self[direction].isFinished, self[direction].queue.isEmpty
        else { return }
        self[direction].isFinished = true
        if passesEndLater(direction) {
            record(.endForwarded(direction), now, &actions)
            if direction == .downstream { reportMissingEcho(now, &actions) }
        }
        if case .closing = state {
            if transport == .tcp { actions.append(.finish(direction)) }
            return closeIfQuiet(now, &actions)
        }
        // Closing a descriptor sends the end too: the second half needs no system call of its own.
        if self[direction.opposite].isFinished {
            close(.finished, now, &actions)
        } else {
            actions.append(.finish(direction))
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
    mutating func closeIfQuiet(_ now: Moment, _ actions: inout [FlowAction]) {
        guard case .closing(let toxic, let until) = state, up.isFinished, down.isFinished else { return }
        if transport == .udp || up.isEnded && (down.isEnded || isEcho) { return close(.toxic, now, &actions) }
        if until == nil { state = .closing(by: toxic, until: now.instant.advanced(by: settings.resetDelay)) }
    }

    /// Handles a reset by one side while a toxic ends the flow: that side needs nothing any more, and the other side
    /// still gets what was released.
    private mutating func leave(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        dropQueue(direction.opposite, dropReason, now, &actions)
        self[direction].isEnded = true
        self[direction.opposite].isFinished = true
        closeIfQuiet(now, &actions)
    }

    /// Resets the sides that have not ended a second after both got their end, but only after the kernel has sent
    /// everything: an earlier reset would cost a slow reader the rest and the end.
    mutating func resetStaying(_ toxic: String, _ now: Moment, _ actions: inout [FlowAction]) {
        let pending: [Direction] = isEcho ? [.downstream] : [.downstream, .upstream]
        let until = settings.idleTimeout.map { now.instant.advanced(by: $0) } ?? .never
        state = .resetting(pending: pending, .toxic, .toxic(toxic))
        for direction in pending { actions.append(.reset(direction, by: until)) }
    }

    /// Handles a reset by a source: the bytes read from it are delivered first; those meant for it are lost.
    mutating func abort(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        let reason: CloseReason = direction == .upstream ? .clientReset : .serverReset
        switch state {
        case .resetting, .closed: return
        case .waiting, .dialing: return end(reason, losing: .reset, now, &actions)
        case .delivering(let delivered, _, let first):
            // The receiver is gone as well: nothing can be delivered any more.
            if direction != delivered { end(first, losing: .reset, now, &actions) }
            return
        case .closing(let toxic, _):
            guard !isEcho else { return end(.toxic, losing: .toxic(toxic), now, &actions) }
            return leave(direction, now, &actions)
        case .open: break
        }
        guard !isEcho else { return end(reason, losing: .reset, now, &actions) }
        dropQueue(direction.opposite, .reset, now, &actions)
        if !self[direction.opposite].isEnded { pauseReading(direction.opposite, &actions) }
        state = .delivering(direction, until: now.instant.advanced(by: settings.resetDelay), reason)
        resetReceiver(now, &actions)
    }

    /// Resets the receiver, after everything from its peer was read and handed to the kernel.
    private mutating func resetReceiver(_ now: Moment, _ actions: inout [FlowAction]) {
        guard case .delivering(let direction, let until, let reason) = state,
            self[direction].hasEndDue, self[direction].queue.isEmpty
        else { return }
        state = .resetting(pending: [direction], reason, .reset)
        actions.append(.reset(direction, by: until))
    }

    /// Handles the end of the second that a reset waits for delivery.
    mutating func deliveryIsLate(_ now: Moment, _ actions: inout [FlowAction]) {
        guard case .delivering(let direction, _, let reason) = state else { return }
        dropQueue(direction, .reset, now, &actions)
        state = .resetting(pending: [direction], reason, .reset)
        actions.append(.reset(direction, by: now.instant))
    }

    mutating func resetDone(_ direction: Direction, _ unsent: Int, _ now: Moment, _ actions: inout [FlowAction]) {
        guard case .resetting(var pending, let reason, let drop) = state,
            let index = pending.firstIndex(of: direction)
        else { return }
        pending.remove(at: index)
        if unsent > 0 { self.drop(direction, bytes: UInt64(unsent), datagrams: 0, drop, now, &actions) }
        state = .resetting(pending: pending, reason, drop)
        if pending.isEmpty { close(reason, now, &actions) }
    }

    /// Ends the flow now: counts what was queued, resets what is connected, and closes.
    mutating func end(
        _ reason: CloseReason,
        losing drop: DropReason,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        if case .resetting(let pending, let first, _) = state {
            // A second, stronger reason: the pending resets are to happen at once.
            state = .resetting(pending: pending, first, drop)
            for direction in pending { actions.append(.reset(direction, by: now.instant)) }
            return
        }
        openIfNeeded(now, &actions)
        dropQueue(.upstream, drop, now, &actions)
        dropQueue(.downstream, drop, now, &actions)
        if let (direction, bytes) = arriving.take() {
            // A toxic ended the flow before it got this chunk.
            self.drop(
                direction,
                bytes: UInt64(bytes),
                datagrams: transport == .udp ? 1 : 0,
                drop,
                now,
                &actions
            )
        }
        guard transport == .tcp else { return close(reason, now, &actions) }
        var pending: [Direction] = [.downstream]
        if !isEcho, case .open = state { pending.append(.upstream) }
        if !isEcho, case .delivering = state { pending.append(.upstream) }
        if !isEcho, case .closing = state { pending.append(.upstream) }
        state = .resetting(pending: pending, reason, drop)
        for direction in pending { actions.append(.reset(direction, by: now.instant)) }
    }

    /// Closes both sides with an end, not with a reset; queued bytes are lost.
    mutating func dismiss(_ now: Moment, _ actions: inout [FlowAction]) {
        if case .resetting = state { return end(.requested, losing: .closed, now, &actions) }
        openIfNeeded(now, &actions)
        dropQueue(.upstream, .closed, now, &actions)
        dropQueue(.downstream, .closed, now, &actions)
        close(.requested, now, &actions)
    }

    mutating func close(_ reason: CloseReason, _ now: Moment, _ actions: inout [FlowAction]) {
        state = .closed
        // A client that resets does not wait for the rest of its echo.
        if settings.expectsEcho, reason == .refused { record(.mismatch(.refused), now, &actions) }
        if transport == .udp || reason != .clientReset { reportMissingEcho(now, &actions) }
        let summary = CloseRecord(
            reason: reason,
            upstream: up.counters,
            downstream: down.counters,
            duration: opened.instant.duration(to: now.instant)
        )
        record(.closed(summary), now, &actions)
        actions.append(.close(reason))
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
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        let held = self[direction].chain.removeAll()
        let bytes = self[direction].queue.count + held.bytes
        let chunks = self[direction].queue.entryCount + held.chunks
        guard chunks > 0 else { return }
        self[direction].queue.removeAll()
        drop(direction, bytes: UInt64(bytes), datagrams: transport == .udp ? UInt64(chunks) : 0, reason, now, &actions)
    }

    mutating func drop(
        _ direction: Direction,
        bytes: UInt64,
        datagrams: UInt64,
        _ reason: DropReason,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        self[direction].counters.droppedBytes += bytes
        self[direction].counters.droppedDatagrams += datagrams
        let loss = DropRecord(direction: direction, bytes: bytes, datagrams: datagrams, reason: reason)
        record(.dropped(loss), now, &actions)
    }

    /// Handles a failed send of a datagram: it costs that datagram, never the session.
    mutating func sendFailed(
        _ direction: Direction,
        _ error: ErrorNumber,
        _ bytes: RawSpan,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        var lost = UInt64(bytes.byteCount)
        if bytes.byteCount == 0, let queued = withQueued(direction, { UInt64($0.count) }) {
            // The front of the queue was offered.
            lost = queued
            self[direction].queue.take(Int(queued))
        }
        drop(direction, bytes: lost, datagrams: 1, .error(error), now, &actions)
        self[direction].isToPump = true
    }
}
