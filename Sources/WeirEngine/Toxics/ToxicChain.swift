import WeirWire

/// The chain of toxics that the chunks of one direction of a flow pass, in order.
///
/// Each toxic has its own stage with a queue in the order of due times, so that removing a toxic finds what it holds. A
/// chunk that is due in one stage reaches the next one at that time. In a stream, nothing overtakes anything.
///
/// Reading order: `push` and `advance` bring things in; `ask` performs a verdict; `ToxicChain+Changes` adds and
/// removes.
struct ToxicChain: Sendable {
    /// What leaves the chain.
    enum Output: Sendable {
        case chunk(Chunk)
        /// The end of the direction; if a toxic is given, that toxic ends the flow.
        case end(closer: ToxicSet.Entry?)
        case reset(by: ToxicSet.Entry)
        case dropped(by: ToxicSet.Entry, bytes: Int, chunks: Int)
        case record(ToxicRecord)
    }

    var stages: [ToxicStage] = []
    /// Whether the chain carries a stream, whose order is kept.
    let keepsOrder: Bool

    init(keepsOrder: Bool) {
        self.keepsOrder = keepsOrder
    }

    /// Whether chunks pass unchanged and without delay.
    var isClear: Bool { stages.allSatisfy(\.isClear) }

    /// Whether the chain holds nothing.
    var isEmpty: Bool { stages.allSatisfy(\.queue.isEmpty) }

    /// The number of bytes that the chain holds.
    var heldBytes: Int { stages.reduce(0) { $0 + $1.queue.bytes } }

    /// The estimated memory cost of what the chain holds, in bytes.
    var cost: Int { stages.reduce(0) { $0 + $1.queue.cost } }

    /// Returns when something happens next without further input.
    ///
    /// - Parameter load: what else the direction holds.
    /// - Returns: the time; nil if never, or not before the released bytes are sent.
    func nextDue(_ load: Load = Load()) -> Instant? {
        let places = releasing(load)
        var next = Instant.never
        for index in stages.indices {
            if places.contains(index), let due = stages[index].queue.firstDue { next = min(next, due) }
            if let at = stages[index].deadline?.at { next = min(next, at) }
        }
        return next == .never ? nil : next
    }

    /// What a direction holds besides what its toxics hold.
    struct Load {
        /// The estimated memory cost of what waits for the kernel, in bytes.
        var queued = 0
        /// The limit on the total, in bytes.
        var bound = Int.max
    }

    /// Returns the stages that may release something now.
    ///
    /// A later stage may make many pieces of one chunk, so that the cost grows on the way. At the limit, only the last
    /// stage that holds something may release it, and only after everything before is sent.
    private func releasing(_ load: Load) -> Range<Int> {
        guard cost + load.queued >= load.bound else { return stages.indices }
        guard load.queued == 0, let last = stages.lastIndex(where: { !$0.queue.isEmpty }) else { return 0..<0 }
        return last..<stages.count
    }

    /// The time at which the next chunk goes on; nil if there is none, or never.
    var nextRelease: Instant? {
        let next = stages.lazy.compactMap(\.queue.firstDue).min()
        return next == .never ? nil : next
    }

    /// Takes a chunk; what is due after it comes with the next `advance`.
    mutating func push(_ chunk: Chunk, at now: Instant, into output: inout [Output]) {
        feed(.chunk(chunk), 0, now, &output)
    }

    /// Takes the end of the direction.
    mutating func pushEnd(at now: Instant, into output: inout [Output]) {
        feed(.end(closer: nil), 0, now, &output)
    }

    /// Performs what is due by now, in the order of time.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - load: what else the direction holds.
    ///   - output: receives what leaves the chain.
    mutating func advance(to now: Instant, _ load: Load = Load(), into output: inout [Output]) {
        var load = load
        var counted = output.count
        while let (index, due, isDeadline) = earliest(by: now, load) {
            if isDeadline, let what = stages[index].deadline?.what {
                stages[index].deadline = nil
                perform(what, index, due, &output)
            } else if let (item, _) = stages[index].queue.popFirst() {
                feed(item, index + 1, due, &output)
            }
            for item in output[counted...] {
                if case .chunk(let chunk) = item { load.queued += chunk.bytes.count + ReleaseQueue.entryCost }
            }
            counted = output.count
        }
    }

    /// Finds what is due first; at equal times the later stage, which is ahead, comes first, and in it the queue.
    private func earliest(by now: Instant, _ load: Load) -> (index: Int, due: Instant, isDeadline: Bool)? {
        let places = releasing(load)
        var found: (index: Int, due: Instant, isDeadline: Bool)?
        for index in stages.indices {
            if let at = stages[index].deadline?.at, at <= now, at <= found?.due ?? at { found = (index, at, true) }
            guard places.contains(index), let due = stages[index].queue.firstDue, due <= now, due <= found?.due ?? due
            else { continue }
            found = (index, due, false)
        }
        return found
    }

