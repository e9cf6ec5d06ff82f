import WeirFlow

/// Merges the records of several event loops by time; each loop's own are in order already.
///
/// A record waits until every loop has said something later, or for the merging window: a loop that is silent makes
/// nobody wait longer.
struct RecordMerge {
    private struct Lane {
        var batches: [RecordBatch] = []
        var batch = 0
        var record = 0
    }

    private var lanes: [Lane]
    private let window: Duration

    init(lanes: Int, window: Duration) {
        self.lanes = Array(repeating: Lane(), count: max(1, lanes))
        self.window = window
    }

    /// Says that no record waits.
    var isEmpty: Bool { lanes.allSatisfy { $0.batches.isEmpty } }

    mutating func add(_ batch: RecordBatch, lane: Int) {
        guard !batch.isEmpty else { return }
        lanes[lane].batches.append(batch)
    }

    /// Takes the next record in time; nil where none is, or the next one must still wait.
    ///
    /// - Parameter now: the time; nil lets nothing wait.
    /// - Returns: the record, and the batch that keeps its bytes.
    mutating func next(at now: Instant?) -> (FlowRecord, RecordBatch)? {
        guard let (index, first) = earliest() else { return nil }
        if let now, lanes.contains(where: { $0.batches.isEmpty }), first.moment.instant.advanced(by: window) > now {
            return nil
        }
        let batch = lanes[index].batches[lanes[index].batch]
        advance(&lanes[index])
        return (first, batch)
    }

    /// Says how long the next record must still wait; nil where there is none.
    func waitingTime(at now: Instant) -> Duration? {
        guard let (_, first) = earliest() else { return nil }
        return max(.zero, now.duration(to: first.moment.instant.advanced(by: window)))
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

    private func advance(_ lane: inout Lane) {
        lane.record += 1
        guard lane.record == lane.batches[lane.batch].records.count else { return }
        lane.record = 0
        // Its bytes are not kept any longer than they are read.
        lane.batches[lane.batch] = RecordBatch()
        lane.batch += 1
        if lane.batch == lane.batches.count {
            lane.batches = []
            lane.batch = 0
        } else if lane.batch == 64 {
            lane.batches.removeFirst(64)
            lane.batch = 0
        }
    }
}
