import Testing
import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirWire

@Suite("Rows of the flows view")
struct FlowRowTests {
    static let comment =
        "flow 7 client 127.0.0.1:49152 listener 127.0.0.1:9000 egress 10.0.0.2:51044 server 10.0.0.5:443"

    @Test("A comment names the endpoints of both legs, and may say more")
    func comment() throws {
        let path = try #require(RecordedPath(comment: Self.comment))
        #expect(path.number == 7)
        #expect(path.path.client.description == "127.0.0.1:49152")
        #expect(path.path.egress?.description == "10.0.0.2:51044")
        #expect(path.path.server?.description == "10.0.0.5:443")
        #expect(RecordedPath(comment: Self.comment + " pid 1234 curl") == path)
        #expect(RecordedPath(comment: Self.comment + "; the socket met itself") == path)
        let echo = try #require(RecordedPath(comment: "flow 1 client [::1]:5 listener [::1]:9000"))
        #expect(echo.path.server == nil)
        let refused = try #require(
            RecordedPath(comment: "flow 1 client 1.1.1.1:5 listener 1.1.1.1:6 egress none server 1.1.1.1:7")
        )
        #expect(refused.path.egress == nil)
        #expect(refused.path.server?.port == 7)
    }

    @Test(
        "Any other comment is none",
        arguments: [
            "", "hello", "flow", "flow x", "flow 7", "flow 7 client 127.0.0.1 listener 127.0.0.1:9000",
            "flow 7 listener 127.0.0.1:9000 client 127.0.0.1:1", "flow -1 client 1.1.1.1:5 listener 1.1.1.1:6",
        ]
    )
    func otherComment(_ text: String) {
        #expect(RecordedPath(comment: text) == nil)
    }

    @Test("Both legs of a flow are one row with all four endpoints")
    func joined() throws {
        var packets = Packets()
        try packets.add(.tcp, "127.0.0.1:49152", "127.0.0.1:9000", .syn, length: 70, comment: Self.comment)
        try packets.add(.udp, "9.9.9.9:1", "9.9.9.9:2")
        try packets.add(.tcp, "10.0.0.2:51044", "10.0.0.5:443", .syn, length: 80, comment: Self.comment)
        try packets.add(.tcp, "10.0.0.5:443", "10.0.0.2:51044", [.rst, .ack], length: 54)
        let rows = packets.rows
        #expect(rows.map(\.number) == [7, FlowRows.base + 2])
        #expect(rows.map(\.place) == [0, 1])
        #expect(rows.first?.serverLeg?.place == 2)
        #expect(rows.map(\.leg) == [.client, nil])
        #expect(rows.first?.flow.bytesUp == 70)
        #expect(rows.first?.serverLeg?.flow.bytesUp == 80)
        #expect(rows.first?.serverLeg?.flow.close == .refused)
        #expect(rows.first?.path?.server?.port == 443)
        #expect(rows.last?.path == nil)
        let json = shown { output in
            var view = FlowsJSON()
            for row in rows.prefix(1) { view.append(row, to: &output) }
        }
        #expect(
            json == """
                {"flow":7,"transport":"tcp","client":"127.0.0.1:49152","server":"10.0.0.5:443","packets_up":1,\
                "packets_down":0,"bytes_up":0,"bytes_down":0,"frame_bytes_up":70,"frame_bytes_down":0,"start":"1970-01-01T00:00:00.000000000Z","duration_ns":0,\
                "close":"refused","listener":"127.0.0.1:9000","egress":"10.0.0.2:51044","leg":"client",\
                "server_leg":{"flow":7,"packets_up":1,"packets_down":1,"bytes_up":0,"bytes_down":0,\
                "frame_bytes_up":80,"frame_bytes_down":54,\
                "start":"1970-01-01T00:00:00.000000000Z","duration_ns":0,"close":"refused"}}

                """
        )
    }

    @Test(
        "A flow ends as the relay's dial did, if that failed",
        arguments: [(FlowClose.refused, true), (.unanswered, true), (.serverReset, false), (.open, false)]
    )
    func close(server: FlowClose, counts: Bool) throws {
        var packets = Packets()
        try packets.add(.tcp, "127.0.0.1:49152", "127.0.0.1:9000", .syn, length: 70, comment: Self.comment)
        try packets.add(.tcp, "127.0.0.1:9000", "127.0.0.1:49152", [.syn, .ack], length: 70)
        try packets.add(.tcp, "10.0.0.2:51044", "10.0.0.5:443", .syn, length: 80, comment: Self.comment)
        let answered = server == .serverReset || server == .open
        let reset = server == .refused || server == .serverReset
        if answered { try packets.add(.tcp, "10.0.0.5:443", "10.0.0.2:51044", [.syn, .ack], length: 54) }
        if reset { try packets.add(.tcp, "10.0.0.5:443", "10.0.0.2:51044", [.rst, .ack], length: 54) }
        try packets.add(.tcp, "127.0.0.1:9000", "127.0.0.1:49152", [.rst, .ack], length: 54)
        let row = try #require(packets.rows.first)
        #expect(row.serverLeg?.flow.close == server)
        #expect(row.flow.close == .serverReset)
        #expect(row.close == (counts ? server : .serverReset))
        let text = shown { output in
            var view = FlowsText([row])
            view.append(row, to: &output)
        }
        #expect(text.hasSuffix("  \(counts ? server.rawValue : "server_reset")\n"))
        let json = shown { output in
            var view = FlowsJSON()
            view.append(row, to: &output)
        }
        #expect(json.contains("\"close\":\"\(counts ? server.rawValue : "server_reset")\",\"listener\""))
        for close in [server, row.close] {
            #expect(try FlowQuery(parsing: "close \(try #require(close).rawValue)").matches(row))
        }
    }

    @Test("A row is found by its number, as it is among all")
    func number() throws {
        var packets = Packets()
        let second = Self.comment.replacing("flow 7", with: "flow 8").replacing(":51044", with: ":51045")
            .replacing(":49152", with: ":49153")
        try packets.add(.tcp, "127.0.0.1:49152", "127.0.0.1:9000", .syn, length: 70, comment: Self.comment)
        try packets.add(.udp, "9.9.9.9:1", "9.9.9.9:2")
        try packets.add(.tcp, "10.0.0.2:51045", "10.0.0.5:443", .syn, length: 80, comment: second)
        try packets.add(.tcp, "10.0.0.2:51044", "10.0.0.5:443", .syn, length: 80, comment: Self.comment)
        let rows = packets.rows
        #expect(rows.map(\.number) == [7, 8, FlowRows.base + 2])
        for number in Array(0...9) + Array(FlowRows.base...FlowRows.base + 5) {
            let row = packets.joiner.row(number: number, of: packets.table)
            #expect(row == rows.first { $0.number == number }, "\(number)")
        }
    }

    @Test("A leg whose other one is not there is a row of its own, its client the one who dialed")
    func alone() throws {
        var packets = Packets()
        try packets.add(.tcp, "10.0.0.5:443", "10.0.0.2:51044", length: 54, comment: Self.comment)
        let row = try #require(packets.rows.first)
        #expect(row.flow.client.port == 51044)
        #expect((row.flow.packetsUp, row.flow.packetsDown) == (0, 1))
        #expect(row.serverLeg == nil)
        let json = shown { output in
            var view = FlowsJSON()
            view.append(row, to: &output)
        }
        #expect(json.contains(#""client":"127.0.0.1:49152","server":"10.0.0.5:443","#))
        #expect(json.contains(#""leg":"server""#))
    }

    @Test("A comment that names other endpoints joins nothing")
    func foreign() throws {
        var packets = Packets()
        try packets.add(.tcp, "1.1.1.1:1", "2.2.2.2:2", comment: Self.comment)
        #expect(packets.rows.map(\.path) == [nil])
    }

    @Test("Of several flows with one comment the first has the number, and each has its own legs")
    func reuse() throws {
        var packets = Packets()
        for number in [UInt32(1), 1000] {
            try packets.add(.tcp, "127.0.0.1:49152", "127.0.0.1:9000", .syn, number: number, comment: Self.comment)
            try packets.add(.tcp, "10.0.0.2:51044", "10.0.0.5:443", .syn, number: number, comment: Self.comment)
        }
        let rows = packets.rows
        #expect(rows.map(\.number) == [7, FlowRows.base + 3])
        #expect(rows.map(\.place) == [0, 2])
        #expect(rows.map { $0.serverLeg?.place } == [1, 3])
    }

    @Test("The table lists every flow in aligned columns")
    func table() throws {
        var packets = Packets()
        try packets.add(
            .tcp,
            "127.0.0.1:49152",
            "127.0.0.1:9000",
            .syn,
            payload: 74,
            at: 1_000_000,
            comment: Self.comment
        )
        try packets.add(.tcp, "10.0.0.2:51044", "10.0.0.5:443", .syn, length: 80, at: 2_000_000, comment: Self.comment)
        try packets.add(
            .tcp,
            "127.0.0.1:9000",
            "127.0.0.1:49152",
            [.syn, .ack],
            payload: 1_234_567_890,
            at: 12_001_042_000
        )
        try packets.add(.udp, "[::1]:5", "[::1]:6", at: nil)
        let rows = packets.rows
        let text = shown { output in
            var view = FlowsText(rows)
            view.appendHeading(to: &output)
            for row in rows { view.append(row, to: &output) }
        }
        #expect(
            text == """
                      flow  time                             client and server                                                 packets up  up  packets down        down       took  end   what
                         7  1970-01-01 00:00:00.001000  tcp  127.0.0.1:49152 → 127.0.0.1:9000 ⇒ 10.0.0.2:51044 → 10.0.0.5:443           1  74             1  1234567890  12.000042  open
                1000000003  no time                     udp  [::1]:5 → [::1]:6                                                          1   0             0           0

                """
        )
        let colored = shown { FlowsText(rows, TerminalStyle(color: true)).appendHeading(to: &$0) }
        #expect(colored.hasPrefix("\u{1B}[1m") && colored.hasSuffix("\u{1B}[0m\n"))
    }
}
