import Testing
import WeirDissect
import WeirEngine
import WeirWire

@testable import WeirAnalysis

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
        var view = FlowsText(rows, TerminalStyle(color: true))
        let lines = rows.map { row in shown { view.append(row, to: &$0) } }
        let found = zip(rows, lines).map { row, line in
            let color = line.hasPrefix("\u{1B}") ? line.prefix { $0 != "m" }.dropFirst(2) : "-"
            return "\(row.close?.rawValue ?? "none") \(color)"
        }
        #expect(
            found == ["refused 31", "unanswered 31", "client_finished -", "finished 2", "open -", "none -"]
        )
        // A line with a color ends it; another one has no sequence at all.
        for line in lines {
            #expect(line.hasSuffix("\u{1B}[0m\n") == line.hasPrefix("\u{1B}"))
            #expect(line.contains("\u{1B}") == line.hasPrefix("\u{1B}"))
        }
    }

    @Test("What was found of a flow is at its end, in one order and escaped")
    func found() throws {
        var packets = Packets()
        try packets.add(.tcp, "1.1.1.1:5", "2.2.2.2:80", .ack)
        var row = try #require(packets.rows.first)
        row.found = FlowProbes.Found(name: "http", findings: [.query: "q", .host: "a\u{1B}b", .serverName: "s"])
        var view = FlowsText([row])
        let line = shown { view.append(row, to: &$0) }
        #expect(line.hasSuffix("  open  http sni s host a\\x1bb query q\n"))
        row.found = FlowProbes.Found(name: "echo")
        #expect(shown { view.append(row, to: &$0) }.hasSuffix("  open  echo\n"))
    }

    @Test("In a pipe columns are as wide as what is in them, and nothing is cut", arguments: [9999, 10_000, 123_456])
    func widths(number: Int) throws {
        var packets = Packets()
        try packets.add(.udp, "1.1.1.1:5", "2.2.2.2:80", payload: 99_999_999, at: 0)
        try packets.add(.udp, "2.2.2.2:80", "1.1.1.1:5", payload: 123_456_789, at: 98_765_432_100_000)
        let row = FlowRow(number: number, place: 0, flow: try #require(packets.rows.first).flow)
        var view = FlowsText([row])
        let heading = shown { view.appendHeading(to: &$0) }
        let line = shown { view.append(row, to: &$0) }
        #expect(
            line
                == "\(number)  1970-01-01 00:00:00.000000  udp  1.1.1.1:5 → 2.2.2.2:80           1  99999999"
                + "             1  123456789  98765.432100\n"
        )
        let columns =
            "  time                             client and server       packets up        up  packets down       down"
            + "          took  end  what\n"
        #expect(heading == String(repeating: " ", count: max(4, "\(number)".utf8.count) - 4) + "flow" + columns)
    }

    /// Makes rows of a relay on the loopback, of one to another network, and of a capture of something else.
    ///
    /// The second one gets an answer on both legs, if it is to get one.
    private static func rows(isAnswered: Bool) throws -> [FlowRow] {
        var packets = Packets()
        let near = "flow 3 client 127.0.0.1:36068 listener 127.0.0.1:9000 egress 127.0.0.1:44008 server 10.0.0.5:5432"
        try packets.add(.tcp, "127.0.0.1:36068", "127.0.0.1:9000", .syn, payload: 560, at: 0, comment: near)
        try packets.add(.tcp, "127.0.0.1:44008", "10.0.0.5:5432", .syn, at: 0, comment: near)
        try packets.add(.tcp, "127.0.0.1:9000", "127.0.0.1:36068", .ack, payload: 12_345_678, at: 240_000_000)
        let far =
            "flow 4 client 192.168.100.201:51000 listener 192.168.100.1:9000 egress 192.168.100.1:44010 server [2001:db8::5]:443"
        try packets.add(.tcp, "192.168.100.201:51000", "192.168.100.1:9000", .syn, at: 3_723_004_005_000, comment: far)
        try packets.add(.tcp, "192.168.100.1:44010", "[2001:db8::5]:443", .syn, at: 3_723_004_005_000, comment: far)
        if isAnswered {
            let flags: TCPFlags = [.syn, .ack]
            try packets.add(.tcp, "[2001:db8::5]:443", "192.168.100.1:44010", flags, at: 3_723_004_005_000)
            try packets.add(.tcp, "192.168.100.1:9000", "192.168.100.201:51000", flags, at: 3_723_004_005_000)
        }
        var rows = packets.rows
        rows[0].found = FlowProbes.Found(name: "postgresql")
        rows[1].found = FlowProbes.Found(name: "tls", findings: [.serverName: "a-long-name.example.com"])
        return rows
    }

    private static func table(
        _ style: TerminalStyle,
        columns: [FlowColumn]? = nil,
        naming named: Set<FlowQuery.Side> = [],
        isAnswered: Bool = false
    ) throws -> [String] {
        let rows = try rows(isAnswered: isAnswered)
        var view = FlowsText(rows, style, columns: columns, naming: named)
        let text = shown { output in
            view.appendHeading(to: &output)
            for row in rows { view.append(row, to: &output) }
        }
        return text.split(separator: "\n").map(String.init)
    }

    @Test(
        "No line is wider than its terminal, and each cell keeps its column",
        arguments: [40, 60, 80, 100, 120, 140, 200],
        [true, false]
    )
    func terminal(width: Int, isUnicode: Bool) throws {
        let lines = try Self.table(TerminalStyle(width: width, isUnicode: isUnicode))
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(isUnicode || lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
        #expect(lines[1].hasPrefix("   3  00:00:00") && lines[2].hasPrefix("   4  01:02:03"))
    }

    @Test("At 80 columns the client and the server are there, at 120 the relay's ports too")
    func golden() throws {
        #expect(
            try Self.table(TerminalStyle(width: 80), isAnswered: true) == [
                "flow  time           client and server     up      down     took  end   what",
                "   3  00:00:00  tcp  :36068 → 10.0.0.5:…  560  12345678   0.24 s  open  postgre…",
                "   4  01:02:03  tcp  192.168.100.201:51…    0         0  0.00 ms  open  tls sni…",
            ]
        )
        // A longer word for the end leaves less for the others, but the columns stay below their headings.
        #expect(
            try Self.table(TerminalStyle(width: 80)) == [
                "flow  time           client and server   up      down     took  end         what",
                "   3  00:00:00  tcp  :36068 → 10.0.0.…  560  12345678   0.24 s  open        pos…",
                "   4  01:02:03  tcp  192.168.100.201:…    0         0  0.00 ms  unanswered  tls…",
            ]
        )
    }

    @Test("Endpoints that a query names are whole: other columns make room for them")
    func named() throws {
        #expect(
            try Self.table(TerminalStyle(width: 80), naming: [.egress]) == [
                "flow  time      client and server",
                "   3  00:00:00  127.0.0.1:36068 ⇒ 127.0.0.1:44008 → 10.0.0.5:5432",
                "   4  01:02:03  192.168.100.201:51000 ⇒ 192.168.100.1:44010 → [2001:db8::5]:443",
            ]
        )
        for named in [[.client, .server], [.listener], [.egress, .listener]] as [Set<FlowQuery.Side>] {
            for width in [80, 100, 120, 140] {
                let lines = try Self.table(TerminalStyle(width: width), naming: named)
                #expect(lines.allSatisfy { $0.count <= width })
                #expect(lines[1].contains(":36068 ") && lines[1].contains("10.0.0.5:5432"))
                #expect(lines[2].contains("192.168.100.201:51000 ") && lines[2].contains("[2001:db8::5]:443"))
                if named.contains(.listener) { #expect(lines[1].contains(":9000 ") && lines[2].contains(":9000 ")) }
                if named.contains(.egress) { #expect(lines[1].contains(":44008 ") && lines[2].contains(":44010 ")) }
            }
        }
        // A table in a pipe, and one with chosen columns, is what it was.
        #expect(try Self.table(TerminalStyle(), naming: [.egress]) == Self.table(TerminalStyle()))
        let chosen = try Self.table(TerminalStyle(width: 80), columns: [.flow, .what], naming: [.egress])
        #expect(chosen[0] == "flow  what")
    }

    @Test(
        "Where there is no room for all four, the client and the server stay, and the sides that a query names",
        arguments: [
            ([], [.client, .server]), ([.client], [.client, .server]), ([.server], [.client, .server]),
            ([.listener], [.client, .listener, .server]), ([.egress], [.client, .egress, .server]),
            ([.egress, .listener], [.client, .listener, .egress, .server]),
        ] as [(Set<FlowQuery.Side>, Set<FlowQuery.Side>)]
    )
    func forms(named: Set<FlowQuery.Side>, kept: Set<FlowQuery.Side>) {
        let all: Set<FlowQuery.Side> = [.client, .listener, .egress, .server]
        let forms = FlowsText.EndsForm.forms(naming: named)
        #expect(forms.map(\.sides) == [all, all, kept, kept])
        // The long form of each comes first.
        #expect(forms.map(\.isShort) == [false, true, false, true])
    }

    @Test(
        "A query names the sides that it asks for; a word for any side, those by which flows fit",
        arguments: [
            ("egress port 44008", [.egress]), ("listener port 9000 and client host 127.0.0.1", [.listener, .client]),
            ("port 5432", [.client, .server]), ("port 44008 or tcp", [.client, .server, .egress]),
            ("port 1", [.client, .server, .listener, .egress]), ("host 10.0.0.5", [.client, .server]),
            ("not egress port 1", []), ("tcp and packets > 1", []),
        ] as [(String, Set<FlowQuery.Side>)]
    )
    func sides(query: String, sides: Set<FlowQuery.Side>) throws {
        let query = try FlowQuery(parsing: query)
        var rows = try Self.rows(isAnswered: true).filter(query.matches)
        // Of another flow, which fits by a relay's port alone.
        if sides.count == 4 {
            rows = try Self.rows(isAnswered: true).map { row in
                var row = row
                row.path?.listener.port = 1
                row.path?.egress?.port = 1
                return row
            }
        }
        #expect(query.sides(in: rows) == sides)
    }

    @Test("Without flows a word for any side names the client's and the server's", arguments: ["port 1", "host ::1"])
    func sidesOfNone(query: String) throws {
        #expect(try FlowQuery(parsing: query).sides(in: []) == [.client, .server])
    }

    @Test("Columns can be chosen, and are whole in a pipe")
    func columns() throws {
        let lines = try Self.table(TerminalStyle(), columns: [.server, .flow, .egress, .what])
        #expect(
            lines == [
                "server             flow  egress               what",
                "10.0.0.5:5432         3  127.0.0.1:44008      postgresql",
                "[2001:db8::5]:443     4  192.168.100.1:44010  tls sni a-long-name.example.com",
            ]
        )
    }

    @Test("The columns of bytes have the payload, and frames have columns of their own")
    func frames() throws {
        let columns: [FlowColumn] = [.up, .frameBytesUp, .down, .frameBytesDown]
        let lines = try Self.table(TerminalStyle(), columns: columns, isAnswered: true)
        #expect(
            lines == [
                " up  frame bytes up      down  frame bytes down", "560              60  12345678                60",
                "  0              60         0                60",
            ]
        )
    }

    @Test("The total counts the flows that are shown, and what has no flow")
    func totals() {
        var capture = ViewCapture()
        _ = capture.add(ViewCapture.udp((1, 5), (2, 9), "hello"))
        _ = capture.add(ViewCapture.udp((2, 9), (1, 5), "answer!"))
        _ = capture.add(ViewCapture.udp((1, 6), (2, 9), ""))
        let rows = FlowRows().rows(of: capture.flows.table)
        func total(_ rows: [FlowRow]) -> String {
            let view = FlowsText(rows)
            return shown { view.appendTotals(rows, among: 2, of: capture.flows, to: &$0) }
        }
        #expect(total(rows) == "total: 2 flows, 3 packets, 12 bytes of payload\n")
        #expect(total(Array(rows.prefix(1))) == "total: 1 flow of 2, 2 packets, 12 bytes of payload\n")
        #expect(total([]) == "total: 0 flows of 2, 0 packets, 0 bytes of payload\n")
        _ = capture.add(ViewCapture.ip(99, 1, 2, [1]))
        #expect(total(rows).hasSuffix("12 bytes of payload, of no flow 1 packet, 21 bytes\n"))
    }
}
