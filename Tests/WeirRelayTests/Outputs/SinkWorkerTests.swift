import Glibc
import Support
import Synchronization
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("The thread of an output", .timeLimit(.minutes(1)))
struct SinkWorkerTests {
    private static func batch(_ number: UInt64, length: Int = 1000) -> RecordBatch {
        let chunk = ChunkRecord(
            direction: .upstream,
            number: number,
            offset: number * UInt64(length),
            length: length,
            receivedAt: ManualClock.start.instant
        )
        let record = FlowRecord(
            flow: FlowID(1),
            transport: .tcp,
            path: Playbook.path,
            moment: ManualClock.start,
            happening: .forwarded(chunk)
        )
        var batch = RecordBatch()
        batch.append(record, bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length).span.bytes)
        return batch
    }

    @Test(
        "What was written makes room again: an output that keeps up is never full, and loses nothing",
        arguments: [SinkOutput.Overflow.wait, .drop]
    )
    func makesRoom(overflow: SinkOutput.Overflow) async throws {
        let pipe = try OutputPipe()
        let reports = Reports()
        let cost = Self.batch(0).cost
        // What was written leaves the queue a moment later, and batches do not cost quite the same.
        let hub = try SinkHub(outputs: [pipe.output(overflow)], lanes: 1, bound: 4 * cost) { reports.add($0) }
        let reading = pipe.readToEnd()
        let deadline = Deadline()
        for number in UInt64(0)..<20 {
            hub.submit(Self.batch(number), lane: 0)
            while hub.bytesWritten < (number + 1) * 1000, !deadline.isOver { await Task.yield() }
            #expect(!hub.isFull)
        }
        await hub.finish()
        pipe.finish()
        let bytes = try await reading.value
        #expect(bytes == (0..<20).flatMap { [UInt8](repeating: $0, count: 1000) })
        #expect(reports.sinks.isEmpty && hub.unfinished.isEmpty)
    }

    @Test("Over its bound a queue is full until half of it is written, or what is over it is left out and counted")
    func overflows() async throws {
        let pipe = try OutputPipe()
        let reports = Reports()
        let cost = Self.batch(0, length: 100_000).cost
        let hub = try SinkHub(outputs: [pipe.output(.wait)], lanes: 1, bound: 2 * cost) { reports.add($0) }
        let count = ReadyCount()
        hub.whenReady { count.add() }
        for number in UInt64(0)..<2 { hub.submit(Self.batch(number, length: 100_000), lane: 0) }
        #expect(!hub.isFull && count.value == 0)
        let deadline = Deadline()
        // The first is in the pipe's writer, and the next ones reach the output's queue.
        for number in UInt64(2)..<4 { hub.submit(Self.batch(number, length: 100_000), lane: 0) }
        while !hub.isFull, !deadline.isOver { await Task.yield() }
        #expect(hub.isFull)
        let reading = pipe.readToEnd()
        while hub.isFull || count.value == 0, !deadline.isOver { await Task.yield() }
        #expect(!hub.isFull && count.value > 0)
        await hub.finish()
        pipe.finish()
        let bytes = try await reading.value
        #expect(bytes.count == 400_000 && reports.sinks.isEmpty)
    }
}

/// A count that several threads raise.
private final class ReadyCount: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add() { count.add(1, ordering: .relaxed) }
}
