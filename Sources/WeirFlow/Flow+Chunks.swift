public import WeirWire

/// What happens to bytes between their arrival and the kernel's taking them.
extension Flow {
    /// Takes a chunk about which nothing is to be done but to send it on: the usual case, without a list of actions.
    ///
    /// - Parameters:
    ///   - bytes: the chunk.
    ///   - direction: the way it runs.
    ///   - now: the time.
    /// - Returns: whether it is to be sent, and then what the kernel does not take is to be reported with `sent`; false
    ///   where nothing was done, and the chunk needs the event `received`.
    public mutating func passes(_ bytes: RawSpan, _ direction: Direction, at now: Instant) -> Bool {
        guard case .open = state, !isEcho, !settings.recordsChunks, !settings.expectsEcho,
            settings.idleTimeout == nil || hasScheduledWake, !self[direction].isFinished,
            self[direction].queue.isEmpty, self[direction].toxics.isEmpty
        else { return false }
        lastActivity = now
        _ = count(direction, bytes, receivedAt: now)
        return true
    }

    mutating func receive(_ direction: Direction, _ bytes: RawSpan, _ now: Moment, _ actions: inout [FlowAction]) {
        lastActivity = now.instant
        guard canForward(direction) else {
            return drop(direction, bytes: UInt64(bytes.byteCount), datagrams: 0, .reset, now, &actions)
        }
        guard self[direction].toxics.isEmpty else { return pass(direction, bytes, now, &actions) }
        let exit = exit(of: direction)
        guard isSending, !self[exit].queue.endsUnrecorded else {
            // Its record is made when it goes on, so that none comes before the record of the flow's opening.
            return hold(bytes, exit, receivedAt: now.instant, now, &actions)
        }
        let chunk = count(direction, bytes, receivedAt: now.instant)
        if settings.recordsChunks { record(.forwarded(chunk), now, &actions) }
        if self[exit].queue.isEmpty {
            actions.append(.send(exit))
        } else {
            hold(bytes, exit, now, &actions)
        }
        checkEcho(now, &actions)
    }

    /// Counts a chunk as forwarded, and describes it.
    private mutating func count(_ direction: Direction, _ bytes: RawSpan, receivedAt: Instant) -> ChunkRecord {
        let counters = self[direction].counters
        var chunk = ChunkRecord(
            direction: direction,
            number: counters.chunks,
            offset: counters.bytes,
            length: bytes.byteCount,
            receivedAt: receivedAt
        )
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
            pump(direction, now, &actions)
        }
    }

    /// Copies bytes into a direction's queue, and pauses its source at the high watermark.
    ///
    /// - Parameters:
    ///   - bytes: a chunk, or what the kernel did not take of one.
    ///   - direction: the queue's.
    ///   - receivedAt: when the chunk was read, where its record is still to be made.
    ///   - now: the time.
    ///   - actions: where the actions go.
    mutating func hold(
        _ bytes: RawSpan,
        _ direction: Direction,
        receivedAt: Instant? = nil,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        if transport == .udp || receivedAt != nil {
            let copy = bytes.withUnsafeBytes { Array($0) }
            enqueue(Chunk(bytes: copy, due: now.instant), direction, receivedAt: receivedAt, now, &actions)
        } else {
            bytes.withUnsafeBytes { self[direction].queue.appendStream($0, due: now.instant) }
        }
        pauseIfFull(direction, &actions)
    }

    /// Adds a chunk to a queue, unless it is a datagram that has no place there.
    private mutating func enqueue(
        _ chunk: Chunk,
        _ direction: Direction,
        receivedAt: Instant?,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        let count = chunk.bytes.count
        // A stream has no empty chunks: the kernel would take nothing, for ever.
        if transport == .tcp, count == 0 { return }
        if transport == .udp, self[direction].queue.cost + ReleaseQueue.entryCost + count > settings.highWatermark {
            return drop(direction, bytes: UInt64(count), datagrams: 1, .queueFull, now, &actions)
        }
        self[direction].queue.append(chunk.bytes, due: chunk.due, receivedAt: receivedAt)
    }

    private mutating func pauseIfFull(_ direction: Direction, _ actions: inout [FlowAction]) {
        guard transport == .tcp, self[direction].queue.count >= settings.highWatermark else { return }
        pauseReading(source(of: direction), &actions)
    }

    mutating func pauseReading(_ source: Direction, _ actions: inout [FlowAction]) {
        guard self[source].isRead else { return }
        self[source].isRead = false
        actions.append(.pauseReading(source))
    }

    /// Reads a source, unless there is nothing more to read, or nowhere to send it.
    mutating func resumeReading(_ source: Direction, _ actions: inout [FlowAction]) {
        guard !self[source].isRead, !self[source].isEnded, !self[exit(of: source)].isEnded else { return }
        if source == .upstream, echo.isFull { return }
        switch state {
        case .open: break
        case .delivering(source, _, _): break
        case .waiting, .dialing, .delivering, .resetting, .closed: return
        }
        self[source].isRead = true
        actions.append(.resumeReading(source))
    }

    /// Sends what is due, and passes the end on behind the last byte.
    mutating func pump(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard exit(of: direction) == direction else { return }
        if let resetsAt = self[direction].resetsAt, resetsAt <= now.instant {
            return end(direction == .upstream ? .clientReset : .serverReset, losing: .reset, now, &actions)
        }
        if self[direction].queue.count <= settings.lowWatermark { resumeReading(source(of: direction), &actions) }
        guard isSending, canForward(direction) else { return }
        if let due = self[direction].queue.firstDue {
            guard due <= now.instant else { return }
            recordReleased(direction, now, &actions)
            actions.append(.sendQueued(direction))
            return
        }
        if let endsAt = self[direction].endsAt, endsAt <= now.instant {
            self[direction].endsAt = nil
            if !self[direction].isEnded { pauseReading(source(of: direction), &actions) }
            self[direction].isEnded = true
        }
        passEnd(direction, now, &actions)
    }

    /// Says which direction's source fills a direction's queue.
    private func source(of direction: Direction) -> Direction { isEcho ? .upstream : direction }

    /// Says whether bytes may still go on: an end or a reset that was passed on is final.
    private func canForward(_ direction: Direction) -> Bool {
        switch state {
        case .open: !self[exit(of: direction)].isFinished
        case .delivering(let delivered, _, _): direction == delivered
        case .waiting, .dialing: true
        case .resetting, .closed: false
        }
    }
}

