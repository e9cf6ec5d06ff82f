import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@testable import WeirCapture

@Suite("A relay's log as a capture")
struct LogCaptureTests {
    /// One flow, from its opening to its end: every record is a millisecond after the one before.
    static func talk(_ legs: TwoLegs = TwoLegs(), from start: Int64 = 0) -> [(FlowRecord, [UInt8])] {
        let texts = ["GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"]
        var happenings: [(FlowRecord.Happening, [UInt8])] = [(.opened, [])]
        if legs.transport == .tcp { happenings.append((.connected(dial: .microseconds(3), isRerouted: false), [])) }
        var time = start
        for (direction, text) in zip(Direction.allCases, texts) {
            let at = time + 1_000_000 * Int64(happenings.count)
            let chunk = ChunkRecord(
                direction: direction,
                number: 0,
                offset: 0,
                length: text.utf8.count,
                receivedAt: Instant(nanoseconds: at)
            )
            happenings.append((.forwarded(chunk), Array(text.utf8)))
        }
        if legs.transport == .tcp { happenings += [(.ended(.upstream), []), (.ended(.downstream), [])] }
        let close = CloseRecord(reason: .finished, upstream: Counters(), downstream: Counters(), duration: .zero)
        happenings.append((.closed(close), []))
        return happenings.map { happening, bytes in
            defer { time += 1_000_000 }
            return (legs.record(happening, at: time), bytes)
        }
    }

    /// Renders records as lines.
    static func log(
        _ records: [(FlowRecord, [UInt8])],
        withBytes: Bool = true,
        showsOriginals: Bool = false
    ) -> [UInt8] {
        var sink = JSONLinesSink(withBytes: withBytes, showsOriginals: showsOriginals)
        var output = ByteBuffer()
        for (record, bytes) in records { sink.render(record, bytes: bytes.span.bytes, into: &output) }
        return output.withUnsafeBytes { Array($0) }
    }

    /// Renders records as the capture of a relay.
    private static func capture(_ records: [(FlowRecord, [UInt8])]) -> [UInt8] {
        var sink = CaptureSink(CaptureSettings(seed: 0))
        var output = ByteBuffer()
        sink.begin(at: records.first?.0.moment.wallNanoseconds ?? 0, into: &output)
        for (record, bytes) in records { sink.render(record, bytes: bytes.span.bytes, into: &output) }
        sink.finish(into: &output)
        return output.withUnsafeBytes { Array($0) }
    }

    /// Reads a log in pieces.
    static func read(
        _ log: [UInt8],
        piece: Int = 1 << 20,
        leavingOut runs: Set<Int> = []
    ) -> (bytes: [UInt8], capture: LogCapture) {
        var capture = LogCapture(leavingOut: runs)
        var output = ByteBuffer()
        for start in stride(from: 0, to: log.count, by: piece) {
            log[start..<min(start + piece, log.count)].withUnsafeBytes { capture.read($0, into: &output) }
        }
        capture.finish(into: &output)
        return (output.withUnsafeBytes { Array($0) }, capture)
    }

    @Test("Is byte for byte the one that is recorded, in pieces of any size", arguments: [1, 2, 7, 100, 1 << 20])
    func equals(piece: Int) {
        var second = TwoLegs(id: FlowID(8), client: 50_001, egress: 60_001)
        for transport in [Transport.tcp, .udp] {
            var first = TwoLegs()
            (first.transport, second.transport) = (transport, transport)
            let records = Self.talk(first) + Self.talk(second, from: 20_000_000)
            let (bytes, capture) = Self.read(Self.log(records), piece: piece)
            #expect(bytes == Self.capture(records))
            #expect(capture.lines == records.count && capture.unknownLines == 0 && !capture.lacksBytes)
        }
    }

    @Test("Lines that are blank are no damage", arguments: ["", " ", "\t", "\r", " \t \r"])
    func blank(line: String) {
        let log = Self.log(Self.talk())
        for text in [Array(line.utf8) + [10] + log, log + Array(line.utf8) + [10], log + Array(line.utf8)] {
            let (bytes, capture) = Self.read(text)
            #expect(bytes == Self.capture(Self.talk()) && capture.unknownLines == 0)
        }
    }

    /// A packet of a capture, as a reader gives it.
    private struct Packet: Equatable {
        var time: Int64?
        var length: Int
        var kept: Int
        var comments: [String]
    }

    private static func packets(_ file: inout CaptureFile) throws -> [Packet] {
        var packets: [Packet] = []
        while let item = try file.next() {
            guard case .packet(let packet) = item else { continue }
            packets.append(
                Packet(
                    time: packet.timestamp,
                    length: packet.originalLength,
                    kept: packet.range.count,
                    comments: file.metadata(of: packet).options.comments
                )
            )
        }
        return packets
    }

