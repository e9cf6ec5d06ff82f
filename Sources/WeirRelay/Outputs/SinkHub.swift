import Glibc
import Synchronization
public import WeirEngine

/// The destination of a sink's output, and the rule for when it is too slow.
public struct SinkOutput: Sendable {
    /// The rule for when an output is too slow.
    public enum Overflow: String, Sendable, CaseIterable {
        /// Reading from sockets waits; nothing is lost.
        case wait
        /// Chunks are skipped and counted.
        case drop
    }

    /// The output's name in messages: `standard output`, or a file's name.
    public var name: String
    /// The sink that renders the records.
    public var sink: any Sink
    /// The descriptor to write to; it stays open, and belongs to the caller.
    public var descriptor: Int32
    /// The path of the file, if the file is to be opened again when it is gone from there.
    public let path: String?
    /// The capture's files, if the output is a capture.
    let files: CaptureFiles?
    /// The rule for when the output is too slow.
    public var overflow: Overflow
    /// A descriptor for the sink's last output, the totals, in case the output itself has failed.
    public var lastResort: Int32?

    /// Makes an output.
    public init(name: String, sink: any Sink, descriptor: Int32, overflow: Overflow = .wait) {
        self.name = name
        self.sink = sink
        self.descriptor = descriptor
        self.overflow = overflow
        path = nil
        files = nil
        whenWaiting = {}
    }

    /// Makes an output that writes a capture to files, one after another if they rotate.
    public init(recordingTo files: CaptureFiles, sink: any Sink, overflow: Overflow = .wait) {
        name = files.path
        self.sink = sink
        descriptor = files.descriptor
        self.overflow = overflow
        path = nil
        self.files = files
        whenWaiting = {}
    }

    /// Called before waiting for the reader of a named pipe.
    let whenWaiting: @Sendable () -> Void

    /// Makes an output that appends to a file, which stays open.
    ///
    /// The file is created if it is missing, also later if it was deleted or renamed.
    ///
    /// - Parameters:
    ///   - path: The file; if it is a named pipe without a reader, the output waits for one.
    ///   - sink: Renders the records.
    ///   - overflow: The rule for when the output is too slow.
    ///   - whenWaiting: Called before waiting for a pipe's reader, also on the output's thread.
    /// - Throws: `SystemError` if the file cannot be opened.
    public init(
        appendingTo path: String,
        sink: any Sink,
        overflow: Overflow = .wait,
        whenWaiting: @escaping @Sendable () -> Void = {}
    ) throws(SystemError) {
        name = path
        self.sink = sink
        self.whenWaiting = whenWaiting
        descriptor = try OutputFile.open(path, whenWaiting: whenWaiting).release()
        self.overflow = overflow
        self.path = path
        files = nil
    }
}

/// The outputs of a relay: each gets all records, and has a limited queue and its own thread.
///
/// The event loops submit batches to one stage, which merges them and reads messages. They never block on an output:
/// while a queue is over its limit they do not read, or chunks are dropped and counted, according to the output's
/// `overflow`.
public final class SinkHub: Sendable {
    private struct State {
        var workers: [SinkWorker] = []
        /// Whether the stage's thread runs: from the first output on.
        var hasStage = false
    }

    private let state = Lock(State())
    private let stage: RecordStage
    private let fullness = Fullness()
    private let onQuiet = Actions()
    private let liveOutputs: LiveOutputCount
    private let bound: Int
    private let report: @Sendable (SinkReport) -> Void
    private let level = Atomic<Int>(Interest.flows.rawValue)
    private let messageLevel = Atomic<Int>(MessageInterest.none.rawValue)
    private let echoes = Atomic<Bool>(false)
    private let wire = Atomic<Bool>(false)
    /// Whether some output must get every chunk.
    private let waits = Atomic<Bool>(false)
    private let demand = ByteDemand()

    /// The highest interest among the outputs.
    public var interest: Interest { Interest(rawValue: level.load(ordering: .relaxed)) ?? .bytes }
    /// The highest interest in messages among the outputs.
    var messages: MessageInterest { MessageInterest(rawValue: messageLevel.load(ordering: .relaxed)) ?? .none }
    /// Whether an output wants what the sockets of flows with TLS sent and received; flows that have begun keep to what it was.
    var wantsWire: Bool { wire.load(ordering: .relaxed) }
    /// Whether an output shows which chunks are echoes.
    var showsEchoes: Bool { echoes.load(ordering: .relaxed) }

    /// Starts a thread for each output, and one that merges the records for all of them.
    ///
    /// - Parameters:
    ///   - outputs: the sinks and where they write.
    ///   - lanes: the number of event loops that submit batches.
    ///   - bound: the maximum size of an output's queue in bytes, measured by `RecordRun.cost`.
    ///   - report: called on an output's thread when the output fails, and at the end with what it skipped.
    /// - Throws: `SystemError` if a thread cannot be started.
    public init(
        outputs: [SinkOutput],
        lanes: Int,
        bound: Int = 64 << 20,
        report: @escaping @Sendable (SinkReport) -> Void
    ) throws(SystemError) {
        (self.bound, self.report) = (bound, report)
        stage = try RecordStage(lanes: lanes, bound: bound)
        liveOutputs = LiveOutputCount(count: outputs.count)
        let workers = try outputs.map { output throws(SystemError) in
            try SinkWorker(output, bound: bound, liveOutputs: liveOutputs, report: report)
        }
        state.withLock { $0.workers = workers }
        reconsider()
        for worker in workers { try start(worker) }
    }

