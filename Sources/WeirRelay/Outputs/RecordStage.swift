import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirSinks
import WeirWire

/// The thread between the event loops and the outputs: it merges the records of all loops by time, reads the messages in
/// them if an output wants those, and passes both to every output.
final class RecordStage: Sendable {
    private struct State {
        var batches: [(batch: RecordBatch, lane: Int)] = []
        var cost = 0
        /// Whether the thread waits for the bell.
        var isWaiting = false
        var isFull = false
        var isFinishing = false
        var isDone = false
        var lost = LostChunks()
        /// The callers that wait until everything queued so far was passed on, and at the end for the thread's end.
        var passing: [CheckedContinuation<Void, Never>] = []
    }

    /// The records of a queue that are passed to every output.
    struct Delivery: Sendable {
        var runs: [RecordRun] = []
        /// What was left out, because nobody waits for it and messages were read too slowly.
        var lost = LostChunks()

        var isEmpty: Bool { runs.isEmpty && lost.chunks == 0 }
    }

    /// The time, in microseconds, for which small batches gather, so that a busy loop does not wake the threads for
    /// each one.
    private static let gatheringTime: UInt32 = 4000
    private static let gatheringCost = 64 << 10
    /// The window within which records of different loops are merged by time.
    private static let mergeWindow = Duration.milliseconds(10)

    /// Whether a loop has submitted everything and waits for events.
    private final class IdleLane: Sendable {
        let isIdle = Atomic<Bool>(false)
    }

    private let lanes: [IdleLane]
    private let bound: Int
    private let state = Lock(State())
    private let bell: Mailbox<Void>

    init(lanes: Int, bound: Int) throws(SystemError) {
        self.lanes = (0..<max(1, lanes)).map { _ in IdleLane() }
        self.bound = bound
        bell = try Mailbox()
    }

    /// Queues a batch.
    ///
    /// - Parameters:
    ///   - batch: the records of one turn of a loop.
    ///   - lane: the loop's number.
    ///   - waits: whether some output must get every chunk; otherwise chunks that there is no room for are
    ///     left out.
    /// - Returns: whether the queue has just become full, and some output waits, so that the loops must wait too.
    func submit(_ batch: RecordBatch, lane: Int, waits: Bool) -> Bool {
        let (rings, filled) = state.withLock { state -> (Bool, Bool) in
            if !waits, state.cost + batch.cost > bound {
                let (rest, lost) = batch.withoutChunks(keepsWire: true)
                state.lost.add(lost)
                state.batches.append((rest, lane))
                state.cost += rest.cost
            } else {
                state.batches.append((batch, lane))
                state.cost += batch.cost
            }
            let filled = waits && !state.isFull && state.cost > bound
            if filled { state.isFull = true }
            defer { state.isWaiting = false }
            return (state.isWaiting, filled)
        }
        if rings { bell.post(()) }
        return filled
    }

    /// Notes whether a loop waits for events: everything that it will submit is then of a later time.
    func setIdle(_ isIdle: Bool, lane: Int) {
        // Seen by all before the loop reads the clock again.
        lanes[lane].isIdle.store(isIdle, ordering: .sequentiallyConsistent)
    }

    /// Whether each loop waits for events.
    var areIdle: [Bool] { lanes.map { $0.isIdle.load(ordering: .sequentiallyConsistent) } }

    /// Whether all batches submitted so far were passed on.
    var isEmpty: Bool { state.withLock { $0.cost == 0 } }

    /// Waits until all batches submitted so far were passed on.
    func pass() async { await wait(finishing: false) }

    /// Passes on what is queued, ends the thread, and waits for that.
    func finish() async { await wait(finishing: true) }

    private func wait(finishing: Bool) async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if finishing { state.isFinishing = true }
                if !state.isDone { state.passing.append(continuation) }
                return state.isDone
            }
            if isDone { continuation.resume() } else { bell.post(()) }
        }
    }

    // MARK: - On the thread

    /// Serves the queue until the end.
    ///
    /// - Parameters:
    ///   - messages: returns which messages the outputs want now.
    ///   - demand: says to the loops which chunks' bytes are read.
    ///   - emptied: called when a full queue has room again.
    ///   - deliver: passes records to every output.
    func run(
        messages: @Sendable () -> MessageInterest,
        demand: ByteDemand,
        emptied: @Sendable () -> Void,
        deliver: @Sendable (Delivery) -> Void
    ) {
        var merge = RecordMerge(lanes: lanes.count, window: Self.mergeWindow)
        var reader = FlowMessages(demand: demand)
        var passing: [(caller: CheckedContinuation<Void, Never>, since: Instant)] = []
        var (now, idle) = look()
        while true {
            wait(for: merge.waitingTime(at: now, idle: idle))
            // In this order: what an idle loop has submitted is taken, and what it submits later is later than now.
            (now, idle) = look()
            let (batches, lost, callers, isFinishing) = take()
            passing += callers.map { ($0, now) }
            for (batch, lane) in batches { merge.add(batch, lane: lane) }
            let wanted = messages()
            reader.follow(wanted)
            var delivery = Delivery(lost: lost)
            while var run = merge.next(at: isFinishing ? nil : now, idle: idle) {
                if wanted > .none { run.addMessages { reader.read($0, $1, to: $2) } }
                delivery.runs.append(run)
                let cost = merge.takePassedCost()
                guard cost > 0 else { continue }
                // Before more is read: messages may take long.
                deliver(delivery)
                delivery = Delivery()
                if release(cost) { emptied() }
            }
            if !delivery.isEmpty { deliver(delivery) }
            if isFinishing {
                let isLast = state.withLock { state in
                    state.isDone = state.batches.isEmpty
                    if state.isDone { passing += state.passing.map { ($0, now) } }
                    return state.isDone
                }
                guard isLast else { continue }
                for (caller, _) in passing { caller.resume() }
                return
            }
            let first = merge.firstTime ?? Instant(nanoseconds: .max)
            for (caller, since) in passing where first > since { caller.resume() }
            passing.removeAll { first > $0.since }
        }
    }

    private func look() -> (now: Instant, idle: [Bool]) {
        let now = SystemClock.instant()
        return (now, areIdle)
    }

    private func take() -> (
        [(batch: RecordBatch, lane: Int)], LostChunks, [CheckedContinuation<Void, Never>], isFinishing: Bool
    ) {
        state.withLock { state in
            defer { (state.batches, state.lost, state.passing) = ([], LostChunks(), []) }
            return (state.batches, state.lost, state.passing, state.isFinishing)
        }
    }

    /// Waits until a batch is queued, or for as long as records of one loop may wait for another's.
    private func wait(for duration: Duration?) {
        let gathers = state.withLock { $0.cost < Self.gatheringCost && !$0.isFinishing && $0.passing.isEmpty }
        if gathers { usleep(Self.gatheringTime) }
        let hasWork = state.withLock { state in
            state.isWaiting = state.batches.isEmpty && !state.isFinishing && state.passing.isEmpty
            return !state.isWaiting
        }
        guard !hasWork else { return }
        bell.wait(for: duration)
    }

    /// Takes a cost out of the queue's; returns whether a full queue has room again.
    private func release(_ cost: Int) -> Bool {
        state.withLock { state in
            state.cost -= min(cost, state.cost)
            guard state.isFull, state.cost <= bound / 2 else { return false }
            state.isFull = false
            return true
        }
    }
}
