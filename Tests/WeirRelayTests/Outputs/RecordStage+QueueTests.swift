import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("The queue of the stage", .timeLimit(.minutes(1)))
struct RecordStageQueueTests {
    /// What a stage passed on.
    private final class Passed: Sendable {
        let deliveries = Lock<[RecordStage.Delivery]>([])
        /// The number of deliveries before each time that a full queue had room again.
        let emptied = Lock<[Int]>([])

        func noteRoom() {
            let count = deliveries.withLock { $0.count }
            emptied.withLock { $0.append(count) }
        }

        /// Each delivery as a line.
        var lines: [String] {
            deliveries.withLock { $0 }.map { delivery in
                var words: [String] = []
                for run in delivery.runs {
                    run.forEach { record, _ in
                        words.append("\(record.flow.rawValue)\(record.happening.chunk == nil ? "" : " chunk")")
                    }
                }
                if delivery.lost.chunks > 0 { words.append("lost \(delivery.lost.chunks) \(delivery.lost.bytes)") }
                return words.joined(separator: ", ")
            }
        }
    }

    /// Makes a batch of a chunk, and the end of its flow's source.
    private static func batch(_ flow: UInt64, length: Int = 1000) -> RecordBatch {
        var batch = RecordBatch()
        batch.append(
            record(chunk(.upstream, at: 0, length), flow: flow),
            bytes: [UInt8](repeating: 1, count: length).span.bytes
        )
        batch.append(record(.ended(.upstream), flow: flow))
        return batch
    }

    /// Runs a stage's thread until it is told to finish, and passes on everything that is queued.
    private static func start(_ stage: RecordStage) throws -> (Background<Void>, Passed) {
        let passed = Passed()
        let thread = try Background {
            stage.run(
                messages: { .none },
                demand: ByteDemand(),
                emptied: { passed.noteRoom() },
                deliver: { delivery in passed.deliveries.withLock { $0.append(delivery) } }
            )
        }
        return (thread, passed)
    }

    @Test("The queue is full once, over its bound, and has room again once half of it was passed on, batch by batch")
    func fills() async throws {
        let batches = (UInt64(1)...6).map { Self.batch($0) }
        let stage = try RecordStage(lanes: 1, bound: batches[..<4].reduce(0) { $0 + $1.cost })
        #expect(stage.isEmpty)
        let filled = batches.map { stage.submit($0, lane: 0, waits: true) }
        #expect(filled == [false, false, false, false, true, false])
        #expect(!stage.isEmpty)
        let (thread, passed) = try Self.start(stage)
        await stage.finish()
        try thread.value()
        #expect(passed.lines == (1...6).map { "\($0) chunk, \($0)" })
        // The allocator decides how much room an array has, so the last two batches may cost a little more than half.
        let emptied = passed.emptied.withLock { $0 }
        #expect(emptied.count == 1 && emptied.allSatisfy { (4...5).contains($0) } && stage.isEmpty)
        // It is over, so nobody waits.
        await stage.finish()
    }

    @Test("If no output waits, the queue is never full: over its bound only the chunks are left out, and counted first")
    func drops() async throws {
        let batches = (UInt64(1)...4).map { Self.batch($0) }
        let stage = try RecordStage(lanes: 1, bound: batches[0].cost + batches[1].cost)
        #expect(batches.allSatisfy { !stage.submit($0, lane: 0, waits: false) })
        let (thread, passed) = try Self.start(stage)
        await stage.finish()
        try thread.value()
        #expect(passed.lines == ["1 chunk, 1, lost 2 2000", "2 chunk, 2", "3", "4"])
        #expect(passed.emptied.withLock { $0 } == [] && stage.isEmpty)
    }

    @Test("If nothing but chunks is left out, that is passed on alone")
    func dropsAll() async throws {
        let stage = try RecordStage(lanes: 1, bound: 0)
        for number in UInt64(0)..<2 {
            var batch = RecordBatch()
            batch.append(record(chunk(.upstream, at: number * 7, 7)))
            #expect(!stage.submit(batch, lane: 0, waits: false))
        }
        let (thread, passed) = try Self.start(stage)
        await stage.finish()
        try thread.value()
        #expect(passed.lines == ["lost 2 14"])
    }

    @Test("A record goes on when its time is over, before others of its batch that must wait for another loop")
    func partOfBatch() async throws {
        let stage = try RecordStage(lanes: 2, bound: 64 << 20)
        let (thread, passed) = try Self.start(stage)
        var batch = RecordBatch()
        for (flow, seconds) in [(UInt64(1), -1), (2, 600)] {
            var next = record(.opened, flow: flow)
            next.moment.instant = SystemClock.instant().advanced(by: .seconds(seconds))
            batch.append(next)
        }
        _ = stage.submit(batch, lane: 1, waits: true)
        let deadline = Deadline()
        while passed.lines != ["1"], !deadline.isOver { await Task.yield() }
        #expect(passed.lines == ["1"])
        await stage.finish()
        try thread.value()
        #expect(passed.lines == ["1", "2"])
    }

    @Test("What was queued before is passed on when it is asked for, though another loop is silent")
    func passes() async throws {
        let stage = try RecordStage(lanes: 2, bound: 64 << 20)
        let (thread, passed) = try Self.start(stage)
        await stage.pass()
        #expect(passed.lines == [])
        var batch = RecordBatch()
        var late = record(.opened, flow: 1)
        // It waits a moment for the other loop.
        late.moment = SystemClock.now()
        batch.append(late)
        _ = stage.submit(batch, lane: 1, waits: true)
        await stage.pass()
        #expect(passed.lines == ["1"] && stage.isEmpty)
        _ = stage.submit(Self.batch(2), lane: 0, waits: true)
        await stage.finish()
        try thread.value()
        #expect(passed.lines == ["1", "2 chunk, 2"])
    }
}