    @Test("Without bytes it has the same packets, each cut after its headers", arguments: [Transport.tcp, .udp])
    func withoutBytes(transport: Transport) throws {
        let folder = try TemporaryFolder()
        var legs = TwoLegs()
        legs.transport = transport
        let records = Self.talk(legs)
        var whole = try CaptureFile(try folder.file("whole.jsonl", Self.log(records)))
        var cut = try CaptureFile(try folder.file("cut.jsonl", Self.log(records, withBytes: false)))
        let (all, short) = (try Self.packets(&whole), try Self.packets(&cut))
        #expect(!whole.lacksBytes && cut.lacksBytes && whole.notes == [] && cut.notes == [])
        #expect(all.allSatisfy { $0.kept == $0.length })
        #expect(
            all
                == short.map { packet in
                    var packet = packet
                    packet.kept = packet.length
                    return packet
                }
        )
        // Ethernet and IPv4, and UDP or a TCP header, whose SYN has 8 bytes of options.
        #expect(Set(short.map(\.kept)) == (transport == .udp ? [42] : [54, 62]))
        #expect(short.count { $0.kept < $0.length } == 4)
    }

    @Test("The messages of a log without bytes come after their packets, and those of one with bytes not at all")
    func messages() throws {
        let folder = try TemporaryFolder()
        var records = Self.talk()
        var message = Message()
        message.name = "http"
        message.summary = MessageText(escaping: "GET /a h")
        message.range = 0..<28
        message.isComplete = true
        records.insert((TwoLegs().record(.message(message), at: 2_000_000), []), at: 3)
        for withBytes in [true, false] {
            var sink = JSONLinesSink(withBytes: withBytes, dissects: true)
            var output = ByteBuffer()
            for (record, bytes) in records { sink.renderRecord(record, bytes: bytes.span.bytes, into: &output) }
            var file = try CaptureFile(
                try folder.file("\(withBytes).jsonl", output.withUnsafeBytes { Array($0) })
            )
            var found: [LoggedMessage] = []
            var packets = 0
            while let item = try file.next(messages: { found += $0 }) {
                if case .packet = item { packets += 1 }
                #expect(found.isEmpty || packets > 8)
            }
            #expect(found.map(\.message.summary.string) == (withBytes ? [] : ["GET /a h"]))
            #expect(found.allSatisfy { $0.flow == 7 && $0.tuple == TwoLegs().toListener })
        }
    }

    @Test("Lines that are no records are counted, and the first is named; a log of nothing else is refused")
    func unknown() throws {
        let folder = try TemporaryFolder()
        let good = Self.log(Self.talk())
        let lines = good.split(separator: 10)
        let mixed = good + Array("nonsense\n\n{\"a\":1}\n{\"b\":2}".utf8)
        var file = try CaptureFile(try folder.file("mixed.jsonl", mixed))
        #expect(try Self.packets(&file).count > 10)
        #expect(
            file.notes == [
                "3 of \(lines.count + 3) lines are no record of a relay's --log, the first is line \(lines.count + 1)"
            ]
        )
        let path = try folder.file("bad.jsonl", Array("{\"a\":1}\n{\"b\":2}".utf8))
        var bad = try CaptureFile(path)
        let failure = #expect(throws: CaptureFailure.self) { _ = try bad.next() }
        #expect(
            failure?.description == "'\(path)': neither a capture nor a log: no line is a record of weir relay --log"
        )
        // The refusal says it all.
        #expect(bad.notes == [])
    }

    @Test("A line that is too long is one that is not known, and keeps no memory")
    func longLine() {
        let good = Self.log(Self.talk())
        let long =
            Array("{\"event\":\"open\",\"x\":\"".utf8) + [UInt8](repeating: 97, count: LogCapture.longestLine) + [10]
        let (bytes, capture) = Self.read(long + good, piece: 1 << 16)
        #expect(capture.unknownLines == 1 && capture.firstUnknown == 1)
        #expect(bytes == Self.capture(Self.talk()))
    }

    @Test("A log that is cut says where, and has all before; one that lacks only its last line feed is whole")
    func cut() throws {
        let records = Self.talk()
        let whole = Self.log(records)
        let last = whole.dropLast().lastIndex(of: 10).map { $0 + 1 } ?? 0
        for end in [last, whole.count - 1, whole.count] {
            let (_, capture) = Self.read(Array(whole[..<end]))
            #expect(capture.cut == nil && capture.unknownLines == 0, "\(end)")
            #expect(capture.lines == records.count - (end == last ? 1 : 0))
        }
        let before = Self.read(Array(whole[..<last])).bytes
        for end in (last + 1)..<(whole.count - 1) {
            let (bytes, capture) = Self.read(Array(whole[..<end]))
            let place = "line \(records.count), which begins at byte \(last), has no end"
            #expect(capture.cut == "cut short at byte \(end): \(place); all before it can be used")
            #expect(bytes == before && capture.lines == records.count - 1 && capture.notes == [], "\(end)")
        }
        let folder = try TemporaryFolder()
        let path = try folder.file("cut.jsonl", Array(whole.dropLast(5)))
        var file = try CaptureFile(path)
        var packets = 0
        let failure = #expect(throws: CaptureFailure.self) {
            while let item = try file.next() {
                if case .packet = item { packets += 1 }
            }
        }
        #expect(packets > 8)
        #expect(failure?.description.hasPrefix("'\(path)': cut short at byte \(whole.count - 5): line ") == true)
    }

    @Test("Bytes that a log does not have cost nothing: none are read, and a line makes a bounded number of packets")
    func cost() {
        let records = Self.talk()
        let length = records.compactMap { $0.0.happening.chunk?.length }.reduce(0, +)
        // Once for the checksum, and once for each leg.
        #expect(Self.read(Self.log(records)).capture.payloadBytesRead == 3 * length)
        #expect(Self.read(Self.log(records, withBytes: false)).capture.payloadBytesRead == 0)
        func chunk(_ number: Int, _ length: Int) -> (FlowRecord, [UInt8]) {
            let chunk = ChunkRecord(
                direction: .upstream,
                number: 0,
                offset: UInt64(number) * UInt64(length),
                length: length,
                receivedAt: Instant(nanoseconds: 5_000_000)
            )
            return (TwoLegs().record(.forwarded(chunk), at: 5_000_000), [])
        }
        let open = Array(records.prefix(2))
        let many = (0..<100).map { chunk($0, LogRecordReader.longestChunk) }
        let (bytes, capture) = Self.read(Self.log(open + many, withBytes: false))
        #expect(capture.payloadBytesRead == 0 && capture.lacksBytes && capture.unknownLines == 0)
        // 65 packets of 64 KiB and an acknowledgment on each leg, of 112 bytes each.
        #expect(bytes.count > 100 * 132 * 100 && bytes.count < 100 * 132 * 120)
        let beyond = Self.read(Self.log(open + [chunk(0, LogRecordReader.longestChunk + 1)], withBytes: false)).capture
        #expect(beyond.unknownLines == 1 && !beyond.lacksBytes)
    }

    @Test("What toxics changed stands for both legs, which is said, unless the log has what arrived")
    func toxics() {
        let (records, bytes) = (Self.talk(), Array("changed".utf8))
        var chunk = ChunkRecord(
            direction: .upstream,
            number: 0,
            offset: 28,
            length: bytes.count,
            receivedAt: Instant(nanoseconds: 3_000_000)
        )
        chunk.isTampered = true
        let held = TwoLegs().record(.forwarded(chunk), at: 4_000_000)
        let arrived = TwoLegs().record(.received(chunk), at: 3_000_000)
        var change = ToxicChange(.replaced, count: 7, offset: 0)
        change.toxic = "x"
        chunk.changes = [change]
        let changed = TwoLegs().record(.forwarded(chunk), at: 4_000_000)
        let drop = DropRecord(direction: .upstream, bytes: 3, reason: .toxic("x"))
        let dropped = TwoLegs().record(.dropped(drop), at: 4_000_000)
        let note = """
            toxics changed traffic, and the log has only what went on, which stands for both legs; with --show-original \
            it has what arrived, too
            """
        let cases: [([FlowRecord], [String])] = [
            ([held], []), ([changed], [note]), ([dropped], [note]), ([arrived, changed], []),
        ]
        for (happenings, notes) in cases {
            let all = Array(records.prefix(3)) + happenings.map { ($0, bytes) } + Array(records.suffix(4))
            let log = Self.log(all, showsOriginals: true)
            #expect(Self.read(log).capture.notes == notes, "\(happenings)")
        }
    }

    @Test("A log that is long enough to be read ahead gives all packets")
    func long() throws {
        var records: [(FlowRecord, [UInt8])] = []
        for number in 0..<3000 {
            let legs = TwoLegs(
                id: FlowID(UInt64(number + 1)),
                client: UInt16(20_000 + number),
                egress: UInt16(30_000 + number)
            )
            records += Self.talk(legs, from: Int64(number) * 10_000_000)
        }
        let log = Self.log(records)
        #expect(log.count > 4 << 20)
        let whole = Self.read(log, piece: 1 << 20).bytes
        #expect(whole == Self.capture(records))
        let folder = try TemporaryFolder()
        var text = try CaptureFile(try folder.file("a.jsonl", log))
        var capture = try CaptureFile(try folder.file("a.pcapng", whole))
        #expect(try Self.packets(&text) == Self.packets(&capture))
    }

    #if Gzip
    @Test("A log that gzip compressed is read, too", .needsProgram("gzip"))
    func compressed() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("a.jsonl", Self.log(Self.talk()))
        var plain = try CaptureFile(path)
        #expect(try ChildProgram.run("gzip", ["-k", path]).status == 0)
        var packed = try CaptureFile(path + ".gz")
        #expect(try Self.packets(&packed) == Self.packets(&plain))
        let isCompressed = packed.isCompressed
        #expect(isCompressed)
    }
    #endif
}
