import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@testable import WeirAnalysis

@Suite("Ports out of the relay's JSON lines")
struct PortLogTests {
    private func read(_ lines: String) -> (PortLog, PortTable) {
        var (log, table) = (PortLog(), PortTable())
        for line in lines.split(separator: "\n") {
            let bytes = Array(line.utf8)
            log.read(bytes.span.bytes, into: &table)
        }
        return (log, table)
    }

    private static let open = """
        {"time":"2026-11-22T12:31:07.104218394Z","flow":7,"event":"open","transport":"tcp","client":"127.0.0.1:51514",\
        "listener":"127.0.0.1:9000","egress":"127.0.0.1:42332","server":"127.0.0.1:65432","process":{"pid":1,"name":"a"}}
        """

    @Test("An opened flow is a choice of the client, and one of the relay")
    func opened() throws {
        let (log, table) = read(Self.open)
        #expect(log.flows == 1 && log.unknownLines == 0)
        #expect(table.series.map(\.key.side) == [.client, .egress])
        #expect(table.series.map(\.ports) == [[51514], [42332]])
        #expect(table.series[0].destinations.map(\.description) == ["127.0.0.1:9000"])
        #expect(table.series[1].destinations.map(\.description) == ["127.0.0.1:65432"])
        #expect(table.series[0].time(0) == 1_795_350_667_104_218_394)
    }

    @Test("A client that was never connected has no port: only the relay's is a choice")
    func noClient() {
        let (log, table) = read(Self.open.replacing("127.0.0.1:51514", with: "127.0.0.1:0"))
        #expect(log.flows == 1)
        #expect(table.series.map(\.ports) == [[42332]])
    }

    @Test("What a sink renders is read again")
    func rendered() {
        var (log, table) = (PortLog(), PortTable())
        var output = ByteBuffer()
        var sink = JSONLinesSink(withBytes: true)
        sink.render(record(.opened, .udp), bytes: RawSpan(), into: &output)
        let line = Array(output.string.utf8.dropLast())
        log.read(line.span.bytes, into: &table)
        #expect(log.flows == 1)
        #expect(table.series.allSatisfy { $0.key.transport == .udp })
        #expect(table.series[0].time(0) == ManualClock.start.wallNanoseconds)
    }

    @Test("A further dial is a choice of the relay's, the same one again is none")
    func dialedAgain() {
        let again = Self.open.replacing("\"open\"", with: "\"refused\"")
        let other = again.replacing("42332", with: "42340").replacing("refused", with: "connected")
        let (log, table) = read([Self.open, again, other].joined(separator: "\n"))
        #expect(log.flows == 1)
        #expect(table.series.map(\.ports) == [[51514], [42332, 42340]])
    }

    @Test("A flow that is opened again and again is one choice, of each side; another client's is another")
    func repeated() {
        let later = Self.open.replacing("07.104218394Z", with: "09Z")
        let (log, table) = read([Self.open, Self.open, later].joined(separator: "\n"))
        #expect(log.flows == 1 && log.lines == 3 && log.unknownLines == 0)
        #expect(table.series.map(\.ports) == [[51514], [42332]])
        let other = read([Self.open, later.replacing("51514", with: "51516")].joined(separator: "\n"))
        #expect(other.0.flows == 2 && other.1.series.map(\.ports) == [[51514, 51516], [42332]])
    }

    @Test("A log that stands there twice is one; a relay that was started anew opens other flows")
    func appended() {
        let close = "{\"time\":\"2026-11-22T12:31:08Z\",\"flow\":7,\"event\":\"close\"}"
        let dialed = Self.open.replacing("\"open\"", with: "\"connected\"")
        let (log, table) = read([Self.open, dialed, close, Self.open, dialed, close, dialed].joined(separator: "\n"))
        #expect(log.flows == 1)
        #expect(table.series.map(\.ports) == [[51514], [42332]])
        let later = Self.open.replacing("07.104218394Z", with: "09Z")
        let anew = read([Self.open, close, later].joined(separator: "\n"))
        #expect(anew.0.flows == 2)
        #expect(anew.1.series.map(\.ports) == [[51514, 51514], [42332, 42332]])
    }

    @Test("Keys in another order, with blanks, and values of any kind between them are read as well")
    func otherOrder() {
        let (log, table) = read(
            """
            {"flow": 1 , "x\\"y":"a\\\\","z":{"server":"1.1.1.1:1","l":[1,"]}"]},"server":"[::1]:80","n":null,
            """.replacing("\n", with: "")
                + """
                "egress":"[::1]:40000","listener":"[::1]:9000","client":"[fe80::1%2]:5000","event":"open","transport":"udp"}
                """
        )
        #expect(log.flows == 1 && log.unknownLines == 0)
        #expect(table.series.map(\.key.description) == ["client fe80::1%2 udp", "egress ::1 udp"])
        #expect(table.series.map(\.ports) == [[5000], [40000]])
        #expect(table.series[0].time(0) == nil)
    }

    @Test(
        "A time is read to the nanosecond, or is none",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:01.5Z", 1_500_000_000),
            ("1969-12-31T23:59:59Z", -1_000_000_000),
            ("2000-02-29T12:00:00.000000001Z", 951_825_600_000_000_001), ("2026-11-22T12:31:07", nil),
            ("2026-11-22T12:31:07.Z", nil), ("2026-11-22T12:31:07.1234567890Z", nil), ("2026-13-22T12:31:07Z", nil),
            ("2026-11-22T12:31:0xZ", nil), ("2026-11-22T12:31:07,5Z", nil),
            ("9999-12-31T23:59:59Z", nil), ("0000-01-01T00:00:00Z", nil),
        ] as [(String, Int64?)]
    )
    func times(_ text: String, _ nanoseconds: Int64?) {
        var clock = TimestampReader()
        // Twice: the second time the second is known.
        for _ in 0..<2 {
            #expect(Array(text.utf8).withUnsafeBytes { clock.read($0) } == nanoseconds)
        }
    }

    @Test("A second that is remembered is not taken for another one")
    func seconds() {
        var clock = TimestampReader()
        let texts = [
            "2026-11-22T12:31:07.1Z", "2026-11-22T12:31:08.1Z", "2026-11-23T12:31:08.1Z", "2025-11-23T12:31:08.1Z",
        ]
        let times = texts.map { text in Array(text.utf8).withUnsafeBytes { clock.read($0) } }
        #expect(
            times
                == [1_795_350_667, 1_795_350_668, 1_795_437_068, 1_763_901_068].map { $0 * 1_000_000_000 + 100_000_000 }
        )
    }

    @Test("The first line that is no record is numbered")
    func numbered() {
        let (log, _) = read([Self.open, "{\"flow\":1}", Self.open, "x"].joined(separator: "\n"))
        #expect(log.lines == 4 && log.flows == 1 && log.unknownLines == 2 && log.firstUnknown == 2)
    }

    @Test(
        "What is no record is counted, and none of it traps",
        arguments: ["x", "{", "{}", "[1]", "{\"flow\":7}", "\"\\"]
    )
    func damaged(_ line: String) {
        let (log, table) = read(line)
        #expect(log.unknownLines == 1)
        #expect(table.count == 0)
    }

    @Test("Every prefix of a line is read without a trap")
    func prefixes() {
        let bytes = Array(Self.open.utf8)
        for count in 0...bytes.count {
            var (log, table) = (PortLog(), PortTable())
            let prefix = Array(bytes[..<count])
            log.read(prefix.span.bytes, into: &table)
            #expect(table.count <= 2)
        }
    }
}
