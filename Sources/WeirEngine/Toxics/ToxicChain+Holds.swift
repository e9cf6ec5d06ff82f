import WeirWire

/// A decision about a held chunk.
public enum HoldDecision: Hashable, Sendable {
    /// It goes on unchanged.
    case forward
    /// It is dropped, and counted.
    case drop
    /// These bytes go on in its place; in a stream, no bytes are the same as a drop.
    case replace([UInt8])
}

extension ToxicChain {
    /// The chunks that wait for a decision, each with the name of the toxic that holds it.
    var heldChunks: [(toxic: String, chunk: Chunk)] {
        stages.filter { $0.meeting == .acts && $0.toxic is HoldToxic }.flatMap { stage in
            stage.queue.all.compactMap { item in
                guard case .chunk(let chunk) = item, chunk.isHeld else { return nil }
                return (stage.entry.name, chunk)
            }
        }
    }

    /// Decides about a chunk; whatever waited only for it goes on as well.
    ///
    /// - Parameters:
    ///   - number: the chunk's number among those that the toxic has held.
    ///   - toxic: the toxic's name.
    ///   - decision: what happens to the chunk.
    ///   - now: the time.
    ///   - output: receives what leaves the chain.
    /// - Returns: false if the chunk is no longer held.
    mutating func decide(
        _ number: UInt64,
        of toxic: String,
        _ decision: HoldDecision,
        at now: Instant,
        into output: inout [Output]
    ) -> Bool {
        guard let index = stages.firstIndex(where: { $0.entry.name == toxic && $0.toxic is HoldToxic }),
            stages[index].queue.all.contains(where: { $0.isHeld(number) })
        else { return false }
        var last = now
        for item in stages[index].queue.takeAll() {
            var item = item
            if item.isHeld(number) {
                guard let decided = decide(item, decision, stages[index].entry, &output) else { continue }
                item = decided
            }
            // An undecided chunk keeps its time; everything else waits only for what is before it.
            var due = now
            if case .chunk(let chunk) = item, chunk.isHeld { due = chunk.due }
            if case .end = item { due = last }
            if keepsOrder { due = max(due, last) }
            last = max(last, due)
            stages[index].queue.insert(item, due: due)
        }
        advance(to: now, into: &output)
        return true
    }

    private func decide(
        _ item: HeldQueue.Item,
        _ decision: HoldDecision,
        _ entry: ToxicSet.Entry,
        _ output: inout [Output]
    ) -> HeldQueue.Item? {
        guard case .chunk(var chunk) = item else { return item }
        var isDropped = decision == .drop
        if case .replace(let bytes) = decision {
            isDropped = keepsOrder && bytes.isEmpty
            var change = ToxicChange(.replaced, count: chunk.bytes.count)
            change.toxic = entry.name
            chunk.changes = [change]
            if !isDropped { chunk.bytes = bytes }
        }
        guard !isDropped else {
            output.append(.dropped(by: entry, bytes: chunk.bytes.count, chunks: 1))
            return nil
        }
        chunk.due = chunk.arrivedAt
        return .chunk(chunk)
    }
}

extension HeldQueue.Item {
    fileprivate func isHeld(_ number: UInt64) -> Bool {
        if case .chunk(let chunk) = self { chunk.isHeld && chunk.holdNumber == number } else { false }
    }
}
