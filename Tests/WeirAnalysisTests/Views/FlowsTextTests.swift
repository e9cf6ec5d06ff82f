import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Flows in one line")
struct FlowsTextTests {
    @Test("A flow has the colour of its end")
    func colors() throws {
        var packets = Packets()
        let (client, server) = ("1.1.1.1:5", "2.2.2.2:80")
        try packets.add(.tcp, client, server, .syn)
        try packets.add(.tcp, server, client, [.rst, .ack])
        try packets.add(.tcp, "1.1.1.1:6", server, .syn)
        try packets.add(.tcp, "1.1.1.1:7", server, [.fin, .ack])
        try packets.add(.tcp, "1.1.1.1:8", server, [.fin, .ack])
        try packets.add(.tcp, server, "1.1.1.1:8", [.fin, .ack], number: 9)
        try packets.add(.tcp, "1.1.1.1:9", server, .ack)
        try packets.add(.udp, "1.1.1.1:9", server)
        let rows = packets.rows
        var view = FlowsText(rows, color: true)
        let lines = rows.map { row in shown { view.append(row, to: &$0) } }
        let found = zip(rows, lines).map { row, line in
            let color = line.hasPrefix("\u{1B}") ? line.prefix { $0 != "m" }.dropFirst(2) : "-"
            return "\(row.close?.rawValue ?? "none") \(color)"
        }
        #expect(
            found == ["refused 31", "unanswered 31", "client_finished -", "finished 2", "open -", "none -"]
        )
        #expect(lines.allSatisfy { $0.hasSuffix("\u{1B}[0m\n") })
    }

    @Test("What was found of a flow is behind it, in one order and escaped")
    func found() throws {
        var packets = Packets()
        try packets.add(.tcp, "1.1.1.1:5", "2.2.2.2:80", .ack)
        var row = try #require(packets.rows.first)
        row.found = FlowProbes.Found(name: "http", findings: [.query: "q", .host: "a\u{1B}b", .serverName: "s"])
        var view = FlowsText([row], color: false)
        let line = shown { view.append(row, to: &$0) }
        #expect(line.hasSuffix("  open             tcp 1.1.1.1:5 -> 2.2.2.2:80  http sni s host a\\x1bb query q\n"))
        row.found = FlowProbes.Found(name: "echo")
        #expect(shown { view.append(row, to: &$0) }.hasSuffix(" -> 2.2.2.2:80  echo\n"))
    }

    @Test("Columns are as wide as what is in them", arguments: [9999, 10_000, 123_456])
    func widths(number: Int) throws {
        var packets = Packets()
        try packets.add(.udp, "1.1.1.1:5", "2.2.2.2:80", length: 99_999_999, at: 0)
        try packets.add(.udp, "2.2.2.2:80", "1.1.1.1:5", length: 123_456_789, at: 98_765_432_100_000)
        let row = FlowRow(number: number, place: 0, flow: try #require(packets.rows.first).flow)
        var view = FlowsText([row], color: false)
        let heading = shown { view.appendHeading(to: &$0) }.split(separator: "  client and")[0]
        let line = shown { view.append(row, to: &$0) }
        #expect(
            line
                == "\(number)  1970-01-01 00:00:00.000000  98765.432100           1  99999999             1  123456789  "
                + "                 udp 1.1.1.1:5 -> 2.2.2.2:80\n"
        )
        let columns =
            "  start                            seconds  packets up     bytes  packets down      bytes  close          "
        let width = max(4, "\(number)".utf8.count)
        #expect(heading.hasPrefix(String(repeating: " ", count: width - 4) + "flow" + columns))
    }

    @Test("The total counts the flows that are shown, and what has no flow")
    func totals() {
        var capture = ViewCapture()
        _ = capture.add(ViewCapture.udp((1, 5), (2, 9), "hello"))
        _ = capture.add(ViewCapture.udp((2, 9), (1, 5), "answer!"))
        _ = capture.add(ViewCapture.udp((1, 6), (2, 9), ""))
        let rows = FlowRows().rows(of: capture.flows.table)
        func total(_ rows: [FlowRow]) -> String {
            let view = FlowsText(rows, color: false)
            return shown { view.appendTotals(rows, among: 2, of: capture.flows, to: &$0) }
        }
        #expect(total(rows) == "total: (2 flows) (3 packets) (96 bytes)\n")
        #expect(total(Array(rows.prefix(1))) == "total: (1 flow) of 2 (2 packets) (68 bytes)\n")
        #expect(total([]) == "total: (0 flows) of 2 (0 packets) (0 bytes)\n")
        _ = capture.add(ViewCapture.ip(99, 1, 2, [1]))
        #expect(total(rows).hasSuffix("(96 bytes), of no flow (1 packet) (21 bytes)\n"))
    }
}
