import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("What an open record says besides its endpoints")
struct FlowDetailsTests {
    private static let process = ClientProcess(identifier: 4711, name: "a \"b\"\u{1B}", user: "root")
    private let found = FlowDetails(process: { _ in .found(process) })
    private let unknown = FlowDetails(process: { _ in .unknown })

    @Test("The terminal names the process, and nothing in its name steers it")
    func terminal() {
        var sink = TerminalSink(show: .summary, details: found)
        #expect(sink.rendered(record(.opened)).hasSuffix("   a\\x20\\x22b\\x22\\x1b 4711, root\n"))
        var other = TerminalSink(show: .summary, details: unknown)
        #expect(other.rendered(record(.opened)).hasSuffix("   process not known\n"))
    }

    @Test("JSON has the process, null where it is not known, and no key where nobody looks")
    func json() {
        var sink = JSONLinesSink(withBytes: false, details: found)
        #expect(
            sink.rendered(record(.opened))
                .hasSuffix(",\"process\":{\"pid\":4711,\"name\":\"a \\\"b\\\"\\u001b\",\"user\":\"root\"}}\n")
        )
        var other = JSONLinesSink(withBytes: false, details: unknown)
        #expect(other.rendered(record(.opened)).hasSuffix(",\"process\":null}\n"))
        var none = JSONLinesSink(withBytes: false)
        #expect(!none.rendered(record(.opened)).contains("process"))
    }

    @Test("A flow that was denied says so, after its process, and no other does")
    func denied() {
        let details = FlowDetails(process: { _ in .found(Self.process) }, isDenied: { $0.rawValue == 2 })
        var sink = TerminalSink(show: .summary, details: details)
        #expect(sink.rendered(record(.opened, flow: 2)).hasSuffix(" 4711, root, denied by --deny\n"))
        #expect(sink.rendered(record(.opened, flow: 3)).hasSuffix(" 4711, root\n"))
        var lines = JSONLinesSink(withBytes: false, details: details)
        #expect(lines.rendered(record(.opened, flow: 2)).hasSuffix("\"user\":\"root\"},\"denied\":true}\n"))
        #expect(!lines.rendered(record(.opened, flow: 3)).contains("denied"))
    }

    @Test("The table at the end names each flow's process, and those that are not known")
    func summary() {
        var sink = SummarySink(details: FlowDetails(process: { $0.rawValue == 3 ? .unknown : .found(Self.process) }))
        for flow in UInt64(1)...3 { _ = sink.rendered(record(.opened, flow: flow)) }
        let lines = sink.finished().split(separator: "\n")
        #expect(lines.count { $0.hasSuffix("  a\\x20\\x22b\\x22\\x1b 4711, root") } == 2)
        #expect(lines.last?.hasSuffix("  process not known") == true)
    }

    @Test("What was asked of the egress port and what was got is said")
    func egress() throws {
        let path = Playbook.path
        let egress = try #require(path.egress)
        let got = FlowDetails(egressPort: .range(PortRange(Int(egress.port), Int(egress.port))))
        var sink = TerminalSink(show: .summary, details: got)
        #expect(
            sink.rendered(record(.opened)).hasSuffix("   egress port \(egress.port)-\(egress.port) as asked\n")
        )
        var lines = JSONLinesSink(withBytes: false, details: FlowDetails(egressPort: .same))
        let isGot = egress.port == path.client.port
        #expect(
            lines.rendered(record(.opened))
                .contains(",\"egress_asked\":\"\(path.client.port)\",\"egress_got\":\(isGot)}")
        )
    }

    @Test("Process and egress port are both told, in this order, and no egress port of a flow that has no server")
    func both() {
        var details = found
        details.egressPort = .same
        let path = FlowPath(client: Playbook.path.client, listener: Playbook.path.listener)
        let ends = "127.0.0.1:51514 → 127.0.0.1:9000"
        let process = "   a\\x20\\x22b\\x22\\x1b 4711, root"
        var sink = TerminalSink(show: .summary, details: details)
        #expect(
            sink.rendered(record(.opened)).hasSuffix(
                "\(ends) ⇒ 127.0.0.1:42332 → 127.0.0.1:65432\(process), egress port 51514 was not free\n"
            )
        )
        #expect(sink.rendered(record(.opened, path: path)).hasSuffix("\(ends)\(process)\n"))
        var lines = JSONLinesSink(withBytes: false, details: details)
        #expect(
            lines.rendered(record(.opened)).hasSuffix(
                #""user":"root"},"egress_asked":"51514","egress_got":false}"# + "\n"
            )
        )
        #expect(lines.rendered(record(.opened, path: path)).hasSuffix(#""user":"root"}}"# + "\n"))
    }

    @Test("Nothing is told of a process that was not looked for, nor of a port that the kernel chose")
    func nothing() {
        let details = FlowDetails(process: { _ in .notAsked })
        var sink = TerminalSink(show: .summary, details: details)
        #expect(sink.rendered(record(.opened)).hasSuffix(" → 127.0.0.1:65432\n"))
        var lines = JSONLinesSink(withBytes: false, details: details)
        #expect(lines.rendered(record(.opened)).hasSuffix(#","server":"127.0.0.1:65432"}"# + "\n"))
        var summary = SummarySink(details: details)
        _ = summary.rendered(record(.opened))
        _ = summary.rendered(record(Sample.closed(Counters(), Counters())))
        #expect(summary.finished().hasSuffix("127.0.0.1:42332\n"))
    }

    @Test("Choices of the egress port are read as they are written, and others are refused")
    func parsing() {
        for text in ["kernel", "same", "20000-20999"] { #expect(EgressPort(text)?.description == text) }
        for text in ["", "0-9", "9-1", "1-70000", "1-2-3", "x", "+1-2"] { #expect(EgressPort(text) == nil, "\(text)") }
    }
}
