import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("Summary sink")
struct SummarySinkTests {
    private func path(_ client: String, _ egress: UInt16?, listener: String = "127.0.0.1:9000") throws -> FlowPath {
        FlowPath(
            client: try #require(Endpoint(client)),
            listener: try #require(Endpoint(listener)),
            egress: egress.map { Endpoint(address: .loopbackV4, port: $0) },
            server: Playbook.path.server
        )
    }

    private static let nothing = "total: 0 tcp flows, 0 udp flows   ▲ 0 B in 0 chunks  ▼ 0 B in 0 chunks"

    @Test("Says that nothing has happened")
    func empty() {
        var sink = SummarySink()
        #expect(sink.finished() == Self.nothing + "\n")
        #expect(sink.interest == .flows)
    }

    @Test("Sums up flows, bytes and losses")
    func totals() {
        var sink = SummarySink()
        let records = [
            record(.refused(.timedOut)), record(chunk(.upstream, at: 0, 5)),
            record(Sample.closed(.of(2, in: 1), .of(3, in: 1))), record(Sample.closed(.of(2, in: 1), .of(3, in: 2))),
            record(Sample.closed(.of(1, in: 1, dropped: 4, droppedDatagrams: 2), .of(0, in: 0, dropped: 9)), .udp),
        ]
        for record in records { #expect(sink.rendered(record, "bytes") == "") }
        #expect(
            sink.finished() == "total: 2 tcp flows, 1 udp flow   ▲ 5 B in 3 chunks, 2 datagrams of 4 B dropped  "
                + "▼ 6 B in 3 chunks, 9 B dropped  1 refused\n"
        )
    }

    @Test("Counts the sessions that made room for others, and the mismatches after them")
    func faults() {
        var sink = SummarySink()
        for reason in [CloseReason.evicted, .idle, .evicted] {
            let close = CloseRecord(reason: reason, upstream: Counters(), downstream: Counters(), duration: .zero)
            #expect(sink.rendered(record(.closed(close), .udp)) == "")
        }
        #expect(sink.finished().hasSuffix("  2 evicted\n"))
        for _ in 0..<2 { _ = sink.rendered(record(.mismatch(.refused))) }
        #expect(sink.finished().hasSuffix("  2 evicted  2 mismatched\n"))
    }

