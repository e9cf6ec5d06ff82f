public import WeirWire

/// The effects of toxics on a flow: when it meets them, how chunks pass through them, and how they end it.
extension Flow {
    /// Applies the route's new toxics to the flow, between two chunks.
    ///
    /// An unchanged toxic stays as it is. A changed one draws its toxicity again, and is asked again about what it
    /// holds. What a removed toxic held goes on at once.
    ///
    /// - Parameters:
    ///   - toxics: the toxics of the flow's route.
    ///   - now: the time.
    ///   - actions: receives the actions.
    public mutating func setToxics(_ toxics: ToxicSet, at now: Moment, into actions: inout [FlowAction]) {
        self.toxics = toxics
        switch state {
        case .open, .delivering: changeChains(now, &actions)
        case .waiting, .dialing, .closing, .resetting, .closed: return
        }
        settle(now, &actions)
        scheduleWake(now, &actions)
    }

    /// Applies the route's toxics to the flow, which has just opened.
    mutating func meetToxics(_ now: Moment, _ actions: inout [FlowAction]) {
        guard !toxics.isEmpty else { return }
        changeChains(now, &actions)
        guard !up.isDirect else { return }
        // Bytes that arrived while the server was dialed pass the toxics now; if a toxic ends the flow, the rest is
        // counted with it.
        while true {
            // Something due at once, such as a reset, may end the flow before the next chunk.
            advanceToxics(now, &actions)
            guard !isClosed, let (bytes, receivedAt) = up.queue.takeUnrecorded() else { return }
            tamper(.upstream, bytes.span.bytes, receivedAt: receivedAt, copy: bytes, now, &actions)
        }
    }

    private mutating func changeChains(_ now: Moment, _ actions: inout [FlowAction]) {
        let longest = toxics.longestPrefix
        let hasHeard = up.counters.chunks > 0 || up.ahead.chunks > 0
        if !hasHeard { firstBytes = longest > 0 ? [] : nil }
        if let first = firstBytes, hasHeard, first.count < longest { firstBytes = nil }
        let context = MeetingContext(client: path.client, number: number, seed: seed, firstBytes: firstBytes)
        for direction in Direction.allCases where !isClosed {
            // An echo server's bytes turn around: they pass the toxics of both directions.
            let entries = isEcho ? (direction == .upstream ? toxics.entries : []) : toxics.entries(direction)
            guard !entries.isEmpty || !self[direction].chain.stages.isEmpty else { continue }
            self[direction].hasMetToxics = true
            if isEcho { down.hasMetToxics = true }
            var output: [ToxicChain.Output] = []
            self[direction].chain.change(to: entries, context, at: now.instant, into: &output)
            apply(output, direction, now, &actions)
            pauseIfFull(exit(of: direction), &actions)
        }
        updateDirect()
    }

    /// Notes the directions whose chunks no toxic needs to see now.
    mutating func updateDirect() {
        let isUndecided = up.chain.isUndecided || down.chain.isUndecided
        up.isDirect = up.chain.isClear && !isUndecided
        down.isDirect = down.chain.isClear
    }

    /// Returns the estimated memory cost of what a direction holds in its toxics and after them, in bytes.
    func held(_ source: Direction) -> Int { self[source].chain.cost + self[exit(of: source)].queue.cost }

    /// Returns what a direction holds besides what its toxics hold.
    private func load(_ source: Direction) -> ToxicChain.Load {
        .init(queued: self[exit(of: source)].queue.cost, bound: settings.toxicBound)
    }

    /// Returns when a toxic has something to do next; nil if never, or not before something is sent.
    func nextDue(_ source: Direction) -> Instant? {
        self[source].chain.stages.isEmpty ? nil : self[source].chain.nextDue(load(source))
    }

