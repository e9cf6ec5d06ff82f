import WeirWire

/// How a flow ends: by halves, by a reset, by time, or because it must.
extension Flow {
    /// The source has sent its last byte.
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

    /// Takes the end of a direction through its toxics, or at once to what is queued.
    private mutating func endReaches(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard self[direction].chain.stages.isEmpty else { return passEndThroughToxics(direction, now, &actions) }
        self[exit(of: direction)].hasEndDue = true
        passEnd(exit(of: direction), now, &actions)
    }

    /// Half-closes a direction behind its last byte; closes the flow when both are finished.
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
        // Closing a descriptor says the end too: the second half needs no system call of its own.
        if self[direction.opposite].isFinished {
            close(.finished, now, &actions)
        } else {
            actions.append(.finish(direction))
        }
    }

    /// Whether a direction's end has a record of its own when it goes on: what toxics hold goes on before it.
    private func passesEndLater(_ direction: Direction) -> Bool { transport == .tcp && self[direction].hasMetToxics }

    private var isPassingEnds: Bool {
        switch state {
        case .open, .closing: true
        case .waiting, .dialing, .delivering, .resetting, .closed: false
        }
    }

    /// A toxic has ended the flow: closes it once both sides have their end and have ended themselves, which they have
    /// a second to do, as closing a socket with unread bytes is a reset that may cost bytes before it.
    mutating func closeIfQuiet(_ now: Moment, _ actions: inout [FlowAction]) {
        guard case .closing(let toxic, let until) = state, up.isFinished, down.isFinished else { return }
        if transport == .udp || up.isEnded && (down.isEnded || isEcho) { return close(.toxic, now, &actions) }
        if until == nil { state = .closing(by: toxic, until: now.instant.advanced(by: settings.resetDelay)) }
    }

    /// A side has reset while a toxic ends the flow: it wants nothing any more, the other side still gets what was let go.
    private mutating func leave(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        dropQueue(direction.opposite, dropReason, now, &actions)
        self[direction].isEnded = true
        self[direction.opposite].isFinished = true
        closeIfQuiet(now, &actions)
    }

    /// A second after both sides got their end, who has not ended is reset: once its kernel has all that was let go, as a
    /// reset before would cost a slow reader the rest, and its end.
    mutating func resetStaying(_ toxic: String, _ now: Moment, _ actions: inout [FlowAction]) {
        let pending: [Direction] = isEcho ? [.downstream] : [.downstream, .upstream]
        let until = settings.idleTimeout.map { now.instant.advanced(by: $0) } ?? .never
        state = .resetting(pending: pending, .toxic, .toxic(toxic))
        for direction in pending { actions.append(.reset(direction, by: until)) }
    }

    /// The source has reset: what was read from it is delivered first, what was meant for it is lost.
    mutating func abort(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        let reason: CloseReason = direction == .upstream ? .clientReset : .serverReset
        switch state {
        case .resetting, .closed: return
        case .waiting, .dialing: return end(reason, losing: .reset, now, &actions)
        case .delivering(let delivered, _, let first):
            // The receiver has gone as well: nothing can be delivered any more.
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

    /// Resets the receiver, once all that its peer had sent was read and handed to the kernel.
    private mutating func resetReceiver(_ now: Moment, _ actions: inout [FlowAction]) {
        guard case .delivering(let direction, let until, let reason) = state,
            self[direction].hasEndDue, self[direction].queue.isEmpty
        else { return }
        state = .resetting(pending: [direction], reason, .reset)
        actions.append(.reset(direction, by: until))
    }

    /// The second that a reset waits for delivery is over.
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

    /// Ends the flow now: counts what was queued, resets what is connected, closes.
    mutating func end(
        _ reason: CloseReason,
        losing drop: DropReason,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        if case .resetting(let pending, let first, _) = state {
            // A second, stronger reason: the resets under way are to be done at once.
            state = .resetting(pending: pending, first, drop)
            for direction in pending { actions.append(.reset(direction, by: now.instant)) }
            return
        }
        openIfNeeded(now, &actions)
        dropQueue(.upstream, drop, now, &actions)
        dropQueue(.downstream, drop, now, &actions)
        if let (direction, bytes) = arriving.take() {
            // A toxic ended the flow before it had this chunk.
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

    /// Closes both sides as an end, and not as a reset; what is queued is lost.
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

    /// Why bytes that the kernel holds are lost, while the flow ends.
    var lossReason: DropReason {
        switch state {
        case .resetting(_, _, let reason): reason
        case .delivering, .closing: dropReason
        case .waiting, .dialing, .open, .closed: .closed
        }
    }

    /// Gives up what toxics hold of a direction, and what is queued.
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

    /// A datagram's send returned an error: it costs that datagram, never the session.
    mutating func sendFailed(
        _ direction: Direction,
        _ error: ErrorNumber,
        _ bytes: RawSpan,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        var lost = UInt64(bytes.byteCount)
        if bytes.byteCount == 0, let queued = withQueued(direction, { UInt64($0.count) }) {
            // It was the front of the queue that was offered.
            lost = queued
            self[direction].queue.take(Int(queued))
        }
        drop(direction, bytes: lost, datagrams: 1, .error(error), now, &actions)
        self[direction].isToPump = true
    }
}
