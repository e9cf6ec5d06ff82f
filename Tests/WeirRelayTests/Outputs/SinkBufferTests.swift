import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("The rendered of an output")
struct SinkBufferTests {
    /// A sink of one byte for each record and each of its bytes, with an interest of its own.
    private struct Letters: Sink {
        var interest: Interest
        var messages = MessageInterest.none

        mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
            output.append("r")
            bytes.withUnsafeBytes { for byte in $0 { output.append(byte) } }
        }

        mutating func begin(at time: Int64, into output: inout ByteBuffer) { output.append("b\(time)") }
        mutating func finish(into output: inout ByteBuffer) { output.append("f") }
        mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer) {
            output.append("l\(chunks),\(bytes)")
        }
    }

    private static func record(_ happening: FlowRecord.Happening) -> FlowRecord {
        FlowRecord(
            flow: FlowID(1),
            transport: .tcp,
            path: Playbook.path,
            moment: ManualClock.start,
            happening: happening
        )
    }

    private static func chunk(_ length: Int) -> FlowRecord.Happening {
        .forwarded(
            ChunkRecord(
                direction: .upstream,
                number: 0,
                offset: 0,
                length: length,
                receivedAt: ManualClock.start.instant
            )
        )
    }

    /// Makes a batch of an `opened`, a chunk `ab` with its bytes, and a chunk without.
    private static func batch() -> RecordBatch {
        var batch = RecordBatch()
        batch.append(record(.opened))
        batch.append(record(chunk(2)), bytes: ([0x61, 0x62] as [UInt8]).span.bytes)
        batch.append(record(chunk(5)))
        return batch
    }

    private static func render(_ rendered: inout SinkBuffer) {
        RecordRun(batch()).forEach { rendered.render($0, bytes: $1) }
    }

    @Test("Records are rendered with the bytes that were kept of them")
    func renders() {
        var rendered = SinkBuffer(Letters(interest: .bytes), capacity: 10)
        rendered.renderBegin(at: 7)
        Self.render(&rendered)
        rendered.renderLoss(LostChunks(chunks: 3, bytes: 4))
        rendered.renderEnd()
        #expect(rendered.buffer.string == "b7rrabrl3,4f" && rendered.missed == Missed() && rendered.failure == nil)
    }

    @Test("What was written in full is not missed, what was written in part is", arguments: [0, 1, 2, 3, 4, 5])
    func countsMissed(written: Int) {
        var rendered = SinkBuffer(Letters(interest: .bytes), capacity: 10)
        Self.render(&rendered)
        #expect(rendered.buffer.string == "rrabr")
        rendered.wrote(written)
        #expect(rendered.buffer.string == String("rrabr".dropFirst(written)))
        rendered.discard()
        let missed = [
            Missed(records: 3, chunks: 2, bytes: 7), Missed(records: 2, chunks: 2, bytes: 7),
            Missed(records: 2, chunks: 2, bytes: 7), Missed(records: 2, chunks: 2, bytes: 7),
            Missed(records: 1, chunks: 1, bytes: 5), Missed(),
        ]
        #expect(rendered.missed == missed[written] && rendered.buffer.isEmpty)
        // The next records are counted from where the rendered begins anew.
        Self.render(&rendered)
        rendered.wrote(1)
        rendered.discard()
        #expect(rendered.missed == missed[written] + missed[1])
        rendered.discard()
        #expect(rendered.missed == missed[written] + missed[1])
    }

    @Test("A sink gets the messages that it wants, which are no records of their own when it misses some")
    func messages() {
        for (wanted, expected) in [(MessageInterest.none, ""), (.summaries, "r"), (.fields, "rr")] {
            var rendered = SinkBuffer(Letters(interest: .chunks, messages: wanted), capacity: 10)
            for isUnfinished in [false, true] {
                var message = Message()
                message.isUnfinished = isUnfinished
                rendered.render(Self.record(.message(message)), bytes: RawSpan())
            }
            #expect(rendered.buffer.string == expected)
            rendered.discard()
            #expect(rendered.missed == Missed())
        }
    }

    @Test("A chunk of which only parts were kept, for messages, has no bytes for a sink")
    func parts() {
        var batch = RecordBatch()
        batch.append(
            Self.record(Self.chunk(3)),
            bytes: ([0x61, 0x62, 0x63] as [UInt8]).span.bytes,
            parts: [0..<1, 2..<3]
        )
        for interest in [Interest.chunks, .bytes] {
            var rendered = SinkBuffer(Letters(interest: interest), capacity: 10)
            RecordRun(batch).forEach { rendered.render($0, bytes: $1) }
            #expect(rendered.buffer.string == "r")
        }
    }

    @Test(
        "A record of which the sink shows nothing is missed once the output has failed, and not before",
        arguments: [false, true]
    )
    func showsNothing(hasFailed: Bool) {
        var rendered = SinkBuffer(Nothing(), capacity: 10)
        rendered.render(Self.record(.opened), bytes: RawSpan())
        if hasFailed { rendered.failure = SinkFailure(name: "x", error: ErrorNumber(32), othersLeft: 1) }
        rendered.discard()
        #expect(rendered.missed == Missed(records: hasFailed ? 1 : 0))
        rendered.discard()
        #expect(rendered.missed == Missed(records: hasFailed ? 1 : 0))
    }

    /// A sink that shows nothing.
    private struct Nothing: Sink {
        let interest = Interest.flows

        mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {}
    }

    @Test("A sink misses only the chunks that it wants")
    func countsWanted() {
        let chunks = Missed(records: 3, chunks: 2, bytes: 7)
        for (interest, expected) in [(Interest.flows, Missed(records: 1)), (.chunks, chunks), (.bytes, chunks)] {
            var rendered = SinkBuffer(Letters(interest: interest), capacity: 10)
            Self.render(&rendered)
            rendered.discard()
            #expect(rendered.missed == expected, "\(interest)")
            var missed = Missed()
            missed.add(RecordRun(Self.batch()), for: interest)
            #expect(missed == expected, "\(interest)")
        }
        #expect(chunks + Missed(records: 10, chunks: 20, bytes: 30) == Missed(records: 13, chunks: 22, bytes: 37))
    }

    @Test(
        "A failure is the end of all interest where the output was closed, and no other is left",
        arguments: [(32, 0, true, true), (9, 0, true, true), (32, 1, true, false), (28, 0, false, false)]
            as [(Int32, Int, Bool, Bool)]
    )
    func failures(error: Int32, left: Int, isClosed: Bool, isEnd: Bool) {
        let failure = SinkFailure(name: "x", error: ErrorNumber(error), othersLeft: left)
        #expect(failure.isClosed == isClosed && failure.isEndOfInterest == isEnd)
    }
}