    @Test("Has a row for each flow, with steps to the same destination, and ports that come again")
    func table() throws {
        var sink = SummarySink()
        let flows: [(String, UInt16?, String)] = [
            ("127.0.0.1:36068", 44_008, "127.0.0.1:9000"), ("127.0.0.1:36080", 44_000, "127.0.0.1:9000"),
            ("127.0.0.1:36070", 44_004, "127.0.0.1:8000"), ("127.0.0.1:36068", 44_008, "127.0.0.1:9000"),
            ("10.0.0.7:5", nil, "127.0.0.1:9000"),
        ]
        for (number, flow) in flows.enumerated() {
            let path = try path(flow.0, flow.1, listener: flow.2)
            #expect(sink.rendered(record(.opened, flow: UInt64(number + 1), path: path)) == "")
        }
        #expect(
            sink.finished() == """
                \(Self.nothing)
                flow                client  step           egress  step  reused  process
                #1    tcp  127.0.0.1:36068        127.0.0.1:44008
                #2    tcp  127.0.0.1:36080   +12  127.0.0.1:44000    -8
                #3    tcp  127.0.0.1:36070        127.0.0.1:44004    +4
                #4    tcp  127.0.0.1:36068   -12  127.0.0.1:44008    +4  both
                #5    tcp       10.0.0.7:5

                """
        )
    }

    @Test("A further dial changes the row of its flow, and is none of its own")
    func dialedAgain() throws {
        var sink = SummarySink()
        _ = sink.rendered(record(.opened, path: try path("127.0.0.1:1", 44_008)))
        _ = sink.rendered(record(.refused(.connectionRefused), path: try path("127.0.0.1:1", 44_008)))
        _ = sink.rendered(record(.connected(dial: .zero, isRerouted: true), path: try path("127.0.0.1:1", 44_010)))
        let lines = sink.finished().split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.last == "#1    tcp  127.0.0.1:1        127.0.0.1:44010    +2")
    }

    @Test("A flow whose first dial got no port has the one of the next dial")
    func dialedWithoutPort() throws {
        var sink = SummarySink()
        _ = sink.rendered(record(.opened, path: try path("127.0.0.1:1", nil)))
        _ = sink.rendered(record(.refused(ErrorNumber(101)), path: try path("127.0.0.1:1", nil)))
        _ = sink.rendered(record(.connected(dial: .zero, isRerouted: true), path: try path("127.0.0.1:1", 44_010)))
        // An error after the connection, with another path, is no dial.
        _ = sink.rendered(record(.refused(.connectionRefused), path: try path("127.0.0.1:1", 44_012)))
        #expect(sink.finished().split(separator: "\n").last == "#1    tcp  127.0.0.1:1        127.0.0.1:44010")
    }

    @Test("A flow beyond the limit of the table counts once, also when it is dialed again")
    func dialedBeyondTheLimit() throws {
        var sink = SummarySink()
        for number in 1...4097 {
            let path = try path("127.0.0.1:\(number)", 44_008)
            _ = sink.rendered(record(.opened, flow: UInt64(number), path: path))
        }
        let connected = record(
            .connected(dial: .zero, isRerouted: true),
            flow: 4097,
            path: try path("127.0.0.1:4097", 44_010)
        )
        _ = sink.rendered(connected)
        let lines = sink.finished().split(separator: "\n")
        #expect(lines.count == 2 + 4096 + 1)
        #expect(lines.last == "… 1 more flow")
    }

    @Test("The same port of another address, another transport or the other side is another port")
    func again() throws {
        var sink = SummarySink()
        let flows: [(String, UInt16, Transport)] = [
            ("127.0.0.1:5", 6, .tcp), ("127.0.0.2:5", 7, .tcp), ("127.0.0.1:6", 5, .tcp), ("127.0.0.1:5", 6, .udp),
            ("127.0.0.2:5", 6, .tcp),
        ]
        for (number, flow) in flows.enumerated() {
            let path = try path(flow.0, flow.1)
            _ = sink.rendered(record(.opened, flow.2, flow: UInt64(number + 1), path: path))
        }
        let reused = sink.finished().split(separator: "\n").dropFirst(2).map { $0.hasSuffix("both") }
        #expect(reused == [false, false, false, false, true])
    }

    /// Runs flows of programs, one after another.
    private func rendered(_ programs: [String], _ style: TerminalStyle) throws -> [String] {
        let lookup: ProcessLookup = { flow in
            .found(ClientProcess(identifier: Int32(flow.rawValue), name: programs[Int(flow.rawValue) - 1], user: "me"))
        }
        var sink = SummarySink(details: FlowDetails(process: lookup), style: style)
        for number in programs.indices {
            let path = try path("127.0.0.1:\(1000 + number)", UInt16(2000 + number))
            _ = sink.rendered(record(.opened, flow: UInt64(number + 1), path: path))
        }
        return sink.finished().split(separator: "\n").dropFirst(2).map(String.init)
    }

    @Test("Rows are grouped by program, and the addresses of the loopback are left out on a terminal")
    func groups() throws {
        #expect(
            try rendered(["curl", "psql", "curl"], TerminalStyle(width: 80)) == [
                "#1    tcp   :1000         :2000                curl 1, me",
                "#3    tcp   :1002    +1   :2002    +1          curl 3, me",
                "#2    tcp   :1001    +1   :2001    +1          psql 2, me",
            ]
        )
    }

    @Test("On a terminal there are 20 rows, shared by the programs, and the others are counted; a file has them all")
    func limit() throws {
        let programs = Array(repeating: "curl", count: 100) + ["psql"] + Array(repeating: "wget", count: 30)
        let lines = try rendered(programs, TerminalStyle(width: 100))
        #expect(lines.count { $0.hasPrefix("#") } == 20)
        #expect(lines.count { $0.contains(" curl ") && $0.hasPrefix("#") } == 10)
        #expect(lines.count { $0.contains(" wget ") && $0.hasPrefix("#") } == 9)
        #expect(lines.filter { !$0.hasPrefix("#") } == ["… 90 more flows of curl", "… 21 more flows of wget"])
        #expect(try rendered(programs, TerminalStyle()).count == 131)
    }

    @Test("4,096 rows are kept, and those of 64 programs")
    func kept() throws {
        let many = try rendered(Array(repeating: "a", count: 4100), TerminalStyle())
        #expect(many.count == 4097 && many.last == "… 4 more flows of a")
        let programs = try rendered((0..<70).map { "p\($0)" }, TerminalStyle())
        #expect(programs.count == 65 && programs.last == "… 6 more flows of further programs")
    }
}
