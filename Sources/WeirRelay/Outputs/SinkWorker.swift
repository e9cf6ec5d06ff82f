import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirWire

/// The thread of one output, which renders records and writes them.
final class SinkWorker: Sendable {
    private struct State {
        var runs: [RecordRun] = []
        var cost = 0
        /// Whether the thread waits for the bell.
        var isWaiting = false
        var isFull = false
        var hasFailed = false
        var isFinishing = false
        var isDone = false
        var whenDone: [CheckedContinuation<Void, Never>] = []
        var lost = LostChunks()
        /// The counts of what arrived after the output had failed and was not queued.
        var missed = Missed()
        /// The largest cost of the queue since memory was last returned to the system.
        var peak = 0
    }

    /// The largest cost of a queue, in bytes, after which memory is not returned to the system.
    private static let trimmingCost = 8 << 20
    /// The time without a batch after which memory is returned.
    private static let quietTime = Duration.seconds(1)
    private static let writeSize = 64 << 10

    private let output: SinkOutput
    private let bound: Int
    private let liveOutputs: LiveOutputCount
    private let report: @Sendable (SinkReport) -> Void
    private let state = Lock(State())
    private let bell: Mailbox<Void>
    /// The number of bytes that the output has taken.
    let written = Atomic<UInt64>(0)

    /// The output's current interest.
    var interest: Interest { output.sink.interest }
    var showsEchoes: Bool { output.sink.showsEchoes }
    var messages: MessageInterest { output.sink.messages }
    var wantsWire: Bool { output.sink.wantsWire }
    /// Whether the output must get every chunk.
    var waits: Bool { output.overflow == .wait }

    init(
        _ output: SinkOutput,
        bound: Int,
        liveOutputs: LiveOutputCount,
        report: @escaping @Sendable (SinkReport) -> Void
    ) throws(SystemError) {
        self.output = output
        self.bound = bound
        self.liveOutputs = liveOutputs
        self.report = report
        bell = try Mailbox()
    }

    /// Queues records; returns true if the queue has just become full, so that the loops must wait.
    func submit(_ delivery: RecordStage.Delivery) -> Bool {
        let (rings, filled) = state.withLock { state -> (Bool, Bool) in
            if interest >= .chunks { lose(delivery.lost, &state) }
            var isMissed = state.hasFailed || state.lost.chunks == 0
            for run in delivery.runs {
                if state.hasFailed {
                    isMissed = miss(run, &state) && isMissed
                } else {
                    isMissed = false
                    queue(run, &state)
                }
            }
            state.peak = max(state.peak, state.cost)
            let filled = waits && !state.hasFailed && !state.isFull && state.cost > bound
            if filled { state.isFull = true }
            guard !isMissed else { return (false, false) }
            defer { state.isWaiting = false }
            return (state.isWaiting, filled)
        }
        if rings { bell.post(()) }
        return filled
    }

    /// Counts chunks that were left out before they came here.
    private func lose(_ lost: LostChunks, _ state: inout State) {
        guard state.hasFailed else { return state.lost.add(lost) }
        state.missed = state.missed + Missed(records: lost.chunks, chunks: lost.chunks, bytes: lost.bytes)
    }

    private func queue(_ run: RecordRun, _ state: inout State) {
        var run = run
        // Of a batch that the merge has cut, each run keeps the whole in memory.
        if output.overflow == .drop, state.cost + run.held > bound {
            let (rest, lost) = run.withoutChunks(keepsWire: wantsWire)
            state.lost.add(lost)
            run = rest
        }
        state.runs.append(run)
        state.cost += run.cost
    }

    /// Counts records that will not be written, because the output has failed.
    ///
    /// Those that are not chunks are still queued if the sink's last output, the totals, has another destination.
    ///
    /// - Returns: whether none is queued.
    private func miss(_ run: RecordRun, _ state: inout State) -> Bool {
        let rest = run.withoutChunks().run
        state.missed.add(run, for: interest)
        guard output.lastResort != nil, state.cost + rest.cost <= bound else { return true }
        // The rendered counts these when it discards their rendering.
        state.missed.records -= UInt64(rest.count)
        state.runs.append(rest)
        state.cost += rest.cost
        return false
    }

