import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@testable import WeirCapture

@Suite("Runs of a relay in one log")
struct LogRunsTests {
    /// A flow of a run, with ports of its own.
    private static func legs(_ number: UInt64, run: UInt16) -> TwoLegs {
        let port = 100 * run + UInt16(number % 100)
        return TwoLegs(id: FlowID(number), client: 50_000 + port, egress: 60_000 - port)
    }

    /// Two runs: the first has flows 1 and 2, of which 2 does not end, the second 1 and 3.
    private static var records: [(FlowRecord, [UInt8])] {
        LogCaptureTests.talk(legs(1, run: 1)) + LogCaptureTests.talk(legs(2, run: 1), from: 10_000_000).prefix(3)
            + LogCaptureTests.talk(legs(1, run: 2), from: 1_000_000_000)
            + LogCaptureTests.talk(legs(3, run: 2), from: 2_000_000_000)
    }

    /// Returns the comments of a capture that introduce legs.
    private static func introductions(_ bytes: [UInt8]) throws -> [String] {
        var reader = CaptureReader()
        var found: [String] = []
        while let item = try reader.next(in: bytes.span.bytes) {
            guard case .packet(let packet) = item else { continue }
            found += reader.metadata(of: packet, in: bytes.span.bytes).options.comments
        }
        return found
    }

    /// Returns the introductions of both legs of flows, with these numbers.
    private static func texts(_ flows: [(legs: TwoLegs, number: UInt64)]) -> [String] {
        flows.flatMap { flow in
            var legs = flow.legs
            legs.id = FlowID(flow.number)
            return [legs.text, legs.text]
        }
    }

    @Test("The flows of the second run are numbered on, and that is said; an unended flow is not continued")
    func numbers() throws {
        let (bytes, capture) = LogCaptureTests.read(LogCaptureTests.log(Self.records))
        #expect(
            try Self.introductions(bytes)
                == Self.texts([
                    (Self.legs(1, run: 1), 1), (Self.legs(2, run: 1), 2), (Self.legs(1, run: 2), 3),
                    (Self.legs(3, run: 2), 5),
                ])
        )
        #expect(
            capture.notes == ["2 runs of a relay, whose flows are numbered on: #3 is #1 of run 2"]
        )
        // The messages have the same numbers.
        var records = Self.records
        var message = Message()
        message.name = "http"
        message.isComplete = true
        let last = records.count - 4
        records.insert((Self.legs(3, run: 2).record(.message(message), at: 2_002_000_000), []), at: last + 1)
        var sink = JSONLinesSink(withBytes: false, dissects: true)
        var output = ByteBuffer()
        for (record, _) in records { sink.renderRecord(record, bytes: RawSpan(), into: &output) }
        var (_, short) = LogCaptureTests.read(output.withUnsafeBytes { Array($0) })
        let flows = short.takeMessages().map(\.flow)
        #expect(flows == [5])
    }

    @Test("A run that is left out makes no packets, and the numbers of the others stay")
    func leftOut() throws {
        let log = LogCaptureTests.log(Self.records)
        let second = try Self.introductions(LogCaptureTests.read(log, leavingOut: [1]).bytes)
        #expect(second == Self.texts([(Self.legs(1, run: 2), 3), (Self.legs(3, run: 2), 5)]))
        let first = try Self.introductions(LogCaptureTests.read(log, leavingOut: [2]).bytes)
        #expect(first == Self.texts([(Self.legs(1, run: 1), 1), (Self.legs(2, run: 1), 2)]))
    }

    @Test("A note names three runs, and numbers that are too high stay within their range")
    func many() {
        var runs = LogRuns()
        #expect(runs.note == nil)
        for run in 1...5 {
            let isNew = runs.open(FlowID(2))
            #expect(isNew == (run > 1))
            let record = runs.renumber(Self.legs(2, run: UInt16(run)).record())
            #expect(record.flow == FlowID(UInt64(2 * run)) && record.path == Self.legs(2, run: UInt16(run)).path)
        }
        #expect(
            runs.note == """
                5 runs of a relay, whose flows are numbered on: #3 is #1 of run 2, #5 is #1 of run 3, #7 is #1 of run 4, \
                and so on
                """
        )
        for isNew in [false, true] {
            let began = runs.open(FlowID(.max))
            #expect(began == isNew)
            let record = runs.renumber(Self.legs(.max, run: 1).record())
            #expect(record.flow == FlowID(.max))
        }
    }

    /// Returns a flow as a capture names it.
    private static func flow(_ number: UInt64, run: UInt16) -> RelayedFlow {
        let path = legs(number, run: run).path
        return RelayedFlow(
            number: number,
            client: path.client,
            listener: path.listener,
            egress: path.egress,
            server: path.server
        )
    }

    @Test("A run is found by one of its flows, with the number and the endpoints that it was opened with")
    func found() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("a.jsonl", LogCaptureTests.log(Self.records).dropLast())
        func runs(_ flows: RelayedFlow...) throws -> [Int: RelayedFlow] {
            var log = try CaptureFile(path)
            let found = try log.runs(opening: Set(flows))
            #expect(found.count == 2)
            return found.found
        }
        let (first, second) = (Self.flow(2, run: 1), Self.flow(3, run: 2))
        #expect(try runs(first) == [1: first])
        #expect(try runs(second) == [2: second])
        #expect(try runs(first, second) == [1: first, 2: second])
        var other = first
        other.number = 1
        var elsewhere = first
        elsewhere.egress = second.egress
        #expect(try runs(other, elsewhere, Self.flow(2, run: 2)) == [:])
    }
}
