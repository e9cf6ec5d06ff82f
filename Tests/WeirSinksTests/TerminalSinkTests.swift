import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("Terminal sink")
struct TerminalSinkTests {
    private static let unreachable = ErrorNumber(101)
    private static let head = "2026-11-22 12:31:07.104218 #1 "

    @Test(
        "Renders a line for each kind of record",
        arguments: [
            (.opened, "tcp 127.0.0.1:51514 → 127.0.0.1:9000 ⇒ 127.0.0.1:42332 → 127.0.0.1:65432"),
            (
                .connected(dial: .seconds(1), isRerouted: true),
                "tcp 127.0.0.1:51514 → 127.0.0.1:9000 ⇒ 127.0.0.1:42332 → 127.0.0.1:65432 connected"
            ),
            (
                .refused(.connectionRefused),
                "refused 127.0.0.1:42332 → 127.0.0.1:65432, connection refused (ECONNREFUSED)"
            ),
            (chunk(.upstream, at: 0, 1), "▲ 1 B @0"),
            (chunk(.downstream, at: 1, 14, echo: Sample.echo), "▼ 14 B @1   echo of ▲ @1234, 0.51 ms"),
            (chunk(.downstream, at: 1, 0), "▼ 0 B @1"),
            (chunk(.upstream, at: 2, 4, peer: Sample.peer), "▲ 4 B @2   to 127.0.0.1:1069"),
            (chunk(.downstream, at: 2, 4, peer: Sample.peer), "▼ 4 B @2   from 127.0.0.1:1069"),
            (
                chunk(.downstream, at: 2, 4, echo: Sample.echo, peer: Sample.peer),
                "▼ 4 B @2   from 127.0.0.1:1069, echo of ▲ @1234, 0.51 ms"
            ),
            (.mismatch(.refused), "▼ mismatch, the server was not reached"),
            (.mismatch(.unanswered(datagrams: 1)), "▼ mismatch, 1 datagram never came back"),
            (.mismatch(.unanswered(datagrams: 12)), "▼ mismatch, 12 datagrams never came back"),
            (
                .mismatch(.byte(offset: 7, sent: 0x2C, received: 0x2D)),
                "▼ mismatch @7: sent 0x2c ',', came back 0x2d '-'"
            ),
            (.mismatch(.byte(offset: 7, sent: 0x0A, received: 0xFF)), "▼ mismatch @7: sent 0x0a, came back 0xff"),
            (.mismatch(.byte(offset: 7, sent: nil, received: 0)), "▼ mismatch @7: sent nothing, came back 0x00"),
            (.mismatch(.byte(offset: 7, sent: 16, received: nil)), "▼ mismatch @7: sent 0x10, came back nothing"),
            (
                .dropped(DropRecord(direction: .downstream, bytes: 0, reason: .toxic("a b"))),
                "▼ dropped 0 B, toxic 'a_b'"
            ),
            (Sample.loss(1, 0, .reset), "▲ dropped 1 B, reset"),
            (Sample.loss(20, 2, .queueFull), "▲ dropped 2 datagrams, 20 B, queue full"),
            (
                Sample.loss(20, 1, .foreign(Sample.peer)),
                "▲ dropped 1 datagram, 20 B, from 127.0.0.1:1069, which is not the server"
            ),
            (Sample.loss(0, 1, .receiveBufferFull), "▲ dropped 1 datagram, receive buffer full"),
            (
                Sample.loss(9, 1, .error(unreachable)),
                "▲ dropped 1 datagram, 9 B, network is unreachable (ENETUNREACH)"
            ),
            (Sample.closed(.of(14, in: 1), .of(1, in: 0)), "closed, finished in 1.0 ms   ▲ 14 B  ▼ 1 B"),
            (
                Sample.closed(.of(5, in: 1, dropped: 3), .of(0, in: 0, dropped: 9, droppedDatagrams: 2), .clientReset),
                "closed, client reset after 1.0 ms   ▲ 5 B, 3 B dropped  ▼ 0 B, 2 datagrams of 9 B dropped"
            ),
            (Sample.closed(Counters(), Counters(), .requested), "closed, on request after 1.0 ms   ▲ 0 B  ▼ 0 B"),
        ] as [(FlowRecord.Happening, String)]
    )
    func line(_ happening: FlowRecord.Happening, _ expected: String) {
        var sink = TerminalSink(show: .summary)
        #expect(sink.rendered(record(happening)) == "\(Self.head)\(expected)\n")
    }

