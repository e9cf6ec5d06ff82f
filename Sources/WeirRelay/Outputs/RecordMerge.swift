import WeirEngine
import WeirWire

/// A merge of the records of several event loops by time; each loop's own records are already in order.
///
/// A record waits until every loop has a later one, or for the merging window at most, so a silent loop does not delay
/// the others any longer.
struct RecordMerge {
    private struct Lane {
        var batches: [RecordBatch] = []
        var batch = 0
        var record = 0

        /// Moves past a record.
        ///
        /// - Returns: the memory of its batch, in bytes, if it was the batch's last record; otherwise 0.
        mutating func advance() -> Int {
            record += 1
            guard record == batches[batch].records.count else { return 0 }
            let cost = batches[batch].cost
            record = 0
            // Free the batch's bytes as soon as they are read.
            batches[batch] = RecordBatch()
            batch += 1
            if batch == batches.count {
                batches = []
                batch = 0
            } else if batch == 64 {
                batches.removeFirst(64)
                batch = 0
            }
            return cost
        }
    }

    private var lanes: [Lane]
    private let window: Duration
    /// The memory of the batches whose records have all been taken, in bytes, since `takePassedCost` was last called.
    private var passedCost = 0

    init(lanes: Int, window: Duration) {
        self.lanes = Array(repeating: Lane(), count: max(1, lanes))
        self.window = window
    }

    /// Whether no record waits.
    var isEmpty: Bool { lanes.allSatisfy { $0.batches.isEmpty } }

    mutating func add(_ batch: RecordBatch, lane: Int) {
        guard !batch.isEmpty else { return }
        lanes[lane].batches.append(batch)
    }

    /// Takes the next record in order of time; returns nil if there is none, or it must still wait.
    ///
    /// - Parameter now: the time; if nil, no record has to wait.
    /// - Returns: the record, and the batch that keeps its bytes.
    mutating func next(at now: Instant?) -> (FlowRecord, RecordBatch)? {
        guard let (index, first) = earliest() else { return nil }
        if let now, lanes.contains(where: { $0.batches.isEmpty }), first.moment.instant.advanced(by: window) > now {
            return nil
        }
        let batch = lanes[index].batches[lanes[index].batch]
        passedCost += lanes[index].advance()
        return (first, batch)
    }

    /// Returns how long the next record must still wait; nil if there is none.
    func waitingTime(at now: Instant) -> Duration? {
        guard let (_, first) = earliest() else { return nil }
        return max(.zero, now.duration(to: first.moment.instant.advanced(by: window)))
    }

    /// Returns how much memory was freed since the last call, in bytes.
    mutating func takePassedCost() -> Int {
        defer { passedCost = 0 }
        return passedCost
    }

    private func earliest() -> (lane: Int, record: FlowRecord)? {
        var best: (lane: Int, record: FlowRecord)?
        for (index, lane) in lanes.enumerated() where !lane.batches.isEmpty {
            let record = lane.batches[lane.batch].records[lane.record]
            if let best, best.record.moment.instant <= record.moment.instant { continue }
            best = (index, record)
        }
        return best
    }
}
