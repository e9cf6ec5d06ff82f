import Glibc
import Synchronization
public import WeirFlow
import WeirWire

/// Says where a sink's rendering goes, and what happens when it falls behind.
public struct SinkOutput: Sendable {
    /// Says what happens when a sink falls behind.
    public enum Overflow: String, Sendable, CaseIterable {
        /// Reading waits; nothing is lost.
        case wait
        /// Chunks are left out and counted.
        case drop
    }

    /// Names the output in messages: `standard output`, a file's name.
    public var name: String
    /// Renders the records.
    public var sink: any Sink
    /// Is written to; it stays open, and belongs to the caller.
    public var descriptor: Int32
    /// Names the file that is written to, if it is to be opened anew when it is gone from there.
    public let path: String?
    /// Holds the capture's files, if the output is one.
    let files: CaptureFiles?
    /// Says what happens when the output falls behind.
    public var overflow: Overflow
    /// Names a descriptor that gets the sink's last words, the totals, where the output itself has failed.
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

    /// Makes an output that writes a capture to files, one after another where they rotate.
    public init(recordingTo files: CaptureFiles, sink: any Sink, overflow: Overflow = .wait) {
        name = files.path
        self.sink = sink
        descriptor = files.descriptor
        self.overflow = overflow
        path = nil
        self.files = files
        whenWaiting = {}
    }

    /// Is called before the reader of a named pipe is waited for.
    let whenWaiting: @Sendable () -> Void

    /// Makes an output that appends to a file, and makes the file where it is missing, also later when it was deleted or
    /// renamed; it stays open.
    ///
    /// - Parameters:
    ///   - path: The file; a named pipe without a reader is waited for.
    ///   - sink: Renders the records.
    ///   - overflow: What happens when the output falls behind.
    ///   - whenWaiting: Is called before a pipe's reader is waited for, also on the output's thread.
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

/// Hands each turn's batch of records to every output, each with a bounded queue and a thread of its own.
///
/// The event loops never block on an output: while a queue is over its bound they do not read, or chunks are dropped
/// and counted, as the output's `overflow` says.
public final class SinkHub: Sendable {
    private let workers: Lock<[SinkWorker]>
    private let fullness = Fullness()
    private let onQuiet = Actions()
    private let alive: Living
    private let lanes: Int
    private let bound: Int
    private let report: @Sendable (SinkReport) -> Void
    private let level: Atomic<Int>
    private let echoes: Atomic<Bool>

    /// Says what the outputs want together.
    public var interest: Interest { Interest(rawValue: level.load(ordering: .relaxed)) ?? .bytes }
    /// Says whether an output shows which chunks are echoes.
    var showsEchoes: Bool { echoes.load(ordering: .relaxed) }
    /// Says which chunks' bytes are looked at by outputs that do not show them; those that come later look at none.
    private let demands: [ByteDemand]

    /// Starts a thread for each output.
    ///
    /// - Parameters:
    ///   - outputs: the sinks and where they write.
    ///   - lanes: how many event loops submit batches.
    ///   - bound: how many bytes an output's queue may hold, by `RecordBatch.cost`.
    ///   - report: is told when an output fails, and at the end what was left out; on an output's thread.
    /// - Throws: when a thread cannot be started.
    public init(
        outputs: [SinkOutput],
        lanes: Int,
        bound: Int = 64 << 20,
        report: @escaping @Sendable (SinkReport) -> Void
    ) throws(SystemError) {
        level = Atomic((outputs.map(\.sink.interest).max() ?? .flows).rawValue)
        echoes = Atomic(outputs.contains { $0.sink.showsEchoes })
        (self.lanes, self.bound, self.report) = (lanes, bound, report)
        demands = outputs.compactMap(\.sink.demand)
        let alive = Living(count: outputs.count)
        self.alive = alive
        var workers: [SinkWorker] = []
        for output in outputs {
            workers.append(try SinkWorker(output, lanes: lanes, bound: bound, living: alive, report: report))
        }
        self.workers = Lock(workers)
        for worker in workers {
            try start(worker)
        }
    }

    private func start(_ worker: SinkWorker) throws(SystemError) {
        try startThread(named: "weir-sink") { [fullness, onQuiet] in
            worker.run(fullnessChanged: fullness.changed, whenQuiet: onQuiet.perform)
        }
    }

    /// Tells whether the event loops must not read.
    public var isFull: Bool { fullness.isFull }

    /// Counts the bytes that the outputs have taken.
    var bytesWritten: UInt64 { all.reduce(0) { $0 + $1.written.load(ordering: .relaxed) } }

    private var all: [SinkWorker] { workers.withLock { $0 } }

    /// Starts one more output, which gets the records from now on.
    ///
    /// - Returns: what it is removed by.
    func add(_ output: SinkOutput) throws(SystemError) -> SinkWorker {
        let worker = try SinkWorker(output, lanes: lanes, bound: bound, living: alive, report: report)
        try start(worker)
        alive.gained()
        workers.withLock { $0.append(worker) }
        reconsider()
        return worker
    }

    /// Takes an output out, once it has written what was queued and its last words.
    func remove(_ worker: SinkWorker) async {
        workers.withLock { $0.removeAll { $0 === worker } }
        reconsider()
        await worker.finish()
        _ = alive.lost()
    }

    /// Looks again what the outputs want.
    func reconsider() {
        let workers = all
        level.store((workers.map(\.interest).max() ?? .flows).rawValue, ordering: .relaxed)
        echoes.store(workers.contains(where: \.showsEchoes), ordering: .relaxed)
    }

    /// Tells whether outputs look at bytes that they do not show.
    var hasDemands: Bool { !demands.isEmpty }

    /// Tells whether an output that does not show bytes looks at those of a chunk.
    func wants(_ chunk: ChunkRecord, of flow: FlowID) -> Bool {
        demands.contains { $0.wants(chunk, of: flow) }
    }

    /// Hands a batch to every output.
    public func submit(_ batch: RecordBatch, lane: Int) {
        for worker in all {
            if worker.submit(batch, lane: lane) { fullness.changed(true) }
        }
    }

    /// Registers what is to be done each time that no output is full any more.
    public func whenReady(_ action: @escaping @Sendable () -> Void) {
        fullness.onReady.add(action)
    }

    /// Registers what is to be done when nothing comes any more after much has waited: memory can be given up.
    func whenQuiet(_ action: @escaping @Sendable () -> Void) {
        onQuiet.add(action)
    }

    /// Writes what is queued and each sink's last words, and waits until that is done.
    public func finish() async {
        let workers = all
        // All begin before one is waited for: an output that nobody reads costs the others nothing.
        for worker in workers { worker.beginToFinish() }
        for worker in workers { await worker.finish() }
    }

    /// Names the outputs that have not written everything after `finish` was called.
    var unfinished: [String] { all.filter { !$0.isDone }.map(\.name) }
}

/// Counts the outputs that are full, and tells when none is any more.
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

/// Lists what is to be done when something happens, on whichever thread it does.
private final class Actions: Sendable {
    private let actions = Lock<[@Sendable () -> Void]>([])

    func add(_ action: @escaping @Sendable () -> Void) { actions.withLock { $0.append(action) } }

    func perform() {
        for action in actions.withLock({ $0 }) { action() }
    }
}

/// Counts the outputs that still work.
final class Living: Sendable {
    private let count: Atomic<Int>

    init(count: Int) {
        self.count = Atomic(count)
    }

    func gained() { count.add(1, ordering: .acquiringAndReleasing) }

    func lost() -> Int { count.subtract(1, ordering: .acquiringAndReleasing).newValue }
}
