public import WeirWire

/// The way of bytes from their arrival to the kernel.
extension Flow {
    /// Notes that bytes move which are not the flow's own, as those of a handshake.
    public mutating func touch(at now: Instant) { lastActivity = max(lastActivity, now) }

    /// Takes a chunk whose only action would be `send`: the usual case, without a turn.
    ///
    /// - Parameters:
    ///   - bytes: the chunk.
    ///   - direction: the direction of the chunk.
    ///   - now: the time.
    /// - Returns: true if the chunk is to be sent; report with `sent` what the kernel does not take. False if nothing
    ///   was done, and the chunk needs the event `received`.
    public mutating func passes(_ bytes: RawSpan, _ direction: Direction, at now: Instant) -> Bool {
        guard goesOnAtOnce(direction), !isEcho, !settings.recordsChunks, !settings.expectsEcho,
            settings.idleTimeout == nil || scheduledWake != nil, case .open = state
        else { return false }
        lastActivity = now
        _ = count(direction, bytes, receivedAt: now)
        return true
    }

    /// Returns whether an arriving chunk is sent as it is, before anything else.
    private func goesOnAtOnce(_ direction: Direction) -> Bool {
        self[direction].isDirect && self[exit(of: direction)].queue.isEmpty && isSending && canForward(direction)
    }

    mutating func receive(_ direction: Direction, _ bytes: RawSpan, _ turn: inout Turn) {
        lastActivity = turn.now.instant
        // Toxics that are due by now come first, and make room; even one of the other direction may end the flow.
        arriving = (direction, bytes.byteCount)
        advanceToxics(&turn)
        guard arriving.take() != nil else { return }
        let exit = exit(of: direction)
        let goesOnAtOnce = goesOnAtOnce(direction)
        guard goesOnAtOnce || goesOnInOrder(direction) else { return goOnLater(direction, bytes, exit, &turn) }
        let chunk = count(direction, bytes, receivedAt: turn.now.instant, from: answerSource)
        if settings.recordsChunks { record(.forwarded(chunk), &turn) }
        if goesOnAtOnce {
            turn.ask(.send(exit))
        } else {
            hold(bytes, exit, &turn)
        }
        checkEcho(&turn)
    }

    /// Returns whether an arriving chunk goes on unchanged after chunks that are recorded already, so that its record
    /// is made now.
    private func goesOnInOrder(_ direction: Direction) -> Bool {
        canForward(direction) && isSending && self[direction].isDirect
            && !self[exit(of: direction)].queue.endsUnrecorded
    }

    /// Drops a chunk that cannot go on, shows it to the toxics, or keeps it until its record can be made.
    private mutating func goOnLater(
        _ direction: Direction,
        _ bytes: RawSpan,
        _ exit: Direction,
        _ turn: inout Turn
    ) {
        guard canForward(direction) else {
            let datagrams: UInt64 = transport == .udp ? 1 : 0
            return drop(direction, bytes: UInt64(bytes.byteCount), datagrams: datagrams, dropReason, &turn)
        }
        // A chunk that follows one from the toxics that still waits for the kernel is recorded the same way.
        let waitsBehindToxics = isSending && self[direction].hasMetToxics && self[exit].queue.endsUnrecorded
        guard self[direction].isDirect, !waitsBehindToxics else { return tamper(direction, bytes, &turn) }
        // Its record is made when it goes on, so that no record precedes that of the flow's opening.
        hold(bytes, exit, receivedAt: turn.now.instant, &turn)
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
        _ turn: inout Turn
    ) {
        if amount > 0 { lastActivity = turn.now.instant }
        if bytes.byteCount > 0 {
            if amount < bytes.byteCount { hold(bytes.extracting(amount...), direction, &turn) }
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
    ///   - turn: the time; receives the actions.
    mutating func hold(
        _ bytes: RawSpan,
        _ direction: Direction,
        receivedAt: Instant? = nil,
        _ turn: inout Turn
    ) {
        if transport == .udp || receivedAt != nil {
            let count = bytes.byteCount
            if transport == .udp, self[direction].queue.cost + ReleaseQueue.entryCost + count > settings.highWatermark {
                return drop(direction, bytes: UInt64(count), datagrams: 1, .queueFull, &turn)
            }
            self[direction].queue.append(bytes.withUnsafeBytes { Array($0) }, receivedAt: receivedAt)
        } else {
            bytes.withUnsafeBytes { self[direction].queue.appendStream($0) }
        }
        pauseIfFull(direction, &turn)
    }

    mutating func pauseIfFull(_ direction: Direction, _ turn: inout Turn) {
        guard transport == .tcp else { return }
        let source = source(of: direction)
        let isFull =
            self[source].chain.stages.isEmpty
            ? self[direction].queue.count >= settings.highWatermark : held(source) >= settings.toxicBound
        if isFull { pauseReading(source, &turn) }
    }

    /// Returns whether the queue has drained far enough for its source to be read again.
    private func isLow(_ direction: Direction) -> Bool {
        let source = source(of: direction)
        guard self[source].chain.stages.isEmpty else { return held(source) <= settings.toxicBound / 4 * 3 }
        return self[direction].queue.count <= settings.lowWatermark
    }

    mutating func pauseReading(_ source: Direction, _ turn: inout Turn) {
        guard self[source].isRead else { return }
        self[source].isRead = false
        turn.ask(.pauseReading(source))
    }

    /// Reads a source again, unless there is nothing more to read, or nowhere to send it.
    mutating func resumeReading(_ source: Direction, _ turn: inout Turn) {
        guard !self[source].isRead, !self[source].isEnded, !self[exit(of: source)].isEnded else { return }
        if source == .upstream, echo.isFull { return }
        switch state {
        case .open, .closing: break
        case .delivering(source, _, _): break
        case .waiting, .dialing, .delivering, .resetting, .closed: return
        }
        self[source].isRead = true
        turn.ask(.resumeReading(source))
    }

    /// Sends what is queued, and passes the end on after the last byte.
    mutating func pump(_ direction: Direction, _ turn: inout Turn) {
        guard exit(of: direction) == direction else { return }
        if isLow(direction) { resumeReading(source(of: direction), &turn) }
        guard isSending, canSend(direction) else { return }
        guard self[direction].queue.isEmpty else {
            // One offer at a time: a second one would take the next chunk and its record too early.
            guard !self[direction].isOffered else { return }
            self[direction].isOffered = true
            recordReleased(direction, &turn)
            turn.ask(.sendQueued(direction))
            return
        }
        passEnd(direction, &turn)
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
    private mutating func recordReleased(_ direction: Direction, _ turn: inout Turn) {
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
            record(.forwarded(counted), copy: bytes, &turn)
        }
        checkEcho(&turn)
    }
}