    /// Lets the toxics do what is due by now.
    mutating func advanceToxics(_ now: Moment, _ actions: inout [FlowAction]) {
        for direction in Direction.allCases {
            // Not everything that leaves the chain is queued: an empty piece of a stream makes room at once.
            while !isClosed, let due = nextDue(direction), due <= now.instant {
                var output: [ToxicChain.Output] = []
                self[direction].chain.advance(to: now.instant, load(direction), into: &output)
                apply(output, direction, now, &actions)
                updateDirect()
            }
        }
    }

    /// Returns whether a source that has reset still has bytes on their way through toxics; the reset of its receiver
    /// waits for these too.
    mutating func waitsForToxics(_ direction: Direction, _ now: Moment) -> Bool {
        guard case .delivering(_, _, let reason) = state, let release = self[direction].chain.nextRelease else {
            return false
        }
        let until = max(release, now.instant).advanced(by: settings.resetDelay)
        state = .delivering(direction, until: until, reason)
        return true
    }
}

// MARK: - Chunks

extension Flow {
    /// Passes a chunk through the direction's toxics.
    mutating func tamper(_ direction: Direction, _ bytes: RawSpan, _ now: Moment, _ actions: inout [FlowAction]) {
        tamper(direction, bytes, receivedAt: now.instant, copy: nil, now, &actions)
    }

    /// Passes a chunk through the direction's toxics.
    ///
    /// - Parameters:
    ///   - direction: the direction of the chunk.
    ///   - bytes: the chunk.
    ///   - receivedAt: the time at which it was read.
    ///   - copy: the same bytes, if they are not those passed with the event.
    ///   - now: the time.
    ///   - actions: receives the actions.
    private mutating func tamper(
        _ direction: Direction,
        _ bytes: RawSpan,
        receivedAt: Instant,
        copy: [UInt8]?,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        let count = bytes.byteCount
        if transport == .udp, held(direction) + ReleaseQueue.entryCost + count > settings.toxicBound {
            return drop(direction, bytes: UInt64(count), datagrams: 1, .queueFull, now, &actions)
        }
        let half = self[direction]
        var arrival = ChunkRecord(
            direction: direction,
            number: UInt64(clamping: Int64(half.counters.chunks) + half.ahead.chunks),
            offset: UInt64(clamping: Int64(half.counters.bytes) + half.ahead.bytes),
            length: count,
            receivedAt: receivedAt
        )
        arrival.peer = direction == .upstream ? otherServer : answerSource
        self[direction].ahead.bytes += Int64(count)
        self[direction].ahead.chunks += 1
        if settings.recordsChunks {
            let record = makeRecord(.received(arrival), now)
            actions.append(copy.map { .recordCopy(record, $0) } ?? .record(record))
        }
        if direction == .upstream {
            arriving = (direction, count)
            noteFirstBytes(bytes, now, &actions)
            guard arriving.take() != nil else { return }
            guard canForward(direction) else { return dropLate(direction, count, now, &actions) }
        }
        let owned = copy ?? bytes.withUnsafeBytes { Array($0) }
        var output: [ToxicChain.Output] = []
        var chunk = Chunk(bytes: owned, receivedAt: receivedAt)
        if direction == .downstream { chunk.source = answerSource }
        self[direction].chain.push(chunk, at: now.instant, into: &output)
        apply(output, direction, now, &actions)
        updateDirect()
        pauseIfFull(exit(of: direction), &actions)
    }

    /// Shows the client's first bytes to the toxics whose conditions ask for them.
    private mutating func noteFirstBytes(_ bytes: RawSpan, _ now: Moment, _ actions: inout [FlowAction]) {
        guard var first = firstBytes, up.chain.isUndecided || down.chain.isUndecided else { return }
        let wanted = max(0, toxics.longestPrefix - first.count)
        bytes.withUnsafeBytes { first += $0.prefix(wanted) }
        firstBytes = first
        for direction in Direction.allCases where !isClosed {
            var output: [ToxicChain.Output] = []
            self[direction].chain.decide(first, at: now.instant, into: &output)
            apply(output, direction, now, &actions)
        }
    }

