public import WeirWire

/// The way of bytes from their arrival to the kernel.
extension Flow {
    /// Takes a chunk that only needs to be sent on: the usual case, without a list of actions.
    ///
    /// - Parameters:
    ///   - bytes: the chunk.
    ///   - direction: the direction of the chunk.
    ///   - now: the time.
    /// - Returns: true if the chunk is to be sent; report with `sent` what the kernel does not take. False if nothing
    ///   was done, and the chunk needs the event `received`.
    public mutating func passes(_ bytes: RawSpan, _ direction: Direction, at now: Instant) -> Bool {
        guard case .open = state, !isEcho, !settings.recordsChunks, !settings.expectsEcho,
            settings.idleTimeout == nil || hasScheduledWake, !self[direction].isFinished,
            self[direction].queue.isEmpty, self[direction].isDirect
        else { return false }
        lastActivity = now
        _ = count(direction, bytes, receivedAt: now)
        return true
    }

    mutating func receive(_ direction: Direction, _ bytes: RawSpan, _ now: Moment, _ actions: inout [FlowAction]) {
        lastActivity = now.instant
        // Toxics that are due by now come first, and make room; even one of the other direction may end the flow.
        arriving = (direction, bytes.byteCount)
        advanceToxics(now, &actions)
        guard arriving.take() != nil else { return }
        guard canForward(direction) else {
            let datagrams: UInt64 = transport == .udp ? 1 : 0
            return drop(direction, bytes: UInt64(bytes.byteCount), datagrams: datagrams, dropReason, now, &actions)
        }
        let exit = exit(of: direction)
        // A chunk that follows one from the toxics that still waits for the kernel is recorded the same way.
        let waitsBehindToxics = isSending && self[direction].hasMetToxics && self[exit].queue.endsUnrecorded
        guard self[direction].isDirect, !waitsBehindToxics else { return tamper(direction, bytes, now, &actions) }
        guard isSending, !self[exit].queue.endsUnrecorded else {
            // Its record is made when it goes on, so that no record precedes that of the flow's opening.
            return hold(bytes, exit, receivedAt: now.instant, now, &actions)
        }
        let chunk = count(direction, bytes, receivedAt: now.instant, from: answerSource)
        if settings.recordsChunks { record(.forwarded(chunk), now, &actions) }
        if self[exit].queue.isEmpty {
            actions.append(.send(exit))
        } else {
            hold(bytes, exit, now, &actions)
        }
        checkEcho(now, &actions)
    }

    /// The reason why arriving bytes are lost if they cannot go on.
    var dropReason: DropReason {
        switch state {
        case .closing(let toxic, _), .resetting(_, .toxic, .toxic(let toxic)): .toxic(toxic)
        case .waiting, .dialing, .open, .delivering, .resetting, .closed: .reset
        }
    }

    /// Counts a chunk as forwarded, and returns its description.
    private mutating func count(
        _ direction: Direction,
        _ bytes: RawSpan,
        receivedAt: Instant,
        from source: Endpoint? = nil
    ) -> ChunkRecord {
        let counters = self[direction].counters
        var chunk = ChunkRecord(
            direction: direction,
            number: counters.chunks,
            offset: counters.bytes,
            length: bytes.byteCount,
            receivedAt: receivedAt
        )
        chunk.peer = direction == .upstream ? otherServer : source
        self[direction].counters.chunks += 1
        self[direction].counters.bytes += UInt64(bytes.byteCount)
        switch direction {
        case .upstream: echo.upstream(bytes, offset: chunk.offset, at: receivedAt)
        case .downstream: chunk.echo = echo.downstream(bytes, at: receivedAt)
        }
        return chunk
    }

    mutating func sent(
        _ direction: Direction,
        _ amount: Int,
        of bytes: RawSpan,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        if amount > 0 { lastActivity = now.instant }
        if bytes.byteCount > 0 {
            if amount < bytes.byteCount { hold(bytes.extracting(amount...), direction, now, &actions) }
        } else if amount > 0 || transport == .udp {
            self[direction].queue.take(amount)
            self[direction].isToPump = true
        }
    }

