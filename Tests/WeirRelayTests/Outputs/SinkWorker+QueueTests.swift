import Glibc
import Support
import Synchronization
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@testable import WeirRelay

/// Workers that run on the test's own thread, after everything was queued: nothing depends on time.
@Suite("The queue of an output")
struct SinkWorkerQueueTests {
    /// A sink of one line for everything that it is asked to render.
    private struct Lines: Sink {
        var interest = Interest.chunks
        var hasHead = true
        private var records = 0

        init(_ interest: Interest = .chunks, hasHead: Bool = true) {
            self.interest = interest
            self.hasHead = hasHead
        }

        mutating func begin(at time: Int64, into output: inout ByteBuffer) {
            if hasHead { output.append("begin\n") }
        }

        mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
            records += 1
            output.append("\(record.happening.eventName) \(record.flow.rawValue)\n")
        }

        mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer) {
            output.append("lost \(chunks) \(bytes)\n")
        }

        mutating func finish(into output: inout ByteBuffer) { output.append("end after \(records)\n") }
    }

    private let folder: TemporaryFolder
    private let reports = Reports()
    private let changes = Lock<[Bool]>([])

    init() throws { folder = try TemporaryFolder() }

    /// Makes a run of a chunk of 1,000 bytes, and the end of its flow's source.
    private static func run(_ flow: UInt64) -> RecordRun {
        var batch = RecordBatch()
        batch.append(
            record(chunk(.upstream, at: 0, 1000), flow: flow),
            bytes: [UInt8](repeating: 1, count: 1000).span.bytes
        )
        batch.append(record(.ended(.upstream), flow: flow))
        return RecordRun(batch)
    }

    private var path: String { folder.path + "/log" }
    private var text: String { get throws { String(decoding: try folder.read("log"), as: UTF8.self) } }

    private func worker(
        _ overflow: SinkOutput.Overflow = .wait,
        _ sink: Lines = Lines(),
        bound: Int = .max
    ) throws -> SinkWorker {
        try worker(try SinkOutput(appendingTo: path, sink: sink, overflow: overflow), bound: bound)
    }

    private func worker(_ output: SinkOutput, bound: Int = .max, outputs: Int = 1) throws -> SinkWorker {
        try SinkWorker(output, bound: bound, liveOutputs: LiveOutputCount(count: outputs)) { [reports] in
            reports.add($0)
        }
    }

    /// Lets a worker write what is queued, to its end.
    private func finish(_ worker: SinkWorker) {
        worker.beginToFinish()
        worker.run(
            fullnessChanged: { [changes] isFull in changes.withLock { $0.append(isFull) } },
            whenQuiet: { Issue.record("it was never busy") },
            isUpToDate: { true }
        )
        #expect(worker.isDone)
    }

    private var told: [String] {
        reports.sinks.map { report in
            switch report {
            case .failed(let failure): "failed \(failure.name) \(failure.error.rawValue) \(failure.othersLeft)"
            case .missed(let failure, let missed):
                "missed \(failure.name) \(missed.records) \(missed.chunks) \(missed.bytes)"
            case .renewed(let name): "renewed \(name)"
            case .recorded(let path): "recorded \(path)"
            case .lost(let name, let chunks, let bytes): "lost \(name) \(chunks) \(bytes)"
            }
        }
    }

    @Test("Everything is written in order, between the sink's first and last output, and every byte is counted")
    func order() async throws {
        let worker = try worker()
        #expect(worker.written.load(ordering: .relaxed) == 0 && !worker.isDone && worker.name == path)
        for flow in UInt64(1)...3 { #expect(!worker.submit(.init(runs: [Self.run(flow)]))) }
        #expect(!worker.submit(.init(runs: [Self.run(4), Self.run(5)])))
        finish(worker)
        let lines = (1...5).flatMap { ["data \($0)", "end \($0)"] }
        #expect(try text == (["begin"] + lines + ["end after 10"]).map { $0 + "\n" }.joined())
        #expect(try worker.written.load(ordering: .relaxed) == UInt64(text.utf8.count))
        #expect(told == [] && changes.withLock { $0 } == [])
        // It is over, so nobody waits.
        await worker.finish()
    }

    @Test("A queue is full once, over its bound, and has room again once it is written")
    func fills() throws {
        let runs = (UInt64(1)...4).map { Self.run($0) }
        let worker = try worker(bound: runs[0].cost + runs[1].cost)
        #expect(runs.map { worker.submit(.init(runs: [$0])) } == [false, false, true, false])
        finish(worker)
        #expect(changes.withLock { $0 } == [false] && told == [])
        #expect(try text.hasSuffix("end after 8\n"))
    }

    /// A sink of as many bytes for each record as are written at once.
    private struct Blocks: Sink {
        let interest = Interest.flows

        mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
            for _ in 0..<1024 { output.append("0123456789012345678901234567890123456789012345678901234567890123") }
        }
    }

    @Test("A full queue has room again once half of it is written, 64 KiB at a time")
    func halfWritten() throws {
        let runs = (UInt64(1)...6).map { flow in
            var batch = RecordBatch()
            batch.append(record(.opened, flow: flow))
            return RecordRun(batch)
        }
        let worker = try worker(
            try SinkOutput(appendingTo: path, sink: Blocks()),
            bound: runs[..<4].reduce(0) { $0 + $1.cost }
        )
        #expect(runs.map { worker.submit(.init(runs: [$0])) } == [false, false, false, false, true, false])
        let room = Lock<[UInt64]>([])
        worker.beginToFinish()
        worker.run(
            fullnessChanged: { _ in room.withLock { $0.append(worker.written.load(ordering: .relaxed)) } },
            whenQuiet: {},
            isUpToDate: { true }
        )
        // What a record takes is free once the next one is written.
        #expect(room.withLock { $0 } == [5 * 65_536])
        #expect(worker.written.load(ordering: .relaxed) == 6 * 65_536)
    }

    @Test("An output that drops is never full: over its bound only the chunks are left out, and counted after the rest")
    func drops() throws {
        let runs = (UInt64(1)...4).map { Self.run($0) }
        let worker = try worker(.drop, bound: runs[0].cost + runs[1].cost)
        #expect(runs.allSatisfy { !worker.submit(.init(runs: [$0])) })
        finish(worker)
        #expect(try text == "begin\ndata 1\nend 1\ndata 2\nend 2\nend 3\nend 4\nlost 2 2000\nend after 6\n")
        #expect(told == ["lost \(path) 2 2000"] && changes.withLock { $0 } == [])
    }

    @Test(
        "What the stage left out is told to the outputs that want chunks, and added up",
        arguments: [Interest.flows, .chunks, .bytes]
    )
    func stageLoss(interest: Interest) throws {
        let worker = try worker(.wait, Lines(interest))
        for number in UInt64(1)...2 {
            #expect(!worker.submit(.init(lost: LostChunks(chunks: number, bytes: 10 * number))))
        }
        finish(worker)
        let isTold = interest > .flows
        #expect(try text == "begin\n\(isTold ? "lost 3 30\n" : "")end after 0\n")
        #expect(told == (isTold ? ["lost \(path) 3 30"] : []))
    }

    @Test("A log that was deleted is begun anew, which is told")
    func renews() throws {
        let worker = try worker()
        #expect(unlink(path) == 0)
        #expect(!worker.submit(.init(runs: [Self.run(1)])))
        finish(worker)
        #expect(try text == "begin\ndata 1\nend 1\nend after 2\n" && told == ["renewed \(path)"])
    }

    // MARK: - Outputs that fail

    /// Makes an output on a full device.
    private func full(_ sink: Lines) throws -> SinkOutput {
        let device = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(device >= 0)
        return SinkOutput(name: "full", sink: sink, descriptor: device)
    }

    @Test(
        "What a full device did not get is counted, of the records that the sink wants",
        arguments: [Interest.flows, .chunks],
        [true, false]
    )
    func fails(interest: Interest, hasHead: Bool) throws {
        let output = try full(Lines(interest, hasHead: hasHead))
        defer { close(output.descriptor) }
        let worker = try worker(output, outputs: 3)
        for flow in UInt64(1)...3 { #expect(!worker.submit(.init(runs: [Self.run(flow)]))) }
        finish(worker)
        #expect(
            told == ["failed full \(ENOSPC) 2", interest == .flows ? "missed full 3 0 0" : "missed full 6 3 3000"]
        )
        #expect(worker.written.load(ordering: .relaxed) == 0)
        // Nobody waits for it, however much comes.
        #expect(!worker.submit(.init(runs: [Self.run(9)])))
    }

    @Test("A queue that was full when its output failed makes nobody wait")
    func failsWhileFull() throws {
        let output = try full(Lines())
        defer { close(output.descriptor) }
        let worker = try worker(output, bound: 1)
        #expect(worker.submit(.init(runs: [Self.run(1)])))
        finish(worker)
        #expect(changes.withLock { $0 } == [false])
        #expect(told == ["failed full \(ENOSPC) 0", "missed full 2 1 1000"])
    }

    @Test(
        "The totals of a failed output go elsewhere, and know of all records for which there was room",
        arguments: [(Int.max, 3), (1, 0)]
    )
    func lastResort(bound: Int, known: Int) throws {
        var output = try full(Lines())
        defer { close(output.descriptor) }
        let elsewhere = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(elsewhere) }
        output.lastResort = elsewhere
        let worker = try worker(output, bound: bound, outputs: 2)
        for flow in UInt64(1)...3 { _ = worker.submit(.init(runs: [Self.run(flow)])) }
        finish(worker)
        #expect(try text == "end after \(known)\n")
        #expect(told == ["failed full \(ENOSPC) 1", "missed full 6 3 3000"])
    }

    @Test("An only output that was closed is not missed, and one beside others is")
    func closed() throws {
        for (outputs, expected) in [
            (1, ["failed gone \(EBADF) 0"]), (2, ["failed gone \(EBADF) 1", "missed gone 2 1 1000"]),
        ] {
            let other = try SinkWorkerQueueTests()
            let worker = try other.worker(SinkOutput(name: "gone", sink: Lines(), descriptor: -1), outputs: outputs)
            _ = worker.submit(.init(runs: [Self.run(1)]))
            other.finish(worker)
            #expect(other.told == expected)
        }
    }
}
