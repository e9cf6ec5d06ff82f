import Testing
import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirWire

@Suite("Numbers of the flows of a capture")
struct FlowRowsTests {
    /// Returns the comment of a flow from a client's port, with an egress.
    private static func comment(_ number: Int, _ client: Int, _ egress: Int, server: Int = 80) -> String {
        "flow \(number) client 1.1.1.1:\(client) listener 1.1.1.2:9000 egress 1.1.1.3:\(egress) server 1.1.1.4:\(server)"
    }

    @Test("Without comments they count from 1, and a flow is found at its place")
    func plain() throws {
        var packets = Packets()
        for port in 1...3 { try packets.add(.udp, "1.1.1.1:\(port)", "2.2.2.2:9") }
        let rows = packets.joiner
        #expect((0..<3).map(rows.number) == [1, 2, 3])
        #expect((-1...4).map { rows.place($0, count: 3) } == [nil, nil, 0, 1, 2, nil])
        #expect(rows.place(1, .client, count: 3) == nil)
        #expect(rows.count(in: packets.table) == 3)
        #expect(!rows.isRecorded)
    }

    @Test("With comments both legs have the relay's number, and other flows can have no relay's")
    func recorded() throws {
        var packets = Packets()
        try packets.add(.tcp, "1.1.1.1:50001", "1.1.1.2:9000", .syn, comment: Self.comment(12, 50001, 60001))
        try packets.add(.udp, "9.9.9.9:1", "9.9.9.9:2")
        try packets.add(.tcp, "1.1.1.1:50002", "1.1.1.2:9000", .syn, comment: Self.comment(13, 50002, 60002))
        try packets.add(.tcp, "1.1.1.3:60002", "1.1.1.4:80", .syn, comment: Self.comment(13, 50002, 60002))
        try packets.add(.tcp, "1.1.1.3:60001", "1.1.1.4:80", .syn, comment: Self.comment(12, 50001, 60001))
        let rows = packets.joiner
        #expect((0..<5).map(rows.number) == [12, FlowRows.base + 2, 13, 13, 12])
        #expect((0..<5).map(rows.leg) == [.client, nil, .client, .server, .server])
        #expect((0..<5).map(rows.stands) == [true, true, true, false, false])
        #expect([nil, .client, .server].map { rows.place(12, $0, count: 5) } == [0, 0, 4])
        #expect(rows.place(FlowRows.base + 2, count: 5) == 1)
        // The number of a leg is not that of a flow.
        #expect([1, 3, FlowRows.base + 1].map { rows.place($0, count: 5) } == [nil, nil, nil])
        #expect(rows.count(in: packets.table) == 3)
        #expect(rows.label(3, isApart: true) == FlowLabel(number: 13, leg: .server))
        #expect(rows.label(3, isApart: false) == FlowLabel(number: 13))
        #expect(rows.label(1, isApart: true) == FlowLabel(number: FlowRows.base + 2))
    }

    @Test("A second dial is another leg of the same flow, and the one that counts")
    func secondDial() throws {
        var packets = Packets()
        let (first, second) = (Self.comment(3, 50001, 60001, server: 80), Self.comment(3, 50001, 60002, server: 81))
        try packets.add(.tcp, "1.1.1.1:50001", "1.1.1.2:9000", .syn, comment: first)
        try packets.add(.tcp, "1.1.1.3:60001", "1.1.1.4:80", .syn, comment: first)
        try packets.add(.tcp, "1.1.1.4:80", "1.1.1.3:60001", [.rst, .ack])
        try packets.add(.tcp, "1.1.1.3:60002", "1.1.1.4:81", .syn, comment: second)
        let rows = packets.rows
        #expect(rows.map(\.number) == [3])
        #expect(rows.first?.serverLeg?.place == 2)
        #expect(rows.first?.path?.server?.port == 81)
        #expect(rows.first?.close != .refused)
        #expect(packets.joiner.place(3, .server, count: 3) == 2)
    }

    @Test("A flow of another relay whose number is taken gets one of its own")
    func twoRelays() throws {
        var packets = Packets()
        try packets.add(.tcp, "1.1.1.1:50001", "1.1.1.2:9000", .syn, comment: Self.comment(1, 50001, 60001))
        try packets.add(.tcp, "1.1.1.1:50002", "1.1.1.2:9000", .syn, comment: Self.comment(1, 50002, 60002))
        try packets.add(.tcp, "1.1.1.3:60002", "1.1.1.4:80", .syn, comment: Self.comment(1, 50002, 60002))
        #expect(packets.rows.map(\.number) == [1, FlowRows.base + 2])
        #expect(packets.rows.map { $0.serverLeg?.place } == [nil, 2])
    }

    @Test("In a file that says so, flows without a comment have no relay's number even before the first comment")
    func statement() throws {
        var packets = Packets()
        packets.joiner.add(.section(CaptureSection(comments: ["something else"])))
        try packets.add(.udp, "9.9.9.9:1", "9.9.9.9:2")
        #expect(packets.joiner.number(0) == 1)
        let statement = "Comments on packets name the relay's flows: the first packet of each leg has one."
        packets.joiner.add(.section(CaptureSection(comments: [statement])))
        #expect(packets.joiner.number(0) == FlowRows.base + 1)
    }

    @Test("A leg is compared with the other one only if there can be one")
    func compared() throws {
        var packets = Packets()
        let echo = "flow 1 client 1.1.1.1:50001 listener 1.1.1.2:9000"
        try packets.add(.tcp, "1.1.1.1:50001", "1.1.1.2:9000", .syn, comment: echo)
        try packets.add(.tcp, "1.1.1.3:60002", "1.1.1.4:80", .syn, comment: Self.comment(2, 50002, 60002))
        #expect((0..<2).map(packets.joiner.comparedLeg) == [nil, nil])
        try packets.add(.tcp, "1.1.1.1:50002", "1.1.1.2:9000", .syn, comment: Self.comment(2, 50002, 60002))
        #expect((0..<3).map(packets.joiner.comparedLeg) == [nil, .server, .client])
    }
}