    /// Copies bytes into a direction's queue, and pauses its source at the high watermark.
    ///
    /// - Parameters:
    ///   - bytes: a chunk, or the part of one that the kernel did not take.
    ///   - direction: the direction of the queue.
    ///   - receivedAt: the time at which the chunk was read, if its record is still to be made.
    ///   - now: the time.
    ///   - actions: receives the actions.
    mutating func hold(
        _ bytes: RawSpan,
        _ direction: Direction,
        receivedAt: Instant? = nil,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        if transport == .udp || receivedAt != nil {
            let count = bytes.byteCount
            if transport == .udp, self[direction].queue.cost + ReleaseQueue.entryCost + count > settings.highWatermark {
                return drop(direction, bytes: UInt64(count), datagrams: 1, .queueFull, now, &actions)
            }
            self[direction].queue.append(bytes.withUnsafeBytes { Array($0) }, receivedAt: receivedAt)
        } else {
            bytes.withUnsafeBytes { self[direction].queue.appendStream($0) }
        }
        pauseIfFull(direction, &actions)
    }

    mutating func pauseIfFull(_ direction: Direction, _ actions: inout [FlowAction]) {
        guard transport == .tcp else { return }
        let source = source(of: direction)
        let isFull =
            self[source].chain.stages.isEmpty
            ? self[direction].queue.count >= settings.highWatermark : held(source) >= settings.toxicBound
        if isFull { pauseReading(source, &actions) }
    }

    /// Returns whether the queue has drained far enough for its source to be read again.
    private func isLow(_ direction: Direction) -> Bool {
        let source = source(of: direction)
        guard self[source].chain.stages.isEmpty else { return held(source) <= settings.toxicBound / 4 * 3 }
        return self[direction].queue.count <= settings.lowWatermark
    }

    mutating func pauseReading(_ source: Direction, _ actions: inout [FlowAction]) {
        guard self[source].isRead else { return }
        self[source].isRead = false
        actions.append(.pauseReading(source))
    }

    /// Reads a source again, unless there is nothing more to read, or nowhere to send it.
    mutating func resumeReading(_ source: Direction, _ actions: inout [FlowAction]) {
        guard !self[source].isRead, !self[source].isEnded, !self[exit(of: source)].isEnded else { return }
        if source == .upstream, echo.isFull { return }
        switch state {
        case .open, .closing: break
        case .delivering(source, _, _): break
        case .waiting, .dialing, .delivering, .resetting, .closed: return
        }
        self[source].isRead = true
        actions.append(.resumeReading(source))
    }

    /// Sends what is queued, and passes the end on after the last byte.
    mutating func pump(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard exit(of: direction) == direction else { return }
        if isLow(direction) { resumeReading(source(of: direction), &actions) }
        guard isSending, canSend(direction) else { return }
        guard self[direction].queue.isEmpty else {
            // One offer at a time: a second one would take the next chunk and its record too early.
            guard !self[direction].isOffered else { return }
            self[direction].isOffered = true
            recordReleased(direction, now, &actions)
            actions.append(.sendQueued(direction))
            return
        }
        passEnd(direction, now, &actions)
    }

    /// Returns the direction whose source fills a direction's queue.
    func source(of direction: Direction) -> Direction { isEcho ? .upstream : direction }

    /// Returns whether queued bytes may still be sent: an end or a reset that was passed on is final.
    private func canSend(_ direction: Direction) -> Bool {
        if case .closing = state { return !self[direction].isFinished }
        return canForward(direction)
    }

    /// Returns whether arriving bytes may still go on.
    func canForward(_ direction: Direction) -> Bool {
        switch state {
        case .open: !self[exit(of: direction)].isFinished
        case .delivering(let delivered, _, _): direction == delivered
        case .waiting, .dialing: true
        case .closing, .resetting, .closed: false
        }
    }

    /// Makes the record of a chunk that a toxic or a dial held, when the chunk is released.
    private mutating func recordReleased(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard let arrival = self[direction].queue.takeArrival(), let bytes = self[direction].queue.firstBytes else {
            return
        }
        let source = source(of: direction)
        var counted = count(source, bytes.span.bytes, receivedAt: arrival.receivedAt, from: arrival.source)
        if arrival.isTampered {
            self[source].ahead.bytes -= Int64(bytes.count)
            self[source].ahead.chunks -= 1
            counted.isTampered = true
            counted.changes = arrival.changes
        }
        if settings.recordsChunks {
            actions.append(.recordCopy(makeRecord(.forwarded(counted), now), bytes))
        }
        checkEcho(now, &actions)
    }
}
