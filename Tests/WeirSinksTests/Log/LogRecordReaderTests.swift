import Support
import Testing
import WeirDissect
import WeirEngine
import WeirSinks
import WeirWire

@Suite("Records out of a relay's log")
struct LogRecordReaderTests {
    /// Renders a record as a line, without its end.
    private static func line(_ record: FlowRecord, _ bytes: [UInt8] = [], withBytes: Bool = true) -> [UInt8] {
        var sink = JSONLinesSink(withBytes: withBytes, dissects: true, showsOriginals: true)
        var output = ByteBuffer()
        sink.renderRecord(record, bytes: bytes.span.bytes, into: &output)
        return output.withUnsafeBytes { Array($0.dropLast()) }
    }

    /// Reads one line.
    private static func read(_ line: [UInt8]) -> LogItem? {
        var reader = LogRecordReader()
        return line.withUnsafeBytes { reader.read($0) }
    }

    /// The record as a log keeps it: with the time of day alone, and without what no line has.
    private static func kept(_ record: FlowRecord) -> FlowRecord {
        let wall = record.moment.wallNanoseconds
        var kept = record
        kept.moment.instant = Instant(nanoseconds: wall)
        switch record.happening {
        case .connected(let dial, _): kept.happening = .connected(dial: dial, isRerouted: false)
        case .ended(let direction, _): kept.happening = .ended(direction)
        case .forwarded(let chunk):
            let held = chunk.isTampered ? chunk.receivedAt.duration(to: record.moment.instant) : .zero
            var plain = ChunkRecord(
                direction: chunk.direction,
                number: 0,
                offset: chunk.offset,
                length: chunk.length,
                receivedAt: kept.moment.instant.advanced(by: .zero - held)
            )
            plain.peer = chunk.peer
            kept.happening = .forwarded(plain)
        case .closed(var close):
            (close.upstream.droppedDatagrams, close.downstream.droppedDatagrams) = (0, 0)
            kept.happening = .closed(close)
        case .message(var message):
            message.time = wall
            kept.happening = .message(message)
        default: break
        }
        return kept
    }

    @Test("Every record that a capture shows is read as it was written, but for what no line has")
    func roundTrip() {
        let happenings: [FlowRecord.Happening] =
            Sample.happenings + [
                .endForwarded(.upstream), .endForwarded(.downstream), Sample.message(),
                Sample.message(.downstream, 9..<20, "+OK") { $0.answer = MessageAnswer(request: 7, delay: 512) },
                Sample.message(.upstream, 0..<3, "a \"quoted\" \u{1B}[31m text") { $0.isComplete = false },
                Sample.toxic(.upstream, .met(acts: true)),
                Sample.toxic(.downstream, name: "a \"b\"", .changed(acts: false)),
                Sample.toxic(.upstream, .removed), Sample.toxic(.upstream, .closed), Sample.toxic(.upstream, .reset),
                Sample.loss(5, 1, .foreign(Sample.peer)), Sample.loss(5, 1, .toxic("x")),
                chunk(.upstream, at: 1 << 40, 0), chunk(.downstream, at: 3, 0, peer: Sample.peer),
                .forwarded(Sample.tampered(at: 5, 0, [Sample.change(.cut, 3)])),
            ]
        for happening in happenings {
            let record = record(happening)
            let bytes = [UInt8](repeating: 7, count: happening.chunk?.length ?? 0)
            #expect(Self.read(Self.line(record, bytes)) == .record(Self.kept(record)), "\(happening)")
        }
    }

    @Test("Every kind of path and flow is read", arguments: [Transport.tcp, .udp])
    func paths(transport: Transport) throws {
        let six = try #require(Endpoint("[fe80::1%2]:80"))
        let paths = [
            Playbook.path, FlowPath(client: six, listener: six), FlowPath(client: six, listener: six, server: six),
            FlowPath(client: six, listener: six, egress: six, server: six),
        ]
        for path in paths {
            let record = record(.opened, transport, flow: .max >> 1, path: path)
            #expect(Self.read(Self.line(record)) == .record(Self.kept(record)), "\(path)")
        }
    }

