import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("What went wrong")
struct FlowProblemsTests {
    /// Returns the lines of an input of the table of queries.
    private static func lines(_ name: String, wantsFields: Bool) throws -> String {
        let input = try #require(QueryTable.inputs[name])
        var problems = FlowProblems()
        var dissector = CaptureDissector(wantsFields: wantsFields)
        var capture = ViewCapture()
        for (index, packet) in input.packets.enumerated() {
            let captured = capture.add(packet, at: Int64(index) * 1_000_000)
            dissector.add(captured, packet.span.bytes, in: capture.flows) { problems.add($1, of: $0) }
        }
        dissector.finish { problems.add($1, of: $0) }
        var view = ProblemsText(TerminalStyle(width: 120))
        let found = problems.problems(of: FlowRows().rows(of: capture.flows.table))
        return shown { buffer in for problem in found { view.append(problem, to: &buffer) } }
    }

    @Test(
        "Is told in one line for each protocol and each flow",
        arguments: [
            ("ok", ""), ("missing", "00:00:00.003000 #1 http 404 Not Found, to GET /missing shop.example  1.0 ms\n"),
            ("redis", "00:00:00.003000 #1 redis error ERR wrong kind, to GET a  1.0 ms\n"), ("redis-ok", ""),
            ("pg-error", "00:00:00.003000 #1 postgresql error ERROR 42P01 no, to query select 1  1.0 ms\n"),
            ("pg-notice", ""),
            ("nxdomain", "00:00:00.001000 #1 dns NXDOMAIN A www.example.org, to query A www.example.org  1.0 ms\n"),
            ("alert", "00:00:00.002000 #1 tls fatal alert: handshake failure\n"), ("farewell", ""),
            ("reset", "00:00:00.003000 #1 reset by the server  10.0.0.1:40000 → 10.0.0.2:9\n"),
            ("gone", "00:00:00.003000 #1 reset by the client  10.0.0.1:40000 → 10.0.0.2:9\n"),
            ("refused", "00:00:00.001000 #1 refused  10.0.0.1:40000 → 10.0.0.2:9\n"), ("raw", ""),
        ]
    )
    func lines(_ name: String, _ expected: String) throws {
        for wantsFields in [true, false] { #expect(try Self.lines(name, wantsFields: wantsFields) == expected) }
    }

    @Test("A message without fields, as a log without bytes has it, says whether it is an error")
    func logged() throws {
        var capture = ViewCapture()
        let input = try #require(QueryTable.inputs["ok"])
        for (index, packet) in input.packets.enumerated() { _ = capture.add(packet, at: Int64(index)) }
        var problems = FlowProblems()
        for (text, isError) in [("503 is no error here", false), ("one", true), ("two", true)] {
            var message = Message()
            message.name = "http"
            message.facts.isError = isError
            message.direction = .downstream
            message.summary = MessageText(escaping: text)
            problems.add(message, of: 0)
        }
        let found = problems.problems(of: FlowRows().rows(of: capture.flows.table))
        var view = ProblemsText(TerminalStyle())
        let lines = shown { buffer in for problem in found { view.append(problem, to: &buffer) } }.split(
            separator: "\n"
        )
        #expect(lines.count == 2)
        #expect(lines.first?.contains("http one") == true && lines.last?.contains("http two") == true)
    }

    @Test("Has a form in JSON")
    func json() throws {
        var view = ProblemsJSON()
        let problem = FlowProblem(
            flow: 7,
            time: 0,
            kind: .message(
                protocol: "http",
                direction: .downstream,
                text: MessageText(escaping: "404 Not Found"),
                request: MessageText(escaping: "GET /x"),
                delay: 5
            )
        )
        #expect(
            shown { view.append(problem, to: &$0) }
                == #"{"time":"1970-01-01T00:00:00.000000000Z","flow":7,"event":"error","direction":"downstream","#
                + #""protocol":"http","summary":"404 Not Found","request":"GET /x","delay_ns":5}"# + "\n"
        )
        let client = try #require(Endpoint("10.0.0.1:1"))
        let refused = FlowProblem(flow: 8, time: nil, kind: .flow(.refused, client: client, server: client))
        #expect(
            shown { view.append(refused, to: &$0) }
                == #"{"time":null,"flow":8,"event":"error","close":"refused","client":"10.0.0.1:1","server":"10.0.0.1:1"}"#
                + "\n"
        )
    }

    @Test("Messages beyond a limit are counted")
    func limit() throws {
        let input = try #require(QueryTable.inputs["missing"])
        var problems = FlowProblems(limit: 0)
        var dissector = CaptureDissector()
        var capture = ViewCapture()
        for packet in input.packets {
            let captured = capture.add(packet)
            dissector.add(captured, packet.span.bytes, in: capture.flows) { problems.add($1, of: $0) }
        }
        #expect(problems.leftOut == 1)
        #expect(
            shown { ProblemsText(TerminalStyle()).append(leftOut: 1, to: &$0) }
                == "1 more errors in messages were not kept\n"
        )
    }
}