    /// Starts an output's thread, and before the first one the stage's.
    private func start(_ worker: SinkWorker) throws(SystemError) {
        if !state.withLock({ $0.hasStage }) {
            try startThread(named: "weir-records") { [self] in
                stage.run(
                    messages: { self.messages },
                    demand: demand,
                    emptied: { self.fullness.changed(false) },
                    deliver: deliver
                )
            }
            state.withLock { $0.hasStage = true }
        }
        try startThread(named: "weir-sink") { [fullness, onQuiet, stage] in
            worker.run(
                fullnessChanged: fullness.changed,
                whenQuiet: onQuiet.perform,
                isUpToDate: { stage.isEmpty }
            )
        }
    }

    /// Whether the event loops must not read.
    public var isFull: Bool { fullness.isFull }

    /// The number of bytes that the outputs have taken.
    var bytesWritten: UInt64 { all.reduce(0) { $0 + $1.written.load(ordering: .relaxed) } }

    private var all: [SinkWorker] { state.withLock { $0.workers } }

    /// Starts one more output, which gets all records from now on.
    ///
    /// - Returns: the worker with which it is removed.
    func add(_ output: SinkOutput) throws(SystemError) -> SinkWorker {
        let worker = try SinkWorker(output, bound: bound, liveOutputs: liveOutputs, report: report)
        try start(worker)
        liveOutputs.gained()
        state.withLock { $0.workers.append(worker) }
        reconsider()
        return worker
    }

    /// Removes an output, after it has written its queue and its last output.
    func remove(_ worker: SinkWorker) async {
        await stage.pass()
        state.withLock { $0.workers.removeAll { $0 === worker } }
        reconsider()
        await worker.finish()
        _ = liveOutputs.lost()
    }

    /// Asks the outputs again for their interest.
    func reconsider() {
        // Of two callers, the later one stores what it has seen last.
        state.withLock { state in
            let workers = state.workers
            level.store((workers.map(\.interest).max() ?? .flows).rawValue, ordering: .relaxed)
            messageLevel.store((workers.map(\.messages).max() ?? .none).rawValue, ordering: .relaxed)
            echoes.store(workers.contains(where: \.showsEchoes), ordering: .relaxed)
            wire.store(workers.contains(where: \.wantsWire), ordering: .relaxed)
            waits.store(workers.contains { $0.waits && $0.interest >= .chunks }, ordering: .relaxed)
        }
    }

    /// Returns whether the bytes of a chunk are needed to read messages.
    func wants(_ chunk: ChunkRecord, of flow: FlowID) -> Bool { demand.wants(chunk, of: flow) }

    /// Notes whether a loop has submitted everything and waits for events.
    func setIdle(_ isIdle: Bool, lane: Int) { stage.setIdle(isIdle, lane: lane) }

    /// Whether each loop waits for events.
    var areIdle: [Bool] { stage.areIdle }

    /// Passes a batch to every output.
    public func submit(_ batch: RecordBatch, lane: Int) {
        guard state.withLock({ $0.hasStage }) else { return }
        if stage.submit(batch, lane: lane, waits: waits.load(ordering: .relaxed)) { fullness.changed(true) }
    }

    /// Passes merged records to every output, on the stage's thread.
    private func deliver(_ delivery: RecordStage.Delivery) {
        for worker in all where worker.submit(delivery) { fullness.changed(true) }
    }

    /// Adds a closure that runs each time that the last full output has room again.
    public func whenReady(_ action: @escaping @Sendable () -> Void) {
        fullness.onReady.add(action)
    }

    /// Adds a closure that runs when no more records arrive after a long queue, so that memory can be freed.
    func whenQuiet(_ action: @escaping @Sendable () -> Void) {
        onQuiet.add(action)
    }

    /// Writes the queues and each sink's last output, and waits until that is done.
    public func finish() async {
        if state.withLock({ $0.hasStage }) { await stage.finish() }
        let workers = all
        // Start all before waiting for one, so that an output without a reader does not delay the others.
        for worker in workers { worker.beginToFinish() }
        for worker in workers { await worker.finish() }
    }

    /// The names of the outputs that have not written everything after `finish` was called.
    var unfinished: [String] { all.filter { !$0.isDone }.map(\.name) }
}

/// The number of full outputs, with actions for when it becomes zero.
private final class Fullness: Sendable {
    private let fullOutputs = Atomic<Int>(0)
    let onReady = Actions()

    var isFull: Bool { fullOutputs.load(ordering: .relaxed) > 0 }

    func changed(_ isFull: Bool) {
        if isFull {
            fullOutputs.add(1, ordering: .acquiringAndReleasing)
        } else if fullOutputs.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            onReady.perform()
        }
    }
}

/// Closures that run when something happens, on the thread where it does.
private final class Actions: Sendable {
    private let actions = Lock<[@Sendable () -> Void]>([])

    func add(_ action: @escaping @Sendable () -> Void) { actions.withLock { $0.append(action) } }

    func perform() {
        for action in actions.withLock({ $0 }) { action() }
    }
}

/// The number of outputs that still work.
final class LiveOutputCount: Sendable {
    private let count: Atomic<Int>

    init(count: Int) {
        self.count = Atomic(count)
    }

    func gained() { count.add(1, ordering: .acquiringAndReleasing) }

    func lost() -> Int { count.subtract(1, ordering: .acquiringAndReleasing).newValue }
}