    /// Starts to write the queue and the sink's last output, without waiting for it.
    func beginToFinish() {
        state.withLock { $0.isFinishing = true }
        bell.post(())
    }

    /// Writes the queue and the sink's last output, and waits until that is done.
    func finish() async {
        beginToFinish()
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if !state.isDone { state.whenDone.append(continuation) }
                return state.isDone
            }
            if isDone { continuation.resume() }
        }
    }

    /// Whether everything was written, or never will be.
    var isDone: Bool { state.withLock { $0.isDone } }
    /// The output's name in messages.
    var name: String { output.name }

    // MARK: - On the thread

    /// Writes until the end.
    ///
    /// - Parameters:
    ///   - fullnessChanged: called with false when a full queue has room again.
    ///   - whenQuiet: called when nothing came for a while after much.
    ///   - isUpToDate: returns whether no record is on its way from the loops.
    func run(
        fullnessChanged: @Sendable (Bool) -> Void,
        whenQuiet: @Sendable () -> Void,
        isUpToDate: @Sendable () -> Bool
    ) {
        var rendered = SinkBuffer(output.sink, capacity: 2 * Self.writeSize)
        var target = OutputTarget(output)
        var total = LostChunks()
        renderBegin(at: target.time, &rendered, &target)
        write(&rendered, to: &target, fullnessChanged)
        while true {
            let began = SystemClock.instant()
            wait(for: [target.timeLeft, trimmingTime].compactMap { $0 }.min())
            var (runs, lost, isFinishing) = takeQueued()
            let isEmpty = runs.isEmpty
            var passed = 0
            for index in runs.indices {
                runs[index].forEach { record, bytes in
                    if target.ends(before: record.moment.wallNanoseconds, pending: rendered.buffer.count) {
                        beginFile(at: record.moment.wallNanoseconds, &rendered, &target, fullnessChanged)
                    }
                    rendered.render(record, bytes: bytes)
                    guard rendered.buffer.count >= Self.writeSize else { return }
                    write(&rendered, to: &target, fullnessChanged)
                    release(passed, fullnessChanged)
                    passed = 0
                }
                passed += runs[index].cost
                // Free the batch's bytes as soon as they are read.
                runs[index] = RecordRun()
            }
            if lost.chunks > 0 {
                rendered.renderLoss(lost)
                total.add(lost)
            }
            write(&rendered, to: &target, fullnessChanged)
            release(passed, fullnessChanged)
            if isFinishing, isEmpty {
                rendered.renderEnd()
                write(&rendered, to: &target, fullnessChanged)
                if let file = target.file, rendered.failure == nil { report(.recorded(path: file)) }
                if total.chunks > 0 { report(.lost(name: output.name, chunks: total.chunks, bytes: total.bytes)) }
                tellWhatWasMissed(&rendered)
                return complete()
            }
            if isEmpty, began.duration(to: SystemClock.instant()) >= Self.quietTime { trim(whenQuiet) }
            // What is on its way belongs into this file.
            if target.timeLeft == .zero, isUpToDate(), state.withLock({ $0.runs.isEmpty }) {
                beginFile(at: target.time, &rendered, &target, fullnessChanged)
            }
        }
    }

    /// Ends a capture's file, and begins the next one.
    private func beginFile(
        at time: Int64,
        _ rendered: inout SinkBuffer,
        _ target: inout OutputTarget,
        _ fullnessChanged: (Bool) -> Void
    ) {
        guard rendered.failure == nil else { return }
        rendered.renderEnd()
        write(&rendered, to: &target, fullnessChanged)
        guard rendered.failure == nil else { return }
        do {
            report(.recorded(path: try target.beginFile(at: time)))
            renderBegin(at: time, &rendered, &target)
        } catch {
            fail(error.error, &rendered, target, fullnessChanged)
        }
    }

    private func renderBegin(at time: Int64, _ rendered: inout SinkBuffer, _ target: inout OutputTarget) {
        rendered.renderBegin(at: time)
        target.noteHead(rendered.buffer.count)
    }

    private func takeQueued() -> (runs: [RecordRun], lost: LostChunks, isFinishing: Bool) {
        state.withLock { state in
            defer { (state.runs, state.lost) = ([], LostChunks()) }
            return (state.runs, state.lost, state.isFinishing)
        }
    }

    /// Waits until records are queued, for so long at most.
    private func wait(for duration: Duration?) {
        let hasWork = state.withLock { state in
            state.isWaiting = state.runs.isEmpty && state.lost.chunks == 0 && !state.isFinishing
            return !state.isWaiting
        }
        guard !hasWork else { return }
        bell.wait(for: duration)
    }

    /// The time without a batch after which memory is returned; nil if there is little to return.
    private var trimmingTime: Duration? {
        state.withLock { $0.peak > Self.trimmingCost } ? Self.quietTime : nil
    }

    /// Returns the memory of a burst to the system; the allocator alone would keep it.
    private func trim(_ whenQuiet: () -> Void) {
        let hadBurst = state.withLock { state in
            defer { state.peak = state.cost }
            return state.peak > Self.trimmingCost
        }
        guard hadBurst else { return }
        whenQuiet()
        weir_trim_memory()
    }

    private func release(_ cost: Int, _ fullnessChanged: (Bool) -> Void) {
        let emptied = state.withLock { state in
            state.cost -= min(cost, state.cost)
            guard state.isFull, state.cost <= bound / 2 else { return false }
            state.isFull = false
            return true
        }
        if emptied { fullnessChanged(false) }
    }

    /// Writes the whole rendered; after a failure nothing more is written to the output.
    private func write(_ rendered: inout SinkBuffer, to target: inout OutputTarget, _ fullnessChanged: (Bool) -> Void) {
        guard !rendered.buffer.isEmpty, rendered.failure == nil else { return rendered.discard() }
        do {
            if try target.renew() { report(.renewed(name: output.name)) }
        } catch {
            fail(error.error, &rendered, target, fullnessChanged)
        }
        while !rendered.buffer.isEmpty {
            guard rendered.failure == nil else { return rendered.discard() }
            let count = rendered.buffer.withUnsafeBytes { target.write($0) }
            if count >= 0 {
                rendered.wrote(count)
                written.add(UInt64(count), ordering: .relaxed)
            } else if errno == EAGAIN {
                var descriptor = pollfd(fd: target.raw, events: Int16(POLLOUT), revents: 0)
                poll(&descriptor, 1, -1)
            } else if errno != EINTR {
                fail(.current, &rendered, target, fullnessChanged)
            }
        }
    }

    private func fail(
        _ error: ErrorNumber,
        _ rendered: inout SinkBuffer,
        _ target: borrowing OutputTarget,
        _ fullnessChanged: (Bool) -> Void
    ) {
        target.cutToWhole()
        let wasFull = state.withLock { state in
            let (wasFull, runs) = (state.isFull, state.runs)
            (state.hasFailed, state.isFull, state.runs, state.cost) = (true, false, [], 0)
            for run in runs { _ = miss(run, &state) }
            return wasFull
        }
        if wasFull { fullnessChanged(false) }
        let failure = SinkFailure(name: target.file ?? output.name, error: error, othersLeft: liveOutputs.lost())
        rendered.failure = failure
        report(.failed(failure))
    }

    /// Reports what a failed output did not get, and writes the sink's last output to the last resort.
    private func tellWhatWasMissed(_ rendered: inout SinkBuffer) {
        guard let failure = rendered.failure, !failure.isEndOfInterest else { return }
        let missed = rendered.missed + state.withLock { $0.missed }
        if missed.records > 0 { report(.missed(failure, missed)) }
        guard let descriptor = output.lastResort else { return }
        rendered.renderEnd()
        while !rendered.buffer.isEmpty {
            let count = rendered.buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            rendered.wrote(max(0, count))
        }
    }

    private func complete() {
        let waiting = state.withLock { state in
            state.isDone = true
            return state.whenDone
        }
        for continuation in waiting { continuation.resume() }
    }
}
