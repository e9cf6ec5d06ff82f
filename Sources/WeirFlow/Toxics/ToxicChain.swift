import WeirWire

/// Is the chain of toxics that the chunks of one direction of a flow pass, in order.
///
/// Each toxic has its own stage with a queue by due time, so that taking one away finds what it holds. What is due in
/// one stage comes to the next one at that time. In a stream nothing overtakes anything.
///
/// Reading order: `push` and `advance` bring things in; `ask` performs a verdict; `ToxicChain+Changes` adds and removes.
struct ToxicChain: Sendable {
    /// Says what comes out.
    enum Output: Sendable {
        case chunk(Chunk)
        /// The end of the direction; with a toxic, that one ends the flow.
        case end(closer: ToxicSet.Entry?)
        case reset(by: ToxicSet.Entry)
        case dropped(by: ToxicSet.Entry, bytes: Int, chunks: Int)
        case record(ToxicRecord)
    }

    var stages: [ToxicStage] = []
    /// Says that what comes is a stream, whose order is kept.
    let keepsOrder: Bool

    init(keepsOrder: Bool) {
        self.keepsOrder = keepsOrder
    }

    /// Says that chunks go by untouched and at once.
    var isClear: Bool { stages.allSatisfy(\.isClear) }

    /// Says that it holds nothing.
    var isEmpty: Bool { stages.allSatisfy(\.queue.isEmpty) }

    /// Estimates what the chain holds, in bytes.
    var cost: Int { stages.reduce(0) { $0 + $1.queue.cost } }

    /// Says when something is to happen next without anything coming.
    ///
    /// - Parameter load: what else the direction holds.
    /// - Returns: the time; nil never, or not before what was let go is sent.
    func nextDue(_ load: Load = Load()) -> Instant? {
        let places = releasing(load)
        var next = Instant.never
        for index in stages.indices {
            if places.contains(index), let due = stages[index].queue.firstDue { next = min(next, due) }
            if let at = stages[index].deadline?.at { next = min(next, at) }
        }
        return next == .never ? nil : next
    }

    /// Says what a direction holds beside what its toxics do.
    struct Load {
        /// Estimates what waits for the kernel, in bytes.
        var queued = 0
        /// Is the bound of all together.
        var bound = Int.max
    }

    /// Lists the stages that may let something go now.
    ///
    /// A later stage may make many pieces of one chunk, so that what is held grows on its way. At the bound only the last one that holds something may, once everything before is sent.
    private func releasing(_ load: Load) -> Range<Int> {
        guard cost + load.queued >= load.bound else { return stages.indices }
        guard load.queued == 0, let last = stages.lastIndex(where: { !$0.queue.isEmpty }) else { return 0..<0 }
        return last..<stages.count
    }

    /// Says when the next chunk goes on; nil where none ever does.
    var nextRelease: Instant? {
        let next = stages.lazy.compactMap(\.queue.firstDue).min()
        return next == .never ? nil : next
    }

    /// Takes a chunk; what is due behind it comes with the next `advance`.
    mutating func push(_ chunk: Chunk, at now: Instant, into output: inout [Output]) {
        feed(.chunk(chunk), 0, now, &output)
    }

    /// Takes the end of the direction.
    mutating func pushEnd(at now: Instant, into output: inout [Output]) {
        feed(.end(closer: nil), 0, now, &output)
    }

    /// Does what is due by now, in the order of time.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - load: what else the direction holds.
    ///   - output: where what comes out goes.
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

    /// Finds what is due first; of two at the same time what is in the later stage, which is ahead, and there what waits.
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

    /// Hands something to a stage, or out behind the last one.
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
        // A wake at once would come again and again.
        case .wake(let at): stages[index].deadline = (max(at, now.advanced(by: .nanoseconds(1))), .wake)
        }
        if input == .end { stages[index].heldEnd = .init(closer: closer) }
    }

    /// Puts something where it waits until it is due, or hands it on where it is.
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
    /// Fills in what the toxic does not say: when the chunk was read, and who has changed it.
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
    /// Is when something is due that never is.
    static let never = Instant(nanoseconds: .max)
}