// MARK: - Toxics

extension Flow {
    /// Passes a chunk through the chain, and queues what comes out, each piece with its due time.
    private mutating func pass(_ direction: Direction, _ bytes: RawSpan, _ now: Moment, _ actions: inout [FlowAction]) {
        let chunk = Chunk(bytes: bytes.withUnsafeBytes { Array($0) }, due: now.instant)
        enqueue(run(.chunk(chunk), direction, now), exit(of: direction), now, &actions)
    }

    /// Asks the chain what becomes of the end, once it has come, and passes it on behind the last byte.
    mutating func passEndThroughToxics(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard !self[direction].toxics.isEmpty else { return passEnd(exit(of: direction), now, &actions) }
        enqueue(run(.end, direction, now), exit(of: direction), now, &actions)
    }

    /// Runs an input through every toxic in order: what one lets go on is the next one's input.
    private mutating func run(_ input: ToxicInput, _ direction: Direction, _ now: Moment) -> Verdict {
        var inputs = [(input: input, at: now.instant)]
        var random = self.random
        defer { self.random = random }
        var result = Verdict()
        for index in self[direction].toxics.indices {
            var outputs: [(input: ToxicInput, at: Instant)] = []
            for (input, at) in inputs {
                let verdict = self[direction].toxics[index].process(input, at: at, random: &random)
                // A delayed chunk reaches the next toxic at its due time, and so does a delayed end.
                outputs += verdict.chunks.map { (.chunk($0), $0.due) }
                if verdict.then != .proceed { result.then = verdict.then }
                switch verdict.then {
                case .proceed: if input == .end { outputs.append((.end, at)) }
                case .finish(let end): outputs.append((.end, end))
                case .stall, .reset: break
                }
            }
            inputs = outputs
        }
        result.chunks = inputs.compactMap { if case .chunk(let chunk) = $0.input { chunk } else { nil } }
        return result
    }

    private mutating func enqueue(
        _ verdict: Verdict,
        _ direction: Direction,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        for chunk in verdict.chunks { enqueue(chunk, direction, receivedAt: now.instant, now, &actions) }
        switch verdict.then {
        case .proceed: break
        case .stall: self[direction].stalls = true
        case .finish(let at): self[direction].endsAt = at
        case .reset(let at): self[direction].resetsAt = at
        }
        pauseIfFull(direction, &actions)
        pump(direction, now, &actions)
    }

    /// Makes the record of a chunk that a toxic or a dial held, when it is released.
    private mutating func recordReleased(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard let receivedAt = self[direction].queue.takeArrival(), let bytes = self[direction].queue.firstBytes else {
            return
        }
        let counted = count(source(of: direction), bytes.span.bytes, receivedAt: receivedAt)
        if settings.recordsChunks {
            actions.append(.recordQueued(direction, makeRecord(.forwarded(counted), now)))
        }
        checkEcho(now, &actions)
    }
}
