import WeirWire

/// The addition, change and removal of toxics: between two chunks, without losing or reordering anything.
extension ToxicChain {
    /// Applies a new list of toxics to the chain.
    ///
    /// What a removed toxic held goes on to the next one at once. A changed toxic is asked again about what it holds.
    /// If the order of the remaining ones changes, all of them first release what they hold.
    ///
    /// - Parameters:
    ///   - entries: the toxics from now on.
    ///   - context: what is known about the flow.
    ///   - now: the time.
    ///   - output: receives what leaves the chain.
    mutating func change(
        to entries: [ToxicSet.Entry],
        _ context: MeetingContext,
        at now: Instant,
        into output: inout [Output]
    ) {
        let names = entries.map(\.name)
        let places = stages.map { names.firstIndex(of: $0.entry.name) }
        let kept = places.compactMap(\.self)
        let keepsPlaces = kept == kept.sorted()
        for index in stages.indices.reversed() where places[index] == nil || !keepsPlaces {
            remove(index, now, &output)
        }
        var changed: [Bool] = []
        var old = stages[...]
        stages = entries.map { entry in
            if old.first?.entry.name == entry.name, var stage = old.popFirst() {
                changed.append(stage.entry.configuration != entry.configuration)
                stage.entry = entry
                return stage
            }
            changed.append(false)
            return ToxicStage(entry, seed: context.seed)
        }
        let added = Set(names).subtracting(kept.map { names[$0] })
        // From the last one on, which is ahead: what it releases must not wait for what comes from the others.
        for index in stages.indices.reversed() {
            if added.contains(stages[index].entry.name) || !keepsPlaces {
                meet(index, context, now, .met, &output)
            } else if changed[index] {
                change(index, context, now, &output)
            }
        }
    }

    /// Takes the client's first bytes, and lets the toxics act if the bytes meet their conditions.
    mutating func decide(_ firstBytes: [UInt8], at now: Instant, into output: inout [Output]) {
        for index in stages.indices.reversed() where stages[index].meeting == .undecided {
            let wanted = stages[index].entry.configuration.match?.prefix?.bytes ?? []
            guard firstBytes.starts(with: wanted.prefix(firstBytes.count)) else {
                stages[index].meeting = .passes
                continue
            }
            if firstBytes.count >= wanted.count { draw(index, now, .met, &output) }
        }
    }

    /// Whether a stage waits for the client's first bytes.
    var isUndecided: Bool { stages.contains { $0.meeting == .undecided } }

    /// Removes everything held, and returns how much it was.
    mutating func removeAll() -> (bytes: Int, chunks: Int) {
        var output: [Output] = []
        for index in stages.indices where stages[index].meeting == .acts {
            for case .chunk(let chunk) in stages[index].queue.all { output.append(.chunk(chunk)) }
            let verdict = stages[index].ask(.removed, at: .never)
            output += verdict.chunks.map { .chunk($0) }
        }
        stages = []
        return output.reduce(into: (0, 0)) { sum, item in
            guard case .chunk(let chunk) = item else { return }
            sum.0 += chunk.bytes.count
            sum.1 += 1
        }
    }

    // MARK: - One toxic

    /// Lets the flow meet a toxic, if the toxic's conditions admit the flow.
    private mutating func meet(
        _ index: Int,
        _ context: MeetingContext,
        _ now: Instant,
        _ kind: ToxicRecord.Meeting,
        _ output: inout [Output]
    ) {
        let entry = stages[index].entry
        guard let match = entry.configuration.match else { return draw(index, now, kind, &output) }
        guard match.admits(context.client, number: context.number, since: entry.since) else {
            stages[index].meeting = .passes
            return
        }
        guard let prefix = match.prefix, !prefix.bytes.isEmpty else { return draw(index, now, kind, &output) }
        stages[index].meeting = .undecided
        guard let firstBytes = context.firstBytes else {
            stages[index].meeting = .passes
            return
        }
        if !firstBytes.isEmpty { decide(firstBytes, at: now, into: &output) }
    }

    private mutating func draw(
        _ index: Int,
        _ now: Instant,
        _ kind: ToxicRecord.Meeting,
        _ output: inout [Output]
    ) {
        stages[index].draw()
        let acts = stages[index].meeting == .acts
        output.append(.record(ToxicRecord(stages[index].entry, kind == .met ? .met(acts: acts) : .changed(acts: acts))))
        if acts { ask(.added, index, now, &output) }
    }

    /// Gives a stage its new settings, and asks the toxic again about what it holds.
    private mutating func change(
        _ index: Int,
        _ context: MeetingContext,
        _ now: Instant,
        _ output: inout [Output]
    ) {
        let items = stages[index].queue.takeAll()
        let heldEnd = stages[index].heldEnd
        var previous = stages[index].toxic
        let wasActing = stages[index].meeting == .acts
        stages[index].toxic = stages[index].entry.prototype
        stages[index].toxic.adopt(previous)
        stages[index].deadline = nil
        stages[index].heldEnd = nil
        if wasActing {
            for chunk in previous.process(.removed, at: now, random: &stages[index].random).chunks {
                feed(.chunk(chunk), index + 1, now, &output)
            }
        }
        meet(index, context, now, .changed, &output)
        for item in items {
            guard stages[index].meeting == .acts, !stages[index].hasEnded else {
                feed(item, index + 1, now, &output)
                continue
            }
            switch item {
            case .chunk(let chunk): ask(.chunk(chunk), index, now, &output)
            case .end(let closer): ask(.end, closer: closer, index, now, &output)
            }
        }
        if let heldEnd { feed(.end(closer: heldEnd.closer), index, now, &output) }
    }

    /// Removes a stage: what it holds goes on to the next one, in order.
    private mutating func remove(_ index: Int, _ now: Instant, _ output: inout [Output]) {
        let entry = stages[index].entry
        if stages[index].meeting == .acts { output.append(.record(ToxicRecord(entry, .removed))) }
        for item in stages[index].queue.takeAll() { feed(item, index + 1, now, &output) }
        if stages[index].meeting == .acts {
            let verdict = stages[index].ask(.removed, at: now)
            for chunk in verdict.chunks { feed(.chunk(chunk), index + 1, now, &output) }
            if case .close = verdict.then { feed(.end(closer: entry), index + 1, now, &output) }
        }
        if let heldEnd = stages[index].heldEnd { feed(.end(closer: heldEnd.closer), index + 1, now, &output) }
        stages.remove(at: index)
    }
}

/// The properties of a flow that a toxic's conditions can ask about.
struct MeetingContext {
    var client: Endpoint
    /// The number of the flow on its route, from 1.
    var number: UInt64
    var seed: UInt64
    /// The client's first bytes, as far as they have arrived; nil if they passed unseen.
    var firstBytes: [UInt8]?
}
