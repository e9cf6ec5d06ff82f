import WeirWire

/// The effects of toxics on a flow: when it meets them, how chunks pass through them, and how they end it.
extension Flow {
    /// Applies the route's new toxics to the flow, between two chunks.
    mutating func reconfigure(_ toxics: ToxicSet, _ turn: inout Turn) {
        self.toxics = toxics
        switch state {
        case .open, .delivering: changeChains(&turn)
        case .waiting, .dialing, .closing, .resetting, .closed: break
        }
    }

    /// Applies the route's toxics to the flow, which has just opened.
    mutating func meetToxics(_ turn: inout Turn) {
        guard !toxics.isEmpty else { return }
        changeChains(&turn)
        guard !up.isDirect else { return }
        // Bytes that arrived while the server was dialed pass the toxics now; if a toxic ends the flow, the rest is
        // counted with it.
        while true {
            // Something due at once, such as a reset, may end the flow before the next chunk.
            advanceToxics(&turn)
            guard !isClosed, let (bytes, receivedAt) = up.queue.takeUnrecorded() else { return }
            tamper(.upstream, bytes.span.bytes, receivedAt: receivedAt, copy: bytes, &turn)
        }
    }

    private mutating func changeChains(_ turn: inout Turn) {
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
            self[direction].chain.change(to: entries, context, at: turn.now.instant, into: &output)
            apply(output, direction, &turn)
            pauseIfFull(exit(of: direction), &turn)
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
    mutating func advanceToxics(_ turn: inout Turn) {
        for direction in Direction.allCases {
            // Not everything that leaves the chain is queued: an empty piece of a stream makes room at once.
            while !isClosed, let due = nextDue(direction), due <= turn.now.instant {
                var output: [ToxicChain.Output] = []
                self[direction].chain.advance(to: turn.now.instant, load(direction), into: &output)
                apply(output, direction, &turn)
                updateDirect()
            }
        }
    }

    /// Returns whether a source that has reset still has bytes on their way through toxics; the reset of its receiver
    /// waits for these too.
    mutating func waitsForToxics(_ direction: Direction, _ now: Instant) -> Bool {
        guard case .delivering(_, _, let reason) = state, let release = self[direction].chain.nextRelease else {
            return false
        }
        let until = max(release, now).advanced(by: settings.resetDelay)
        state = .delivering(direction, until: until, reason)
        return true
    }
}

// MARK: - Chunks

extension Flow {
    /// Passes a chunk through the direction's toxics.
    mutating func tamper(_ direction: Direction, _ bytes: RawSpan, _ turn: inout Turn) {
        tamper(direction, bytes, receivedAt: turn.now.instant, copy: nil, &turn)
    }

    /// Passes a chunk through the direction's toxics.
    ///
    /// - Parameters:
    ///   - direction: the direction of the chunk.
    ///   - bytes: the chunk.
    ///   - receivedAt: the time at which it was read.
    ///   - copy: the same bytes, if they are not those passed with the event.
    ///   - turn: the time; receives the actions.
    private mutating func tamper(
        _ direction: Direction,
        _ bytes: RawSpan,
        receivedAt: Instant,
        copy: [UInt8]?,
        _ turn: inout Turn
    ) {
        let count = bytes.byteCount
        if transport == .udp, held(direction) + ReleaseQueue.entryCost + count > settings.toxicBound {
            return drop(direction, bytes: UInt64(count), datagrams: 1, .queueFull, &turn)
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
            record(.received(arrival), copy: copy, &turn)
        }
        if direction == .upstream {
            arriving = (direction, count)
            noteFirstBytes(bytes, &turn)
            guard arriving.take() != nil else { return }
            guard canForward(direction) else { return dropLate(direction, count, &turn) }
        }
        let owned = copy ?? bytes.withUnsafeBytes { Array($0) }
        var output: [ToxicChain.Output] = []
        var chunk = Chunk(bytes: owned, receivedAt: receivedAt)
        if direction == .downstream { chunk.source = answerSource }
        self[direction].chain.push(chunk, at: turn.now.instant, into: &output)
        apply(output, direction, &turn)
        updateDirect()
        pauseIfFull(exit(of: direction), &turn)
    }