    private mutating func perform(
        _ deadline: ToxicStage.Deadline,
        _ index: Int,
        _ now: Instant,
        _ output: inout [Output]
    ) {
        switch deadline {
        case .wake: ask(.wake, index, now, &output)
        case .close:
            place(.end(closer: stages[index].entry), due: now, index, now, &output)
            stages[index].hasEnded = true
        case .reset: output.append(.reset(by: stages[index].entry))
        }
    }

    /// Hands an item to a stage, or out of the chain after the last one.
    mutating func feed(_ item: HeldQueue.Item, _ index: Int, _ now: Instant, _ output: inout [Output]) {
        var index = index
        while index < stages.count, stages[index].meeting != .acts { index += 1 }
        switch item {
        case .chunk(var chunk):
            guard index < stages.count else { return output.append(.chunk(chunk)) }
            guard !stages[index].hasEnded else {
                return output.append(.dropped(by: stages[index].entry, bytes: chunk.bytes.count, chunks: 1))
            }
            chunk.arrivedAt = now
            chunk.due = now
            ask(.chunk(chunk), index, now, &output)
        case .end(let closer):
            guard index < stages.count else { return output.append(.end(closer: closer)) }
            guard !stages[index].hasEnded else { return }
            ask(.end, closer: closer, index, now, &output)
        }
    }

    /// Asks a stage's toxic, and performs its verdict.
    mutating func ask(
        _ input: ToxicInput,
        closer: ToxicSet.Entry? = nil,
        _ index: Int,
        _ now: Instant,
        _ output: inout [Output]
    ) {
        let verdict = stages[index].ask(input, at: now)
        let entry = stages[index].entry
        if verdict.droppedBytes > 0 || verdict.droppedChunks > 0 {
            output.append(.dropped(by: entry, bytes: verdict.droppedBytes, chunks: verdict.droppedChunks))
        }
        for chunk in verdict.chunks {
            place(.chunk(chunk.signed(by: entry, from: input)), due: chunk.due, index, now, &output)
        }
        perform(verdict.then, of: input, closer, index, now, &output)
    }

    private mutating func perform(
        _ sequel: Verdict.Sequel,
        of input: ToxicInput,
        _ closer: ToxicSet.Entry?,
        _ index: Int,
        _ now: Instant,
        _ output: inout [Output]
    ) {
        switch sequel {
        case .proceed:
            guard input == .end else { return }
            stages[index].deadline = nil
            return place(.end(closer: closer), due: now, index, now, &output)
        case .finish(let at):
            place(.end(closer: closer), due: at, index, now, &output)
            stages[index].hasEnded = true
            return
        case .close(let at): stages[index].deadline = (at, .close)
        case .reset(let at): stages[index].deadline = (at, .reset)
        // A wake at once would repeat forever.
        case .wake(let at): stages[index].deadline = (max(at, now.advanced(by: .nanoseconds(1))), .wake)
        }
        if input == .end { stages[index].heldEnd = .init(closer: closer) }
    }

    /// Queues an item until it is due, or hands it on if it is due now.
    private mutating func place(
        _ item: HeldQueue.Item,
        due: Instant,
        _ index: Int,
        _ now: Instant,
        _ output: inout [Output]
    ) {
        var due = due
        var waitsForOthers = keepsOrder
        if case .end = item { waitsForOthers = true }
        if waitsForOthers, let last = stages[index].queue.lastDue { due = max(due, last) }
        if due <= now, !waitsForOthers || stages[index].queue.isEmpty {
            feed(item, index + 1, now, &output)
        } else {
            stages[index].queue.insert(item, due: due)
        }
    }
}

extension Chunk {
    /// Fills in what the toxic leaves out: when the chunk was read, and which toxic changed it.
    fileprivate func signed(by entry: ToxicSet.Entry, from input: ToxicInput) -> Chunk {
        var chunk = self
        if case .chunk(let source) = input {
            if chunk.receivedAt == nil { chunk.receivedAt = source.receivedAt }
            if chunk.source == nil { chunk.source = source.source }
            chunk.arrivedAt = source.arrivedAt
        }
        for index in chunk.changes.indices where chunk.changes[index].toxic.isEmpty {
            chunk.changes[index].toxic = entry.name
        }
        return chunk
    }
}

extension Instant {
    /// The due time of something that is never due.
    static let never = Instant(nanoseconds: .max)
}