    @Test("Says udp and the flow's number, and shows a path as far as it is known")
    func paths() {
        var sink = TerminalSink(show: .summary)
        let time = "2026-11-22 12:31:07.104218"
        var path = Playbook.path
        path.egress = nil
        #expect(
            sink.rendered(record(.opened, .udp, flow: 77, path: path))
                == "\(time) #77 udp 127.0.0.1:51514 → 127.0.0.1:9000 ⇒ no egress → 127.0.0.1:65432\n"
        )
        path.server = nil
        #expect(sink.rendered(record(.opened, path: path)) == "\(time) #1 tcp 127.0.0.1:51514 → 127.0.0.1:9000\n")
        #expect(
            sink.rendered(record(.refused(.timedOut), path: path))
                == "\(time) #1 refused no egress → no server, timed out (ETIMEDOUT)\n"
        )
    }

    @Test("Says nothing of what was expected: a connection on its path, what a toxic holds, a toxic that acts, an end")
    func silent() {
        var sink = TerminalSink()
        #expect(sink.rendered(record(.connected(dial: .zero, isRerouted: false))) == "")
        #expect(sink.rendered(record(Sample.toxic(.upstream, .met(acts: true)))) == "")
        #expect(sink.rendered(record(.ended(.upstream))) == "")
        #expect(sink.rendered(record(.endForwarded(.upstream))) == "")
        guard case .forwarded(let held) = chunk(.upstream, at: 0, 5) else { return }
        #expect(sink.rendered(record(.received(held)), "hello") == "")
    }

    @Test("Says all of it if it is to be verbose")
    func verbose() {
        var options = TerminalSink.Options()
        options.isVerbose = true
        var sink = TerminalSink(options)
        #expect(sink.rendered(record(.ended(.upstream))) == "\(Self.head)▲ end\n")
        #expect(sink.rendered(record(.endForwarded(.downstream))) == "\(Self.head)▼ end forwarded\n")
        #expect(sink.rendered(record(Sample.toxic(.upstream, .met(acts: true)))) == "\(Self.head)▲ toxic 'x' acts\n")
    }

    @Test("An end of one direction is shown before the other one goes on, and not if the flow ends with it")
    func halfClose() {
        var sink = TerminalSink(show: .summary)
        _ = sink.rendered(record(.ended(.upstream)))
        _ = sink.rendered(record(.ended(.downstream), flow: 2))
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 1), flow: 3)).hasSuffix(" #3 ▲ 1 B @0\n"))
        #expect(sink.rendered(record(chunk(.downstream, at: 0, 1))) == "\(Self.head)▲ end\n\(Self.head)▼ 1 B @0\n")
        #expect(sink.rendered(record(chunk(.downstream, at: 1, 1))) == "\(Self.head)▼ 1 B @1\n")
        #expect(!sink.rendered(record(Sample.closed(Counters(), Counters()), flow: 2)).contains("end\n"))
        #expect(!sink.rendered(record(chunk(.upstream, at: 0, 1), flow: 2)).contains("end\n"))
    }

    @Test("Dumps a chunk in hex")
    func hex() {
        var sink = TerminalSink(show: .hex)
        let expected = """
            \(Self.head)▲ 14 B @0
              00000000  48 65 6c 6c 6f 2c 20 73  65 72 76 65 72 21        |Hello, server!|

            """
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 14)), "Hello, server!") == expected)
    }

    @Test("Shows a chunk's text")
    func text() {
        var sink = TerminalSink(show: .text)
        let expected = """
            \(Self.head)▼ 9 B @3
              | a\\r\\n
              | b\\tc\\x1b

            """
        #expect(sink.rendered(record(chunk(.downstream, at: 3, 9)), "a\r\nb\tc\u{1B}") == expected)
    }

    private static func sink(_ show: TerminalSink.Show, limit: Int) -> TerminalSink {
        var options = TerminalSink.Options()
        options.limit = limit
        return TerminalSink(show: show, options)
    }

    @Test("Cuts a dump, and says what it has cut")
    func limit() {
        var sink = Self.sink(.hex, limit: 2)
        let dump = "  00000000  61 62                                             |ab|\n"
        let head = "\(Self.head)▲ 4 B @0\n"
        #expect(
            sink.rendered(record(chunk(.upstream, at: 0, 4)), "abcd") == head + dump + "  … 2 B more (--show-limit)\n"
        )
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 4)), "ab") == head + dump)
        var text = Self.sink(.text, limit: 2)
        #expect(
            text.rendered(record(chunk(.upstream, at: 0, 4)), "abc")
                == head + "  | ab\n  … 1 B more (--show-limit)\n"
        )
        var all = Self.sink(.text, limit: 0)
        let long = String(repeating: "x", count: 10_000)
        #expect(all.rendered(record(chunk(.upstream, at: 0, 4)), long) == head + "  | \(long)\n")
        var summary = Self.sink(.summary, limit: 2)
        #expect(summary.rendered(record(chunk(.upstream, at: 0, 4)), long) == head)
    }

    @Test("Shows 4,096 bytes of a chunk if no limit is given")
    func defaultLimit() {
        let head = "\(Self.head)▲ 9 B @0\n"
        var text = TerminalSink(show: .text)
        let long = String(repeating: "x", count: 4096)
        #expect(text.rendered(record(chunk(.upstream, at: 0, 9)), long) == "\(head)  | \(long)\n")
        #expect(
            text.rendered(record(chunk(.upstream, at: 0, 9)), long + "y")
                == "\(head)  | \(long)\n  … 1 B more (--show-limit)\n"
        )
    }

    @Test("Shows nothing where nothing is to be shown")
    func none() {
        var sink = TerminalSink(show: .none)
        for happening in Sample.happenings { #expect(sink.rendered(record(happening), "x") == "") }
        #expect(sink.loss(chunks: 5, bytes: 5) == "")
        #expect(sink.finished() == "")
    }

    @Test("Wants no more than it shows", arguments: TerminalSink.Show.allCases)
    func interest(_ show: TerminalSink.Show) {
        let expected: Interest =
            switch show {
            case .hex, .text, .text2pcap: .bytes
            case .messages, .summary: .chunks
            case .ports, .none: .flows
            }
        #expect(TerminalSink(show: show).interest == expected)
    }

    @Test("A flow has a colour for its number, and a direction one for its line")
    func color() {
        var sink = TerminalSink(style: TerminalStyle(color: true))
        let time = "2026-11-22 12:31:07.104218 "
        #expect(
            sink.rendered(record(chunk(.upstream, at: 0, 1)), "x").hasPrefix(
                "\(time)\u{1B}[35m#1\u{1B}[0m \u{1B}[36m▲\u{1B}[0m 1 B @0\n  00000000  78 "
            )
        )
        #expect(
            sink.rendered(record(chunk(.downstream, at: 0, 1), flow: 2), "x").hasPrefix(
                "\(time)\u{1B}[34m#2\u{1B}[0m \u{1B}[33m▼\u{1B}[0m 1 B @0\n"
            )
        )
        #expect(sink.rendered(record(.opened, flow: 9)).hasPrefix("\(time)\u{1B}[35m#9\u{1B}[0m \u{1B}[1mtcp "))
        #expect(
            sink.rendered(record(.refused(.timedOut)))
                == "\(time)\u{1B}[35m#1\u{1B}[0m \u{1B}[31mrefused 127.0.0.1:42332 → 127.0.0.1:65432, timed out "
                + "(ETIMEDOUT)\u{1B}[0m\n"
        )
    }

    @Test("Says how much it has not shown, with the time of the last record", arguments: TerminalSink.Show.allCases)
    func loss(_ show: TerminalSink.Show) {
        var sink = TerminalSink(show: show)
        _ = sink.rendered(record(.opened))
        let isShown = show != .none && show != .ports && show != .text2pcap
        let time = "2026-11-22 12:31:07.104218"
        let one = "\(time) 1 chunk, 1 B not shown: this output was too slow\n"
        #expect(sink.loss(chunks: 1, bytes: 1) == (isShown ? one : ""))
        let more = "\(time) 1000 chunks, 2000 B not shown: this output was too slow\n"
        #expect(sink.loss(chunks: 1000, bytes: 2000) == (isShown ? more : ""))
    }

    @Test("Before the first record, what was not shown has the time 0")
    func lossAtStart() {
        var sink = TerminalSink(show: .summary)
        #expect(
            sink.loss(chunks: 2, bytes: 1)
                == "1970-01-01 00:00:00.000000 2 chunks, 1 B not shown: this output was too slow\n"
        )
    }

    @Test("What an echo server sent back is no traffic of its own, unless it is counted, or no server was reached")
    func echoes() {
        let path = FlowPath(client: Playbook.path.client, listener: Playbook.path.listener)
        var sink = TerminalSink(show: .summary)
        func close(_ down: Counters, _ reason: CloseReason, _ path: FlowPath) -> String {
            let text = sink.rendered(record(Sample.closed(.of(14, in: 1), down, reason), path: path))
            return String(text.split(separator: "   ▲ 14 B")[1])
        }
        #expect(close(Counters(), .finished, path) == " sent back\n")
        #expect(close(.of(0, in: 1), .finished, path) == "  ▼ 0 B\n")
        #expect(close(Counters(), .refused, path) == "  ▼ 0 B\n")
        #expect(close(Counters(), .finished, Playbook.path) == "  ▼ 0 B\n")
    }

    /// A sink with a line for each record, and one at the end.
    private struct Ports: Sink {
        let interest = Interest.flows

        mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
            output.append("ports\n")
        }

        mutating func finish(into output: inout ByteBuffer) { output.append("all ports\n") }
    }

    @Test("The ports follow each record's own line, and the summary, and are shown alone if nothing else is")
    func ports() {
        var sink = TerminalSink(show: .summary, ports: Ports())
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 1))) == "\(Self.head)▲ 1 B @0\nports\n")
        #expect(sink.rendered(record(.connected(dial: .zero, isRerouted: false))) == "ports\n")
        #expect(sink.rendered(record(.received(Sample.tampered(at: 0, 1)))) == "ports\n")
        let totals = "total: 0 tcp flows, 0 udp flows   ▲ 0 B in 0 chunks  ▼ 0 B in 0 chunks\n"
        #expect(sink.finished() == totals + "all ports\n")
        var alone = TerminalSink(show: .none, ports: Ports())
        #expect(alone.rendered(record(.ended(.upstream))) == "ports\n" && alone.finished() == "all ports\n")
    }

    @Test("Shows local time")
    func localTime() {
        var sink = TerminalSink(show: .summary, localOffset: { _ in 5 * 3600 + 1800 })
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 1))) == "2026-11-22 18:01:07.104218 #1 ▲ 1 B @0\n")
    }

    @Test("Ends with the summary of what it has shown")
    func summary() {
        var sink = TerminalSink(show: .summary)
        _ = sink.rendered(record(.opened))
        _ = sink.rendered(record(Sample.closed(.of(14, in: 1), .of(14, in: 2))))
        let expected = """
            total: 1 tcp flow, 0 udp flows   ▲ 14 B in 1 chunk  ▼ 14 B in 2 chunks
            flow                client  step           egress  step  reused  process
            #1    tcp  127.0.0.1:51514        127.0.0.1:42332

            """
        #expect(sink.finished() == expected)
    }
}

@Suite("What text2pcap reads")
struct Text2pcapSinkTests {
    @Test("Is a time and a dump of each chunk that goes on, and nothing else")
    func dumps() {
        var options = TerminalSink.Options()
        options.limit = 0
        options.isVerbose = true
        var sink = TerminalSink(show: .text2pcap, options)
        for happening in Sample.happenings where happening.chunk == nil {
            #expect(sink.rendered(record(happening)) == "")
        }
        #expect(
            sink.rendered(record(chunk(.downstream, at: 1000, 14)), "Hello, server!") == """
                12:31:07.104218
                00000000  48 65 6c 6c 6f 2c 20 73  65 72 76 65 72 21        |Hello, server!|

                """
        )
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 0), .udp), "") == "")
        #expect(sink.rendered(record(.received(Sample.tampered(at: 0, 1))), "x") == "")
        #expect(sink.loss(chunks: 1, bytes: 1) == "" && sink.finished() == "")
    }
}