    /// Takes the end of a direction through its toxics.
    mutating func passEndThroughToxics(_ direction: Direction, _ now: Moment, _ actions: inout [FlowAction]) {
        advanceToxics(now, &actions)
        var output: [ToxicChain.Output] = []
        self[direction].chain.pushEnd(at: now.instant, into: &output)
        apply(output, direction, now, &actions)
        updateDirect()
    }

    private mutating func dropLate(
        _ direction: Direction,
        _ count: Int,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        drop(direction, bytes: UInt64(count), datagrams: transport == .udp ? 1 : 0, dropReason, now, &actions)
    }
}

// MARK: - What comes out

extension Flow {
    mutating func apply(
        _ output: [ToxicChain.Output],
        _ direction: Direction,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        let exit = exit(of: direction)
        for (index, item) in output.enumerated() {
            guard !hasGivenUp else { return dropAll(output[index...], direction, now, &actions) }
            switch item {
            case .chunk(let chunk):
                // A stream has no empty chunks: the kernel would take nothing, forever.
                if transport == .udp || !chunk.bytes.isEmpty { self[exit].queue.append(chunk) }
            case .end(let closer): endComesOut(direction, closer, now, &actions)
            case .reset(let entry):
                record(.toxic(ToxicRecord(entry, .reset)), now, &actions)
                dropAll(output[(index + 1)...], direction, now, &actions)
                return end(.toxic, losing: .toxic(entry.name), now, &actions)
            case .dropped: dropAll([item], direction, now, &actions)
            case .record(let happening): record(.toxic(happening), now, &actions)
            }
        }
        self[exit].isToPump = true
    }

    /// Counts what toxics have dropped, and what can no longer go on.
    private mutating func dropAll(
        _ output: ArraySlice<ToxicChain.Output>,
        _ direction: Direction,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        for item in output {
            switch item {
            case .chunk(let chunk): dropLate(direction, chunk.bytes.count, now, &actions)
            case .dropped(let entry, let bytes, let chunks):
                let datagrams = transport == .udp ? UInt64(chunks) : 0
                drop(direction, bytes: UInt64(bytes), datagrams: datagrams, .toxic(entry.name), now, &actions)
            case .end, .reset, .record: break
            }
        }
    }

    /// Whether nothing goes on any more.
    private var hasGivenUp: Bool {
        switch state {
        case .closing, .resetting, .closed: true
        case .waiting, .dialing, .open, .delivering: false
        }
    }

    private mutating func endComesOut(
        _ direction: Direction,
        _ closer: ToxicSet.Entry?,
        _ now: Moment,
        _ actions: inout [FlowAction]
    ) {
        if let closer, case .open = state { return beginClosing(closer, now, &actions) }
        if !self[direction].isEnded {
            pauseReading(direction, &actions)
            self[direction].isEnded = true
        }
        self[exit(of: direction)].hasEndDue = true
    }

    /// Ends both directions for a toxic, each after what is queued; what other toxics hold is lost, and counted.
    private mutating func beginClosing(_ closer: ToxicSet.Entry, _ now: Moment, _ actions: inout [FlowAction]) {
        record(.toxic(ToxicRecord(closer, .closed)), now, &actions)
        for direction in Direction.allCases {
            let held = self[direction].chain.removeAll()
            guard held.chunks > 0 else { continue }
            let datagrams = transport == .udp ? UInt64(held.chunks) : 0
            drop(direction, bytes: UInt64(held.bytes), datagrams: datagrams, .toxic(closer.name), now, &actions)
        }
        state = .closing(by: closer.name, until: nil)
        (up.hasMetToxics, down.hasMetToxics) = (true, true)
        (up.hasEndDue, down.hasEndDue) = (true, true)
        (up.isToPump, down.isToPump) = (true, true)
        // Both sides are still read, and their bytes dropped: an unread byte would turn the close into a reset.
        resumeReading(.upstream, &actions)
        if !isEcho { resumeReading(.downstream, &actions) }
    }
}
