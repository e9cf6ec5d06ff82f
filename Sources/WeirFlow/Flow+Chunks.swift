import WeirWire

/// What happens to bytes between their arrival and the kernel's taking them.
extension Flow {
    mutating func receive(_ direction: Direction, _ bytes: RawSpan, _ now: Moment, _ actions: inout [FlowAction]) {
        lastActivity = now.instant
        guard canForward(direction) else {
            return drop(direction, bytes: UInt64(bytes.byteCount), datagrams: 0, .reset, now, &actions)
        }
        guard self[direction].toxics.isEmpty else { return pass(direction, bytes, now, &actions) }
        let chunk = count(direction, bytes, receivedAt: now.instant)
        if settings.recordsChunks { record(.forwarded(chunk), now, &actions) }
        let exit = exit(of: direction)
        if isSending, self[exit].queue.isEmpty {
            actions.append(.send(exit))
        } else {
            hold(bytes, exit, now, &actions)
        }
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
        } else {
            self[direction].queue.take(amount)
            pump(direction, now, &actions)
        }
    }

    /// Copies bytes into a direction's queue, and pauses its source at the high watermark.
    mutating func hold(_ bytes: RawSpan, _ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        let count = bytes.byteCount
        if transport == .udp, self[direction].queue.count + count > settings.highWatermark {
            return drop(direction, bytes: UInt64(count), datagrams: 1, .queueFull, now, &actions)
        }
        self[direction].queue.append(bytes.withUnsafeBytes { Array($0) }, due: now.instant)
        pauseIfFull(direction, &actions)
    }

    private mutating func pauseIfFull(_ direction: Direction, _ actions: inout [FlowAction]) {
        guard transport == .tcp, !self[direction].isPaused, self[direction].queue.count >= settings.highWatermark else {
            return
        }
        self[direction].isPaused = true
        actions.append(.pauseReading(source(of: direction)))
    }

    /// Sends what is due, and passes the end on behind the last byte.
    mutating func pump(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        if let resetsAt = self[direction].resetsAt, resetsAt <= now.instant {
            return end(direction == .upstream ? .clientReset : .serverReset, losing: .reset, now, &actions)
        }
        if self[direction].isPaused, self[direction].queue.count <= settings.lowWatermark {
            self[direction].isPaused = false
            actions.append(.resumeReading(source(of: direction)))
        }
        guard isSending, canForward(direction) else { return }
        if let due = self[direction].queue.firstDue {
            guard due <= now.instant else { return }
            recordReleased(direction, now, &actions)
            actions.append(.sendQueued(direction))
            return
        }
        if let endsAt = self[direction].endsAt, endsAt <= now.instant {
            self[direction].endsAt = nil
            self[direction].isEnded = true
            actions.append(.pauseReading(direction))
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
        enqueue(run([.chunk(chunk)], direction, now), direction, now, &actions)
    }

    /// Asks the chain what becomes of the end, once it has come.
    mutating func passEndThroughToxics(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard !self[direction].toxics.isEmpty else { return }
        enqueue(run([.end], direction, now), direction, now, &actions)
    }

    /// Runs inputs through every toxic in order: what one lets go on is the next one's input.
    private mutating func run(_ inputs: [ToxicInput], _ direction: Direction, _ now: Moment) -> Verdict {
        var inputs = inputs
        var random = self.random
        defer { self.random = random }
        var result = Verdict()
        for index in self[direction].toxics.indices {
            var outputs: [ToxicInput] = []
            for input in inputs {
                // A delayed chunk reaches the next toxic at its due time.
                var at = now.instant
                if case .chunk(let chunk) = input { at = chunk.due }
                let verdict = self[direction].toxics[index].process(input, at: at, random: &random)
                outputs += verdict.chunks.map { .chunk($0) }
                if verdict.then != .proceed {
                    result.then = verdict.then
                } else if input == .end {
                    outputs.append(.end)
                }
            }
            inputs = outputs
        }
        result.chunks = inputs.compactMap { if case .chunk(let chunk) = $0 { chunk } else { nil } }
        return result
    }

    private mutating func enqueue(
        _ verdict: Verdict,
        _ direction: Direction,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        for chunk in verdict.chunks {
            self[direction].queue.append(chunk.bytes, due: chunk.due, receivedAt: now.instant)
        }
        switch verdict.then {
        case .proceed: break
        case .stall: self[direction].stalls = true
        case .finish(let at): self[direction].endsAt = at
        case .reset(let at): self[direction].resetsAt = at
        }
        pauseIfFull(direction, &actions)
        pump(direction, now, &actions)
    }

    /// Makes the record of a chunk that a toxic held, when it is released.
    private mutating func recordReleased(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        guard let receivedAt = self[direction].queue.takeArrival(), let bytes = self[direction].queue.firstBytes else {
            return
        }
        let counted = count(direction, bytes.span.bytes, receivedAt: receivedAt)
        guard settings.recordsChunks else { return }
        actions.append(.recordQueued(direction, makeRecord(.forwarded(counted), now)))
    }
}
