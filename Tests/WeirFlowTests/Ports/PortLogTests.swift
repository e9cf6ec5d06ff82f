import Support
import Testing
import WeirFlow
import WeirWire

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
