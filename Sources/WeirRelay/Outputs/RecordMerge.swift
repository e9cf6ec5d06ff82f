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

        /// The batch of the next record, and the record's index in it.
        var next: (batch: RecordBatch, record: Int) { (batches[batch], record) }

        /// Moves on within the batch.
        ///
        /// - Returns: the memory of the batch, in bytes, if its end was reached; otherwise 0.
        mutating func advance(to end: Int) -> Int {
            record = end
            guard end == batches[batch].records.count else { return 0 }
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

    mutating func add(_ batch: RecordBatch, lane: Int) {
        guard !batch.isEmpty else { return }
        lanes[lane].batches.append(batch)
    }

    /// Takes the next records in order of time that are of one loop.
    ///
    /// - Parameters:
    ///   - now: the time; if nil, no record has to wait.
    ///   - idle: for each lane whether it had nothing to submit at that time, so that nothing older comes from it.
    /// - Returns: the records; nil if there are none, or they must still wait.
    mutating func next(at now: Instant?, idle: [Bool] = []) -> RecordRun? {
        guard let (index, first) = earliest() else { return nil }
        let latest = now.flatMap { self.latest(at: $0, idle) }
        if let latest, first.moment.instant > latest { return nil }
        let (batch, start) = lanes[index].next
        let other = earliest(but: index)
        var end = start + 1
        while end < batch.records.count, lanes.count > 1 {
            let time = batch.records[end].moment.instant
            if let latest, time > latest { break }
            if let other, other.lane < index ? time >= other.record.moment.instant : time > other.record.moment.instant
            {
                break
            }
            end += 1
        }
        if lanes.count == 1 { end = batch.records.count }
        passedCost += lanes[index].advance(to: end)
        return RecordRun(batch, start..<end)
    }

    /// Returns the time up to which records can be taken; nil if every lane has one.
    private func latest(at now: Instant, _ idle: [Bool]) -> Instant? {
        var latest: Instant?
        for (index, lane) in lanes.enumerated() where lane.batches.isEmpty {
            let isIdle = index < idle.count && idle[index]
            latest = isIdle ? latest ?? now : now.advanced(by: .zero - window)
        }
        return latest
    }

    /// Returns how long the next record must still wait at most; nil if there is none.
    func waitingTime(at now: Instant, idle: [Bool] = []) -> Duration? {
        guard let (_, first) = earliest() else { return nil }
        guard let latest = latest(at: now, idle) else { return .zero }
        return max(.zero, latest.duration(to: first.moment.instant))
    }

    /// The time of the next record; nil if there is none.
    var firstTime: Instant? { earliest()?.record.moment.instant }

    /// Returns how much memory was freed since the last call, in bytes.
    mutating func takePassedCost() -> Int {
        defer { passedCost = 0 }
        return passedCost
    }

    /// Finds the lane with the earliest record; of equally early ones, the first.
    private func earliest(but excluded: Int? = nil) -> (lane: Int, record: FlowRecord)? {
        var best: (lane: Int, record: FlowRecord)?
        for (index, lane) in lanes.enumerated() where !lane.batches.isEmpty && index != excluded {
            let record = lane.batches[lane.batch].records[lane.record]
            if let best, best.record.moment.instant <= record.moment.instant { continue }
            best = (index, record)
        }
        return best
    }
}
