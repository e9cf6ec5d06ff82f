import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("Summary sink")
struct SummarySinkTests {
    private func close(
        _ client: String,
        _ transport: Transport = .tcp,
        listener: String = "127.0.0.1:9000",
        egress: UInt16? = 42_332,
        up: Counters = .of(2, in: 1),
        down: Counters = .of(3, in: 1),
        flow: UInt64 = 1
    ) throws -> FlowRecord {
        let path = FlowPath(
            client: try #require(Endpoint(client)),
            listener: try #require(Endpoint(listener)),
            egress: egress.map { Endpoint(address: .loopbackV4, port: $0) },
            server: Playbook.path.server
        )
        return record(Sample.closed(up, down), transport, flow: flow, path: path)
    }

    @Test("Says that nothing has happened")
    func empty() {
        var sink = SummarySink()
        let expected =
            "total: (0 tcp flows) (0 udp flows) up (0 bytes) (0 chunks) down (0 bytes) (0 chunks) refused (0)\n"
        #expect(sink.finished() == expected)
        #expect(sink.interest == .flows)
    }

    @Test("Sums up flows, bytes and losses, and lists each client's ports on each listener")
    func table() throws {
        var sink = SummarySink()
        let records = [
            record(.opened), record(.refused(.timedOut)), record(chunk(.upstream, at: 0, 5)),
            try close("127.0.0.1:51514"), try close("127.0.0.1:51516", egress: 42_400),
            try close("127.0.0.1:600", .udp, egress: nil, up: .of(1, in: 1, dropped: 4, droppedDatagrams: 2)),
            try close("127.0.0.1:51518", listener: "127.0.0.1:8000"),
            try close("[fe80::1%2]:700", listener: "[fe80::2%2]:9000", down: .of(0, in: 0, dropped: 9)),
        ]
        for record in records { #expect(sink.rendered(record, "bytes") == "") }
        let expected = """
            total: (4 tcp flows) (1 udp flow) up (9 bytes) (5 chunks) dropped (2 datagrams) (4 bytes) \
            down (12 bytes) (4 chunks) dropped (9 bytes) refused (1)
            client 127.0.0.1, its ports => the egress ports they were given:
              tcp 127.0.0.1:8000 (1 flow): 51518=>42332
              tcp 127.0.0.1:9000 (2 flows): 51514=>42332, 51516=>42400
              udp 127.0.0.1:9000 (1 flow): 600=>none
            client fe80::1%2, its ports => the egress ports they were given:
              tcp [fe80::2%2]:9000 (1 flow): 700=>42332

            """
        #expect(sink.finished() == expected)
    }

    @Test("Counts the sessions that made room for others")
    func evicted() {
        var sink = SummarySink()
        for reason in [CloseReason.evicted, .idle, .evicted] {
            let close = CloseRecord(reason: reason, upstream: Counters(), downstream: Counters(), duration: .zero)
            #expect(sink.rendered(record(.closed(close), .udp)) == "")
        }
        #expect(sink.finished().contains(" (3 udp flows) ") && sink.finished().contains(" refused (0) evicted (2)\n"))
    }

    @Test("Counts the mismatches after the sessions that made room")
    func mismatches() {
        var sink = SummarySink()
        for _ in 0..<2 { _ = sink.rendered(record(.mismatch(.refused))) }
        #expect(sink.finished().hasSuffix(" refused (0) mismatches (2)\n"))
        _ = sink.rendered(record(Sample.closed(Counters(), Counters(), .evicted)))
        #expect(sink.finished().contains(" refused (0) evicted (1) mismatches (2)\n"))
    }

    @Test("Lists only the clients' ports if no flow had an egress port")
    func noEgress() throws {
        var sink = SummarySink()
        _ = sink.rendered(try close("127.0.0.1:700", egress: nil))
        _ = sink.rendered(try close("127.0.0.1:701", egress: nil, flow: 2))
        #expect(sink.finished().hasSuffix("\nclient 127.0.0.1, its ports:\n  tcp 127.0.0.1:9000 (2 flows): 700, 701\n"))
    }

    @Test("Lists ports in the order in which the flows began, not in that in which they ended")
    func order() throws {
        var sink = SummarySink()
        for flow: UInt64 in [3, 1, 2] { _ = sink.rendered(try close("127.0.0.1:\(flow)", flow: flow)) }
        #expect(sink.finished().hasSuffix("(3 flows): 1=>42332, 2=>42332, 3=>42332\n"))
    }

    @Test(
        "Lists the first 64 processes of a client with their flows, and counts the others",
        arguments: [63, 64, 65, 70]
    )
    func processes(count: UInt64) {
        let lookup: ProcessLookup = { flow in
            // Each process has two flows, the last one is not found.
            flow.rawValue == 2 * count + 1
                ? .unknown
                : .found(ClientProcess(identifier: Int32((flow.rawValue - 1) % count) + 1, name: "curl", user: "me"))
        }
        var sink = SummarySink(details: FlowDetails(process: lookup))
        for flow in 1...(2 * count + 1) { _ = sink.rendered(record(.opened, flow: flow)) }
        _ = sink.rendered(record(Sample.closed(Counters(), Counters()), flow: 1))
        let line = sink.finished().split(separator: "\n").last.map(String.init) ?? ""
        let listed = min(count, 64)
        let names = (1...listed).map { "curl/\($0) user me (2 flows)" }
        let others = count > listed ? ["others (\(2 * (count - listed)) flows)"] : []
        #expect(line == "  processes: " + (names + others + ["not known (1 flow)"]).joined(separator: ", "))
    }

    @Test("Counts one process that is not listed, and several flows whose process is not known")
    func otherProcesses() {
        let lookup: ProcessLookup = { flow in
            flow.rawValue > 65
                ? .unknown : .found(ClientProcess(identifier: Int32(flow.rawValue), name: "curl", user: "me"))
        }
        var sink = SummarySink(details: FlowDetails(process: lookup))
        for flow in UInt64(1)...67 { _ = sink.rendered(record(.opened, flow: flow)) }
        _ = sink.rendered(record(Sample.closed(Counters(), Counters()), flow: 1))
        let text = sink.finished()
        #expect(text.contains("  processes: curl/1 user me (1 flow), curl/2 user me (1 flow), "))
        #expect(text.hasSuffix(", curl/64 user me (1 flow), others (1 flow), not known (2 flows)\n"))
    }

    @Test("Knows the processes of the first 1,000 clients, and goes on counting for them")
    func processesOfClients() throws {
        let process = ClientProcess(identifier: 1, name: "curl", user: "me")
        var sink = SummarySink(details: FlowDetails(process: { _ in .found(process) }))
        func open(_ number: UInt32) -> FlowRecord {
            var path = Playbook.path
            path.client.address = IPAddress(v4: number)
            return record(.opened, path: path)
        }
        for number in UInt32(0)...1000 { _ = sink.rendered(open(number)) }
        for number: UInt32 in [0, 999, 1000] { _ = sink.rendered(open(number)) }
        for number: UInt32 in [0, 999, 1000] {
            var path = Playbook.path
            path.client.address = IPAddress(v4: number)
            _ = sink.rendered(record(Sample.closed(Counters(), Counters()), path: path))
        }
        let lines = sink.finished().split(separator: "\n").dropFirst()
        #expect(lines.count == 8 && lines.count { $0 == "  processes: curl/1 user me (2 flows)" } == 2)
        #expect(lines.last == "  tcp 127.0.0.1:9000 (1 flow): 51514=>42332")
    }

    @Test(
        "One port more than 256 is one more flow, and none is none",
        arguments: [(256, ""), (257, ", and (1 more flow)")]
    )
    func portsAtTheLimit(count: UInt64, rest: String) throws {
        var sink = SummarySink()
        for port in 1...count { _ = sink.rendered(try close("127.0.0.1:\(port)", flow: port)) }
        #expect(sink.finished().hasSuffix(", 255=>42332, 256=>42332\(rest)\n"))
    }

    @Test("Lists the first 256 ports of a client on a listener")
    func ports() throws {
        var sink = SummarySink()
        for port in UInt64(1)...258 { _ = sink.rendered(try close("127.0.0.1:\(port)", flow: port)) }
        let last = try #require(sink.finished().split(separator: "\n").last)
        #expect(last.hasPrefix("  tcp 127.0.0.1:9000 (258 flows): 1=>42332, 2=>42332, "))
        #expect(last.hasSuffix(", 256=>42332, and (2 more flows)"))
    }

    @Test("Lists the first 1,000 clients, and goes on counting for them")
    func clients() throws {
        var sink = SummarySink()
        for number in 0..<1001 { _ = sink.rendered(try close("10.0.\(number / 256).\(number % 256):1")) }
        _ = sink.rendered(try close("10.0.0.0:2"))
        let lines = sink.finished().split(separator: "\n")
        #expect(lines.count == 1 + 2 * 1000 + 1)
        #expect(lines[1].hasPrefix("client 10.0.0.0, "))
        #expect(lines[2] == "  tcp 127.0.0.1:9000 (2 flows): 1=>42332, 2=>42332")
        #expect(lines.last == "(1 flow) of further clients not listed")
        _ = sink.rendered(try close("10.1.0.0:1"))
        #expect(sink.finished().hasSuffix("\n(2 flows) of further clients not listed\n"))
    }
}