    @Test("The bytes of chunks are those that were logged, of any length", arguments: 0..<20)
    func bytes(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var reader = LogRecordReader()
        for _ in 0..<20 {
            let bytes = (0..<Int.random(in: 0...50, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let record = record(chunk(.upstream, at: 0, bytes.count))
            let item = Self.line(record, bytes).withUnsafeBytes { reader.read($0) }
            #expect(item == .record(Self.kept(record)) && reader.bytes == bytes && reader.hasBytes)
        }
    }

    @Test("A log without bytes says so with its first chunk that is not empty")
    func withoutBytes() {
        var reader = LogRecordReader()
        for (length, hasBytes) in [(0, true), (3, false), (0, false)] {
            let line = Self.line(record(chunk(.upstream, at: 0, length)), withBytes: false)
            #expect(line.withUnsafeBytes { reader.read($0) } != nil)
            #expect(reader.hasBytes == hasBytes && reader.bytes.isEmpty, "\(length)")
        }
    }

    @Test("A chunk was tampered with only if the log has it as it arrived, too")
    func originals() {
        var reader = LogRecordReader()
        func isTampered(_ happening: FlowRecord.Happening) -> Bool? {
            let line = Self.line(record(happening), [1, 2, 3])
            guard case .record(let record) = line.withUnsafeBytes({ reader.read($0) }) else { return nil }
            return record.happening.chunk?.isTampered
        }
        let held = Sample.tampered(at: 0, 3)
        #expect(isTampered(.forwarded(held)) == false)
        #expect(isTampered(.received(held)) == true)
        #expect(isTampered(.forwarded(held)) == true)
        #expect(isTampered(.forwarded(Sample.tampered(.downstream, at: 0, 3))) == false)
        #expect(isTampered(chunk(.upstream, at: 3, 3)) == false)
        #expect(isTampered(Sample.closed(Counters(), Counters())) == nil)
        #expect(isTampered(.forwarded(held)) == false)
    }

    @Test("The process of a client is that of the line that opens its flow")
    func process() {
        let found = ClientProcess(identifier: 4711, name: "Web \"Content\"", user: "alice")
        var sink = JSONLinesSink(withBytes: false, details: FlowDetails(process: { _ in .found(found) }))
        var reader = LogRecordReader()
        var output = ByteBuffer()
        sink.renderRecord(record(.opened), bytes: RawSpan(), into: &output)
        #expect(output.withUnsafeBytes { reader.read(UnsafeRawBufferPointer(rebasing: $0.dropLast())) } != nil)
        #expect(reader.process == found)
        let other = Self.line(record(.opened, flow: 2))
        #expect(other.withUnsafeBytes { reader.read($0) } != nil)
        #expect(reader.process == nil)
    }

    private static let head =
        #""time":"2026-11-22T12:31:07Z","flow":1,"transport":"tcp","client":"1.2.3.4:5","listener":"1.2.3.4:6""#

    @Test(
        "What is no line of a log is refused, and what no capture shows is passed over",
        arguments: [
            (#"{"event":"lost","chunks":3,"length":5}"#, .lost(chunks: 3, bytes: 5)),
            (#"{\#(head),"event":"mismatch","reason":"refused"}"#, .other),
            ("", nil), ("{}", nil), ("[]", nil), ("null", nil), (#"{"event":"open"}"#, nil), (#"{"event":3}"#, nil),
            (#"{\#(head),"event":"opened"}"#, nil), (#"{\#(head),"event":"open""#, nil),
            (#"{\#(head),"event":"refused","error":"NONSENSE"}"#, nil),
            (#"{\#(head),"event":"data","direction":"up","offset":0,"length":1}"#, nil),
            (#"{\#(head),"event":"data","direction":"upstream","offset":-1,"length":1}"#, nil),
            (#"{\#(head),"event":"data","direction":"upstream","offset":0,"length":16777217}"#, nil),
            (#"{\#(head),"event":"data","direction":"upstream","offset":0,"length":2,"bytes":"YQ=="}"#, nil),
            (#"{\#(head),"event":"data","direction":"upstream","offset":0,"length":1,"bytes":"Y*=="}"#, nil),
            (#"{\#(head),"event":"message","direction":"upstream","protocol":"none","length":1,"summary":""}"#, nil),
            (#"{\#(head),"event":"close","reason":"boredom"}"#, nil),
        ] as [(String, LogItem?)]
    )
    func lines(text: String, item: LogItem?) {
        #expect(Self.read(Array(text.utf8)) == item)
    }

    @Test("No beginning of a line, and no change of a byte in it, is a trap", arguments: 0..<4)
    func damage(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let records = [record(.opened), record(chunk(.upstream, at: 5, 6)), record(Sample.message())]
        for record in records {
            let line = Self.line(record, [1, 2, 3, 4, 5, 6].dropLast(record.happening.chunk == nil ? 6 : 0))
            for count in line.indices { #expect(Self.read(Array(line[..<count])) == nil) }
            for _ in 0..<500 {
                var other = line
                other[Int.random(in: other.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                _ = Self.read(other)
            }
        }
    }
}
