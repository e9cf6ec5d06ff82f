import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirWire

/// The thread of one output, which renders batches and writes them.
final class SinkWorker: Sendable {
    private struct State {
        var batches: [(batch: RecordBatch, lane: Int)] = []
        var cost = 0
        /// Whether the thread waits for the bell.
        var isWaiting = false
        var isFull = false
        var hasFailed = false
        var isFinishing = false
        var isDone = false
        var whenDone: [CheckedContinuation<Void, Never>] = []
        var lost: (chunks: UInt64, bytes: UInt64) = (0, 0)
        /// The counts of what arrived after the output had failed and was not queued.
        var missed = Missed()
        /// The largest cost of the queue since memory was last returned to the system.
        var peak = 0
    }

    /// The time, in microseconds, for which small batches gather, so that a busy loop does not wake the thread for each
    /// one.
    private static let gatheringTime: UInt32 = 4000
    private static let gatheringCost = 64 << 10
    /// The largest cost of a queue, in bytes, after which memory is not returned to the system.
    private static let trimmingCost = 8 << 20
    /// The time without a batch after which memory is returned.
    private static let quietTime = Duration.seconds(1)
    private static let writeSize = 64 << 10
    /// The window within which records of different loops are merged by time.
    private static let mergeWindow = Duration.milliseconds(10)

    private let output: SinkOutput
    private let lanes: Int
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

    init(
        _ output: SinkOutput,
        lanes: Int,
        bound: Int,
        liveOutputs: LiveOutputCount,
        report: @escaping @Sendable (SinkReport) -> Void
    ) throws(SystemError) {
        self.output = output
        self.lanes = lanes
        self.bound = bound
        self.liveOutputs = liveOutputs
        self.report = report
        bell = try Mailbox()
    }

    /// Queues a batch; returns true if the queue has just become full, so that the loops must wait.
    func submit(_ batch: RecordBatch, lane: Int) -> Bool {
        let (rings, filled) = state.withLock { state -> (Bool, Bool) in
            guard !state.hasFailed else { return (miss(batch, lane, &state), false) }
            var batch = batch
            if output.overflow == .drop, state.cost + batch.cost > bound {
                let (rest, chunks, bytes) = batch.withoutChunks()
                state.lost.chunks += UInt64(chunks)
                state.lost.bytes += bytes
                batch = rest
            }
            state.batches.append((batch, lane))
            state.cost += batch.cost
            state.peak = max(state.peak, state.cost)
            let filled = output.overflow == .wait && !state.isFull && state.cost > bound
            if filled { state.isFull = true }
            defer { state.isWaiting = false }
            return (state.isWaiting, filled)
        }
        if rings { bell.post(()) }
        return filled
    }

    /// Counts a batch that will not be written, because the output has failed.
    ///
    /// Records that are not chunks are still queued if the sink's last output, the totals, has another destination.
    ///
    /// - Returns: whether the thread waits for it.
    private func miss(_ batch: RecordBatch, _ lane: Int, _ state: inout State) -> Bool {
        let rest = batch.withoutChunks().batch
        state.missed.add(batch, for: interest)
        guard output.lastResort != nil, state.cost + rest.cost <= bound else { return false }
        // The rendered counts these when it discards their rendering.
        state.missed.records -= UInt64(rest.records.count)
        state.batches.append((rest, lane))
        state.cost += rest.cost
        defer { state.isWaiting = false }
        return state.isWaiting
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

    func run(fullnessChanged: @Sendable (Bool) -> Void, whenQuiet: @Sendable () -> Void) {
        var rendered = SinkBuffer(output.sink, capacity: 2 * Self.writeSize)
        var target = OutputTarget(output)
        var merge = RecordMerge(lanes: lanes, window: Self.mergeWindow)
        var total: (chunks: UInt64, bytes: UInt64) = (0, 0)
        renderBegin(at: target.time, &rendered, &target)
        write(&rendered, to: &target, fullnessChanged)
        while true {
            let began = SystemClock.instant()
            let times = [merge.waitingTime(at: began), target.timeLeft, trimmingTime]
            wait(for: times.compactMap { $0 }.min())
            let (isEmpty, lost, isFinishing) = takeQueued(into: &merge)
            let now = isFinishing ? nil : SystemClock.instant()
            while let (record, batch) = merge.next(at: now) {
                if target.ends(before: record.moment.wallNanoseconds, pending: rendered.buffer.count) {
                    beginFile(at: record.moment.wallNanoseconds, &rendered, &target, fullnessChanged)
                }
                rendered.render(record, of: batch)
                if rendered.buffer.count >= Self.writeSize {
                    write(&rendered, to: &target, fullnessChanged)
                    release(merge.takePassedCost(), fullnessChanged)
                }
            }
            if lost.chunks > 0 {
                rendered.renderLoss(chunks: lost.chunks, bytes: lost.bytes)
                total = (total.chunks + lost.chunks, total.bytes + lost.bytes)
            }
            write(&rendered, to: &target, fullnessChanged)
            if isFinishing, isEmpty {
                rendered.renderEnd()
                write(&rendered, to: &target, fullnessChanged)
                if let file = target.file, rendered.failure == nil { report(.recorded(path: file)) }
                if total.chunks > 0 { report(.lost(name: output.name, chunks: total.chunks, bytes: total.bytes)) }
                tellWhatWasMissed(&rendered)
                return complete()
            }
            release(merge.takePassedCost(), fullnessChanged)
            if isEmpty, merge.isEmpty, let now, began.duration(to: now) >= Self.quietTime { trim(whenQuiet) }
            if merge.isEmpty, target.timeLeft == .zero { beginFile(at: target.time, &rendered, &target, fullnessChanged) }
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

    /// Moves the queue to the merge, which then is its only owner, so that its memory is freed batch by batch.
    private func takeQueued(
        into merge: inout RecordMerge
    ) -> (isEmpty: Bool, lost: (chunks: UInt64, bytes: UInt64), isFinishing: Bool) {
        let (batches, lost, isFinishing) = state.withLock { state in
            defer {
                state.batches = []
                state.lost = (0, 0)
            }
            return (state.batches, state.lost, state.isFinishing)
        }
        for (batch, lane) in batches { merge.add(batch, lane: lane) }
        return (batches.isEmpty, lost, isFinishing)
    }

    /// Waits until a batch is queued, or for as long as records of one loop may wait for another's.
    private func wait(for duration: Duration?) {
        let gathers = state.withLock { $0.cost < Self.gatheringCost && !$0.isFinishing }
        if gathers { usleep(Self.gatheringTime) }
        let hasWork = state.withLock { state in
            state.isWaiting = state.batches.isEmpty && !state.isFinishing
            return !state.isWaiting
        }
        guard !hasWork else { return }
        defer { _ = bell.take() }
        var descriptor = pollfd(fd: bell.signal, events: Int16(POLLIN), revents: 0)
        let milliseconds = duration.map { Int32(min(1000, max(0, $0.inNanoseconds / 1_000_000 + 1))) } ?? -1
        poll(&descriptor, 1, milliseconds)
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
            let (wasFull, batches) = (state.isFull, state.batches)
            (state.hasFailed, state.isFull, state.batches, state.cost) = (true, false, [], 0)
            for (batch, lane) in batches { _ = miss(batch, lane, &state) }
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