    /// Shows the client's first bytes to the toxics whose conditions ask for them.
    private mutating func noteFirstBytes(_ bytes: RawSpan, _ turn: inout Turn) {
        guard var first = firstBytes, up.chain.isUndecided || down.chain.isUndecided else { return }
        let wanted = max(0, toxics.longestPrefix - first.count)
        bytes.withUnsafeBytes { first += $0.prefix(wanted) }
        firstBytes = first
        for direction in Direction.allCases where !isClosed {
            var output: [ToxicChain.Output] = []
            self[direction].chain.decide(first, at: turn.now.instant, into: &output)
            apply(output, direction, &turn)
        }
    }

    /// Takes the end of a direction through its toxics.
    mutating func passEndThroughToxics(_ direction: Direction, _ turn: inout Turn) {
        advanceToxics(&turn)
        var output: [ToxicChain.Output] = []
        self[direction].chain.pushEnd(at: turn.now.instant, into: &output)
        apply(output, direction, &turn)
        updateDirect()
    }

    private mutating func dropLate(
        _ direction: Direction,
        _ count: Int,
        _ turn: inout Turn
    ) {
        drop(direction, bytes: UInt64(count), datagrams: transport == .udp ? 1 : 0, dropReason, &turn)
    }
}

// MARK: - What comes out

extension Flow {
    mutating func apply(
        _ output: [ToxicChain.Output],
        _ direction: Direction,
        _ turn: inout Turn
    ) {
        let exit = exit(of: direction)
        for (index, item) in output.enumerated() {
            guard !hasGivenUp else { return dropAll(output[index...], direction, &turn) }
            switch item {
            case .chunk(let chunk):
                // A stream has no empty chunks: the kernel would take nothing, forever.
                if transport == .udp || !chunk.bytes.isEmpty { self[exit].queue.append(chunk) }
            case .end(let closer): endComesOut(direction, closer, &turn)
            case .reset(let entry):
                record(.toxic(ToxicRecord(entry, .reset)), &turn)
                dropAll(output[(index + 1)...], direction, &turn)
                return end(.toxic, losing: .toxic(entry.name), &turn)
            case .dropped: dropAll([item], direction, &turn)
            case .record(let happening): record(.toxic(happening), &turn)
            }
        }
        self[exit].isToPump = true
    }

    /// Counts what toxics have dropped, and what can no longer go on.
    private mutating func dropAll(
        _ output: ArraySlice<ToxicChain.Output>,
        _ direction: Direction,
        _ turn: inout Turn
    ) {
        for item in output {
            switch item {
            case .chunk(let chunk): dropLate(direction, chunk.bytes.count, &turn)
            case .dropped(let entry, let bytes, let chunks):
                let datagrams = transport == .udp ? UInt64(chunks) : 0
                drop(direction, bytes: UInt64(bytes), datagrams: datagrams, .toxic(entry.name), &turn)
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
        _ turn: inout Turn
    ) {
        if let closer, case .open = state { return beginClosing(closer, &turn) }
        if !self[direction].isEnded {
            pauseReading(direction, &turn)
            self[direction].isEnded = true
        }
        self[exit(of: direction)].hasEndDue = true
    }

    /// Ends both directions for a toxic, each after what is queued; what other toxics hold is lost, and counted.
    private mutating func beginClosing(_ closer: ToxicSet.Entry, _ turn: inout Turn) {
        record(.toxic(ToxicRecord(closer, .closed)), &turn)
        for direction in Direction.allCases {
            let held = self[direction].chain.removeAll()
            guard held.chunks > 0 else { continue }
            let datagrams = transport == .udp ? UInt64(held.chunks) : 0
            drop(direction, bytes: UInt64(held.bytes), datagrams: datagrams, .toxic(closer.name), &turn)
        }
        state = .closing(by: closer.name, until: nil)
        (up.hasMetToxics, down.hasMetToxics) = (true, true)
        (up.hasEndDue, down.hasEndDue) = (true, true)
        (up.isToPump, down.isToPump) = (true, true)
        // Both sides are still read, and their bytes dropped: an unread byte would turn the close into a reset.
        resumeReading(.upstream, &turn)
        if !isEcho { resumeReading(.downstream, &turn) }
    }
}
