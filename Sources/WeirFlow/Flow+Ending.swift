import WeirWire

/// How a flow ends: by halves, by a reset, by time, or because it must.
extension Flow {
    /// The source has sent its last byte.
    mutating func finish(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard !self[direction].isEnded else { return }
        self[direction].isEnded = true
        switch state {
        case .delivering(direction, _, _): return passEndThroughToxics(direction, now, &actions)
        case .delivering, .resetting, .closed: return
        case .waiting, .dialing, .open: break
        }
        lastActivity = now.instant
        record(.ended(direction), now, &actions)
        if direction == .downstream { reportMissingEcho(now, &actions) }
        if isEcho {
            record(.ended(.downstream), now, &actions)
            down.isEnded = true
        }
        passEndThroughToxics(direction, now, &actions)
    }

    /// Half-closes a direction behind its last byte; closes the flow when both are finished.
    mutating func passEnd(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        if case .delivering = state { return resetReceiver(now, &actions) }
        guard case .open = state, self[direction].isEnded, !self[direction].isFinished, !self[direction].stalls,
            self[direction].endsAt == nil, self[direction].queue.isEmpty
        else { return }
        self[direction].isFinished = true
        // Closing a descriptor says the end too: the second half needs no system call of its own.
        if self[direction.opposite].isFinished {
            close(.finished, now, &actions)
        } else {
            actions.append(.finish(direction))
        }
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
            self[direction].isEnded, self[direction].queue.isEmpty
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
        guard transport == .tcp else { return close(reason, now, &actions) }
        var pending: [Direction] = [.downstream]
        if !isEcho, case .open = state { pending.append(.upstream) }
        if !isEcho, case .delivering = state { pending.append(.upstream) }
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

    private mutating func close(_ reason: CloseReason, _ now: Moment, _ actions: inout [FlowAction]) {
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

    private mutating func dropQueue(
        _ direction: Direction,
        _ reason: DropReason,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        let queue = self[direction].queue
        guard !queue.isEmpty else { return }
        self[direction].queue.removeAll()
        let datagrams = transport == .udp ? UInt64(queue.entryCount) : 0
        drop(direction, bytes: UInt64(queue.count), datagrams: datagrams, reason, now, &actions)
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
        pump(direction, now, &actions)
    }
}
