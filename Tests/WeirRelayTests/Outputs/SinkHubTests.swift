import Glibc
import Support
import Synchronization
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Sink hub", .timeLimit(.minutes(2)))
struct SinkHubTests {
    private static let path = FlowPath(
        client: Endpoint(address: .loopbackV4, port: 1),
        listener: Endpoint(address: .loopbackV4, port: 2)
    )

    private static func record(_ happening: FlowRecord.Happening, at time: Int64 = 0) -> FlowRecord {
        FlowRecord(
            flow: FlowID(1),
            transport: .tcp,
            path: path,
            moment: Moment(wallNanoseconds: time, instant: Instant(nanoseconds: time)),
            happening: happening
        )
    }

    /// Makes a batch with one chunk.
    private static func batch(
        _ number: UInt64,
        at time: Int64 = 0,
        length: Int = 1000,
        isReceived: Bool = false
    ) -> RecordBatch {
        let chunk = ChunkRecord(
            direction: .upstream,
            number: number,
            offset: number * UInt64(length),
            length: length,
            receivedAt: Instant(nanoseconds: time)
        )
        var batch = RecordBatch()
        let record = record(isReceived ? .received(chunk) : .forwarded(chunk), at: time)
        batch.append(record, bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length).span.bytes)
        return batch
    }

    /// Submits batches until a pipe is full, and then more than its last page and the hub's bound take.
    private static func fill(_ pipe: OutputPipe, _ hub: SinkHub) async throws -> UInt64 {
        try await runThread {
            var number: UInt64 = 0
            while !pipe.isFull {
                guard !hub.isFull else {
                    poll(nil, 0, 1)
                    continue
                }
                hub.submit(batch(number), lane: 0)
                number += 1
            }
            for _ in 0..<30 {
                hub.submit(batch(number), lane: 0)
                number += 1
            }
            return number
        }
    }

    /// Starts a hub with a small bound; where nobody collects what it reports, there must be nothing.
    private static func hub(_ outputs: SinkOutput..., lanes: Int = 1, reports: Reports? = nil) throws -> SinkHub {
        try SinkHub(outputs: outputs, lanes: lanes, bound: 16 << 10) { report in
            if let reports { reports.add(report) } else { Issue.record("\(report)") }
        }
    }

    /// Reads a pipe while the hub finishes, and returns everything that was written to it.
    private static func finish(_ hub: SinkHub, reading pipe: OutputPipe) async throws -> [UInt8] {
        let reading = pipe.readToEnd()
        await hub.finish()
        pipe.finish()
        return try await reading.value
    }

    /// Reads the chunks' numbers out of their bytes.
    private static func numbers(_ output: [UInt8]) -> [UInt8] {
        stride(from: 0, to: output.count, by: 1000).map { output[$0] }
    }

    private static func numbers(upTo count: some BinaryInteger) -> [UInt8] {
        (0..<Int(count)).map { UInt8(truncatingIfNeeded: $0) }
    }

    @Test("An output that waits makes the loops wait, and nothing is lost")
    func waits() async throws {
        let pipe = try OutputPipe()
        let ready = Atomic<Int>(0)
        let hub = try Self.hub(pipe.output(.wait))
        hub.whenReady { ready.add(1, ordering: .relaxed) }
        #expect(hub.interest == .bytes && !hub.isFull)
        let number = try await Self.fill(pipe, hub)
        #expect(hub.isFull)
        #expect(Self.numbers(try await Self.finish(hub, reading: pipe)) == Self.numbers(upTo: number))
        #expect(!hub.isFull && ready.load(ordering: .relaxed) > 0)
    }

    @Test("What came to a toxic counts no more either once it is rendered")
    func received() async throws {
        let pipe = try OutputPipe()
        let hub = try Self.hub(pipe.output(.wait))
        let reading = pipe.readToEnd()
        try await runThread {
            let deadline = Deadline(seconds: 20)
            for number in 0..<200 {
                while hub.isFull {
                    guard !deadline.isOver else { throw HelperError("the hub stays full") }
                    poll(nil, 0, 1)
                }
                hub.submit(Self.batch(UInt64(number), isReceived: true), lane: 0)
            }
        }
        await hub.finish()
        pipe.finish()
        _ = try await reading.value
        #expect(!hub.isFull)
    }

    @Test("Says once that nothing comes any more, after much has waited and not after little")
    func quiet() async throws {
        let pipe = try OutputPipe()
        let quiet = Atomic<Int>(0)
        let hub = try Self.hub(pipe.output(.wait))
        hub.whenQuiet { quiet.add(1, ordering: .relaxed) }
        let reading = pipe.readToEnd()
        hub.submit(Self.batch(0, length: 16 << 20), lane: 0)
        try await runThread {
            // A sanitizer makes the rendering of 16 MiB many times slower.
            let deadline = Deadline(seconds: 55)
            while quiet.load(ordering: .relaxed) == 0 {
                guard !deadline.isOver else { throw HelperError("nobody says that it is quiet") }
                poll(nil, 0, 10)
            }
            hub.submit(Self.batch(1), lane: 0)
            // Once and a half the time after which it would say so again.
            poll(nil, 0, 1500)
        }
        #expect(quiet.load(ordering: .relaxed) == 1)
        await hub.finish()
        pipe.finish()
        #expect(try await reading.value.count == (16 << 20) + 1000)
    }

    @Test("An output that drops makes nobody wait, and counts what it left out")
    func drops() async throws {
        let pipe = try OutputPipe()
        let reports = Reports()
        let hub = try Self.hub(pipe.output(.drop), reports: reports)
        for number in 0..<1000 {
            hub.submit(Self.batch(UInt64(number)), lane: 0)
            #expect(!hub.isFull)
        }
        let shown = Self.numbers(try await Self.finish(hub, reading: pipe))
        #expect(shown.count < 1000)
        guard case .lost("pipe", let chunks, let bytes)? = reports.sinks.first else {
            Issue.record("\(reports.sinks)")
            return
        }
        #expect(reports.sinks.count == 1)
        #expect(shown.count + Int(chunks) == 1000 && bytes == chunks * 1000)
    }

    @Test("An output that fails is told once, and nobody waits for it any more")
    func fails() async throws {
        let (broken, whole) = (try OutputPipe(name: "broken"), try OutputPipe(name: "whole"))
        let reports = Reports()
        let hub = try Self.hub(broken.output(.wait), whole.output(.wait), reports: reports)
        let reading = whole.readToEnd()
        var number = try await Self.fill(broken, hub)
        // The writer is blocked in the pipe: closing its other end wakes it.
        broken.closeReader()
        for _ in 0..<1000 {
            hub.submit(Self.batch(number), lane: 0)
            number += 1
        }
        await hub.finish()
        whole.finish()
        #expect(!hub.isFull)
        #expect(Self.numbers(try await reading.value) == Self.numbers(upTo: number))
        guard case .failed(let failure)? = reports.sinks.first, case .missed(failure, let missed)? = reports.sinks.last
        else {
            Issue.record("\(reports.sinks)")
            return
        }
        #expect(failure == SinkFailure(name: "broken", error: ErrorNumber(EPIPE), othersLeft: 1))
        #expect(reports.sinks.count == 2)
        // What is in the pipe was written, and of the last chunk perhaps a part.
        let written = UInt64(broken.unread / 1000)
        #expect(missed == Missed(records: number - written, chunks: number - written, bytes: (number - written) * 1000))
    }

    @Test("A descriptor that does not block is waited for")
    func nonBlocking() async throws {
        let pipe = try OutputPipe()
        let output = pipe.output(.wait)
        _ = fcntl(output.descriptor, F_SETFL, O_NONBLOCK)
        let hub = try Self.hub(output)
        for number in 0..<500 { hub.submit(Self.batch(UInt64(number)), lane: 0) }
        #expect(Self.numbers(try await Self.finish(hub, reading: pipe)) == Self.numbers(upTo: 500))
    }

    @Test("Records of two loops come out in the order of their times")
    func merges() async throws {
        let pipe = try OutputPipe()
        let hub = try Self.hub(pipe.output(.wait), lanes: 2)
        // In the future, so that they wait for each other until the end however slow this machine is.
        let start = SystemClock.instant().advanced(by: .seconds(60)).nanoseconds
        for number in stride(from: UInt64(0), to: 100, by: 2) {
            hub.submit(Self.batch(number, at: start + Int64(number)), lane: 0)
        }
        for number in stride(from: UInt64(1), to: 100, by: 2) {
            hub.submit(Self.batch(number, at: start + Int64(number)), lane: 1)
        }
        #expect(Self.numbers(try await Self.finish(hub, reading: pipe)) == Self.numbers(upTo: 100))
    }

    @Test("Finishing writes the sink's last words, and may be asked for twice")
    func finishes() async throws {
        let pipe = try OutputPipe()
        let hub = try Self.hub(pipe.output(.wait, sink: LastWords()))
        #expect(try await Self.finish(hub, reading: pipe) == Array("bye\n".utf8))
        await hub.finish()
    }

    @Test("The last words of a sink whose output has failed go elsewhere, and tell of all records")
    func lastResort() async throws {
        let (broken, other, elsewhere) = (try OutputPipe(), try OutputPipe(), try OutputPipe())
        broken.closeReader()
        var output = broken.output(.wait, sink: LastWords(showsFlows: true))
        output.lastResort = elsewhere.output(.wait).descriptor
        let reports = Reports()
        let hub = try Self.hub(output, other.output(.wait), reports: reports)
        let (reading, readingOther) = (elsewhere.readToEnd(), other.readToEnd())
        for number in 0..<10 {
            var batch = Self.batch(UInt64(number))
            batch.append(Self.record(.ended(.upstream), at: Int64(number)))
            hub.submit(batch, lane: 0)
            // The first failure is known before the last batches come.
            while number == 5, reports.sinks.isEmpty { sched_yield() }
        }
        await hub.finish()
        for pipe in [other, elsewhere] { pipe.finish() }
        #expect(try await reading.value == Array("bye after 10 flows\n".utf8))
        #expect(try await readingOther.value.count == 10_000)
        guard case .missed(_, let missed)? = reports.sinks.last else {
            Issue.record("\(reports.sinks)")
            return
        }
        // This sink wants no chunks.
        #expect(missed == Missed(records: 10, chunks: 0, bytes: 0))
    }

    @Test("An only output whose reader has gone is not missed")
    func endOfInterest() async throws {
        let (broken, elsewhere) = (try OutputPipe(), try OutputPipe())
        broken.closeReader()
        var output = broken.output(.wait)
        output.lastResort = elsewhere.output(.wait).descriptor
        let reports = Reports()
        let hub = try Self.hub(output, reports: reports)
        hub.submit(Self.batch(0), lane: 0)
        await hub.finish()
        guard case .failed(let failure)? = reports.sinks.first else {
            Issue.record("\(reports.sinks)")
            return
        }
        #expect(failure.isEndOfInterest && reports.sinks.count == 1 && elsewhere.unread == 0)
    }

    private struct LastWords: Sink {
        let interest = Interest.flows
        var showsFlows = false
        private var flows = 0

        init(showsFlows: Bool = false) {
            self.showsFlows = showsFlows
        }

        mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
            guard showsFlows, case .ended = record.happening else { return }
            flows += 1
            output.append("flow\n")
        }

        mutating func finish(into output: inout ByteBuffer) {
            output.append(showsFlows ? "bye after \(flows) flows\n" : "bye\n")
        }
    }
}
