import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirSinks

@Suite("A line for each message, or for a request with its answer")
struct RequestLinesTests {
    private static let head = "2026-11-22 12:31:07.104218 #1 "

    private static func request(_ offset: Int, _ summary: String) -> FlowRecord.Happening {
        Sample.message(.upstream, offset..<(offset + 5), summary) { $0.isRequest = true }
    }

    private static func answer(_ request: Int, _ summary: String, delay: Int64? = 1_300_000) -> FlowRecord.Happening {
        Sample.message(.downstream, 0..<5, summary) { $0.answer = MessageAnswer(request: request, delay: delay) }
    }

    @Test("A request waits for its answer, and has its time")
    func pair() {
        var sink = TerminalSink(show: .messages)
        #expect(sink.rendered(record(Self.request(0, "GET a"))) == "")
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 5))) == "")
        #expect(sink.rendered(record(Self.answer(0, "one"))) == "\(Self.head)▲ redis GET a → one   1.3 ms\n")
        #expect(sink.rendered(record(chunk(.downstream, at: 0, 5))) == "")
    }

    @Test("Answers find their requests by their place, in whichever order they come")
    func pipeline() {
        var sink = TerminalSink(show: .messages)
        for (offset, text) in [(0, "GET a"), (5, "GET b")] { _ = sink.rendered(record(Self.request(offset, text))) }
        #expect(sink.rendered(record(Self.answer(5, "two"))).hasSuffix(" ▲ redis GET b → two   1.3 ms\n"))
        #expect(sink.rendered(record(Self.answer(0, "one", delay: nil))) == "\(Self.head)▲ redis GET a → one\n")
        #expect(sink.rendered(record(Self.answer(0, "late"))) == "\(Self.head)▼ redis late   1.3 ms\n")
    }

    @Test("Datagrams are answered in their order, and flows do not meet")
    func datagrams() {
        var sink = TerminalSink(show: .messages)
        for text in ["a", "b"] { _ = sink.rendered(record(Self.request(0, text), .udp)) }
        #expect(sink.rendered(record(Self.answer(0, "x"), .udp, flow: 2)).hasSuffix(" #2 ▼ redis x   1.3 ms\n"))
        #expect(sink.rendered(record(Self.answer(0, "1"), .udp)).hasSuffix(" ▲ redis a → 1   1.3 ms\n"))
        #expect(sink.rendered(record(Self.answer(0, "2"), .udp)).hasSuffix(" ▲ redis b → 2   1.3 ms\n"))
    }

    @Test("What is no request, or is not complete, has a line at once; a part of a message has none")
    func others() {
        var sink = TerminalSink(show: .messages)
        #expect(sink.rendered(record(Sample.message(.downstream))) == "\(Self.head)▼ redis GET key\n")
        let cut = Sample.message {
            $0.isRequest = true
            $0.isComplete = false
        }
        #expect(sink.rendered(record(cut)) == "\(Self.head)▲ redis GET key, incomplete\n")
        #expect(sink.rendered(record(Sample.message { $0.isUnfinished = true })) == "")
    }

    @Test("A request that gets no answer is shown after a second, at its flow's end, or at the end of all")
    func unanswered() {
        var sink = TerminalSink(show: .messages)
        _ = sink.rendered(record(Self.request(0, "GET a")))
        var later = record(Sample.message(.downstream, 0..<1, "x"), flow: 2)
        later.moment.wallNanoseconds += 1_000_000_001
        let lines = sink.rendered(later).split(separator: "\n")
        #expect(lines.count == 2 && lines[0] == "\(Self.head)▲ redis GET a")
        _ = sink.rendered(record(Self.request(5, "GET b")))
        #expect(sink.rendered(record(Sample.closed(Counters(), Counters()))) == "\(Self.head)▲ redis GET b\n")
        _ = sink.rendered(record(Self.request(9, "GET c")))
        #expect(sink.finished().hasPrefix("\(Self.head)▲ redis GET c\ntotal: "))
    }

    @Test("What comes between a request and its answer stands between them; datagrams have no order")
    func between() {
        var sink = TerminalSink(show: .messages)
        for (offset, text) in [(0, "select a"), (5, "select b")] {
            #expect(sink.rendered(record(Self.request(offset, text))) == "")
        }
        let row = Sample.message(.downstream, 0..<5, "row 1")
        #expect(sink.rendered(record(row, flow: 2)).hasSuffix(" #2 ▼ redis row 1\n"))
        #expect(
            sink.rendered(record(row))
                == "\(Self.head)▲ redis select a\n\(Self.head)▲ redis select b\n\(Self.head)▼ redis row 1\n"
        )
        #expect(sink.rendered(record(Self.answer(0, "done"))) == "\(Self.head)▼ redis done   1.3 ms\n")
        _ = sink.rendered(record(Self.request(0, "a"), .udp, flow: 3))
        #expect(sink.rendered(record(row, .udp, flow: 3)).hasSuffix(" #3 ▼ redis row 1\n"))
        #expect(sink.rendered(record(Self.answer(0, "1"), .udp, flow: 3)).hasSuffix(" #3 ▲ redis a → 1   1.3 ms\n"))
    }

    @Test("An answer of another protocol is named")
    func protocols() {
        var sink = TerminalSink(show: .messages)
        _ = sink.rendered(record(Self.request(0, "CONNECT")))
        let answer = Sample.message(.downstream, 0..<5, "hello") { message in
            message.name = "tls"
            message.answer = MessageAnswer(request: 0)
        }
        #expect(sink.rendered(record(answer)) == "\(Self.head)▲ redis CONNECT → tls hello\n")
    }

    @Test("What went wrong is shown, and what went well is not")
    func faults() {
        var sink = TerminalSink(show: .messages)
        #expect(sink.rendered(record(.opened)) == "" && sink.rendered(record(.ended(.upstream))) == "")
        let refusal = "\(Self.head)refused 127.0.0.1:51514 → 127.0.0.1:65432, timed out (ETIMEDOUT)\n"
        #expect(sink.rendered(record(.refused(.timedOut))) == refusal)
    }

    @Test("Requests that wait are bounded")
    func bound() {
        var lines = RequestLines()
        var shown = 0
        for number in 0..<(RequestLines.limit + 10) {
            guard case .message(let message) = Self.request(number * 5, "GET") else { continue }
            shown += lines.add(message, record(.opened)).count
        }
        #expect(shown == 10)
        #expect(lines.finish().count == RequestLines.limit && lines.finish().isEmpty)
    }
}
