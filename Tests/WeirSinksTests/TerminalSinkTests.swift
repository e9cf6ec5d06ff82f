import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("Terminal sink")
struct TerminalSinkTests {
    private static let unreachable = ErrorNumber(101)

    @Test(
        "Renders a line for each kind of record",
        arguments: [
            (.opened, "tcp open   127.0.0.1:51514 -> 127.0.0.1:9000 => 127.0.0.1:42332 -> 127.0.0.1:65432"),
            (
                .connected(dial: .seconds(1), isRerouted: true),
                "tcp connected 127.0.0.1:51514 -> 127.0.0.1:9000 => 127.0.0.1:42332 -> 127.0.0.1:65432"
            ),
            (
                .refused(.connectionRefused),
                "tcp refused 127.0.0.1:42332 -> 127.0.0.1:65432, connection refused (ECONNREFUSED)"
            ),
            (chunk(.upstream, at: 0, 1), "up    (1 byte) @0"),
            (chunk(.downstream, at: 1, 14, echo: Sample.echo), "down  (14 bytes) @1  echo of up @1234, 0.512 ms"),
            (chunk(.downstream, at: 1, 0), "down  (0 bytes) @1"),
            (.ended(.upstream), "up    end"),
            (chunk(.upstream, at: 2, 4, peer: Sample.peer), "up    (4 bytes) @2  to 127.0.0.1:1069"),
            (chunk(.downstream, at: 2, 4, peer: Sample.peer), "down  (4 bytes) @2  from 127.0.0.1:1069"),
            (
                chunk(.downstream, at: 2, 4, echo: Sample.echo, peer: Sample.peer),
                "down  (4 bytes) @2  from 127.0.0.1:1069  echo of up @1234, 0.512 ms"
            ),
            (.mismatch(.refused), "down  mismatch, the server was not reached"),
            (.mismatch(.unanswered(datagrams: 1)), "down  mismatch (1 datagram) never came back"),
            (.mismatch(.unanswered(datagrams: 12)), "down  mismatch (12 datagrams) never came back"),
            (
                .mismatch(.byte(offset: 7, sent: 0x0A, received: 0xFF)),
                "down  mismatch @7, sent 0xa, came back 0xff"
            ),
            (.mismatch(.byte(offset: 7, sent: nil, received: 0)), "down  mismatch @7, sent nothing, came back 0x0"),
            (.mismatch(.byte(offset: 7, sent: 16, received: nil)), "down  mismatch @7, sent 0x10, came back nothing"),
            (
                .dropped(DropRecord(direction: .downstream, bytes: 0, reason: .toxic("a b"))),
                "down  dropped (0 bytes), toxic 'a_b'"
            ),
            (.ended(.downstream), "down  end"),
            (Sample.loss(1, 0, .reset), "up    dropped (1 byte), reset"),
            (Sample.loss(20, 2, .queueFull), "up    dropped (2 datagrams) (20 bytes), queue full"),
            (
                Sample.loss(20, 1, .foreign(Sample.peer)),
                "up    dropped (1 datagram) (20 bytes), from 127.0.0.1:1069, which is not the server"
            ),
            (Sample.loss(0, 1, .receiveBufferFull), "up    dropped (1 datagram), receive buffer full"),
            (
                Sample.loss(9, 1, .error(unreachable)),
                "up    dropped (1 datagram) (9 bytes), network is unreachable (ENETUNREACH)"
            ),
            (
                Sample.closed(.of(14, in: 1), .of(1, in: 0)),
                "tcp close  up (14 bytes) (1 chunk) down (1 byte) (0 chunks) 1.042 ms, finished"
            ),
            (
                Sample.closed(.of(5, in: 1, dropped: 3), .of(0, in: 0, dropped: 9, droppedDatagrams: 2), .clientReset),
                "tcp close  up (5 bytes) (1 chunk) dropped (3 bytes) "
                    + "down (0 bytes) (0 chunks) dropped (2 datagrams) (9 bytes) 1.042 ms, client reset"
            ),
        ] as [(FlowRecord.Happening, String)]
    )
    func line(_ happening: FlowRecord.Happening, _ expected: String) {
        var sink = TerminalSink(show: .summary)
        #expect(sink.rendered(record(happening)) == "12:31:07.104218 #1 \(expected)\n")
    }

    @Test("Says udp and the flow's number, and shows a path as far as it is known")
    func paths() {
        var sink = TerminalSink(show: .summary)
        var path = Playbook.path
        path.egress = nil
        #expect(
            sink.rendered(record(.opened, .udp, flow: 77, path: path))
                == "12:31:07.104218 #77 udp open   127.0.0.1:51514 -> 127.0.0.1:9000 => (no egress) -> 127.0.0.1:65432\n"
        )
        path.server = nil
        #expect(
            sink.rendered(record(.opened, path: path))
                == "12:31:07.104218 #1 tcp open   127.0.0.1:51514 -> 127.0.0.1:9000\n"
        )
        #expect(
            sink.rendered(record(.refused(.timedOut), path: path))
                == "12:31:07.104218 #1 tcp refused (no egress) -> (no server), timed out (ETIMEDOUT)\n"
        )
    }

    @Test("Says nothing of a connection that took the path that was opened, nor of what a toxic holds")
    func silent() {
        var sink = TerminalSink()
        #expect(sink.rendered(record(.connected(dial: .zero, isRerouted: false))) == "")
        guard case .forwarded(let held) = chunk(.upstream, at: 0, 5) else { return }
        #expect(sink.rendered(record(.received(held)), "hello") == "")
    }

    @Test("Dumps a chunk in hex")
    func hex() {
        var sink = TerminalSink(show: .hex)
        let expected = """
            12:31:07.104218 #1 up    (14 bytes) @0
            00000000  48 65 6c 6c 6f 2c 20 73  65 72 76 65 72 21        |Hello, server!|

            """
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 14)), "Hello, server!") == expected)
    }

    @Test("Shows a chunk's text")
    func text() {
        var sink = TerminalSink(show: .text)
        let expected = """
            12:31:07.104218 #1 down  (9 bytes) @3
              | a\\r\\n
              | b\\tc\\x1b

            """
        #expect(sink.rendered(record(chunk(.downstream, at: 3, 9)), "a\r\nb\tc\u{1B}") == expected)
    }

    @Test("Cuts a dump, and says what it has cut")
    func limit() {
        var sink = TerminalSink(show: .hex, limit: 2)
        let dump = "00000000  61 62                                             |ab|\n"
        let head = "12:31:07.104218 #1 up    (4 bytes) @0"
        #expect(
            sink.rendered(record(chunk(.upstream, at: 0, 4)), "abcd")
                == head + "  (2 bytes) not shown (--show-limit)\n" + dump
        )
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 4)), "ab") == head + "\n" + dump)
        var text = TerminalSink(show: .text, limit: 2)
        #expect(
            text.rendered(record(chunk(.upstream, at: 0, 4)), "abc")
                == head + "  (1 byte) not shown (--show-limit)\n  | ab\n"
        )
        var all = TerminalSink(show: .text, limit: 0)
        let long = String(repeating: "x", count: 10_000)
        #expect(all.rendered(record(chunk(.upstream, at: 0, 4)), long) == head + "\n  | \(long)\n")
    }

    @Test("Shows nothing where nothing is to be shown")
    func none() {
        var sink = TerminalSink(show: .none)
        for happening in Sample.happenings { #expect(sink.rendered(record(happening), "x") == "") }
        #expect(sink.loss(chunks: 5, bytes: 5) == "")
        #expect(sink.finished() == "")
    }

    @Test(
        "Wants no more than it shows",
        arguments: zip(TerminalSink.Show.allCases, [Interest.bytes, .bytes, .chunks, .flows])
    )
    func interest(_ show: TerminalSink.Show, _ expected: Interest) {
        #expect(TerminalSink(show: show).interest == expected)
    }

    @Test(
        "Colours a line by what it says, and never the dump",
        arguments: [
            (.opened, "1"), (.connected(dial: .zero, isRerouted: true), "1"), (chunk(.upstream, at: 0, 1), "36"),
            (chunk(.downstream, at: 0, 1), "33"), (.refused(.timedOut), "31"), (Sample.loss(1, 0, .reset), "31"),
            (.mismatch(.refused), "31"), (Sample.toxic(.upstream, .removed), "31"), (.endForwarded(.downstream), "2"),
            (.ended(.upstream), "2"), (Sample.closed(Counters(), Counters()), "2"),
        ] as [(FlowRecord.Happening, String)]
    )
    func color(_ happening: FlowRecord.Happening, _ code: String) {
        var plain = TerminalSink()
        var colored = TerminalSink(color: true)
        let lines = plain.rendered(record(happening), "x").split(separator: "\n", omittingEmptySubsequences: false)
        let expected = (["\u{1B}[\(code)m\(lines[0])\u{1B}[0m"] + lines[1...]).joined(separator: "\n")
        #expect(colored.rendered(record(happening), "x") == expected)
    }

    @Test("Says how much it has not shown, with the time of the last record", arguments: TerminalSink.Show.allCases)
    func loss(_ show: TerminalSink.Show) {
        var sink = TerminalSink(show: show)
        _ = sink.rendered(record(.opened))
        let isShown = show != .none
        let time = "12:31:07.104218"
        let one = "\(time) (1 chunk) (1 byte) not shown: this output was too slow\n"
        #expect(sink.loss(chunks: 1, bytes: 1) == (isShown ? one : ""))
        let more = "\(time) (1000 chunks) (2000 bytes) not shown: this output was too slow\n"
        #expect(sink.loss(chunks: 1000, bytes: 2000) == (isShown ? more : ""))
    }

    @Test("Before the first record, what was not shown has the time 0")
    func lossAtStart() {
        var sink = TerminalSink(show: .summary)
        #expect(
            sink.loss(chunks: 2, bytes: 1)
                == "00:00:00.000000 (2 chunks) (1 byte) not shown: this output was too slow\n"
        )
    }

    @Test("Shows 4,096 bytes of a chunk if no limit is given, and a summary shows none and cuts none")
    func defaultLimit() {
        let head = "12:31:07.104218 #1 up    (9 bytes) @0"
        var text = TerminalSink(show: .text)
        let long = String(repeating: "x", count: 4096)
        #expect(text.rendered(record(chunk(.upstream, at: 0, 9)), long) == "\(head)\n  | \(long)\n")
        #expect(
            text.rendered(record(chunk(.upstream, at: 0, 9)), long + "y")
                == "\(head)  (1 byte) not shown (--show-limit)\n  | \(long)\n"
        )
        var summary = TerminalSink(show: .summary, limit: 2)
        #expect(summary.rendered(record(chunk(.upstream, at: 0, 9)), long) == head + "\n")
    }

    @Test("What an echo server sent back is no traffic of its own, unless it is counted, or no server was reached")
    func echoes() {
        let path = FlowPath(client: Playbook.path.client, listener: Playbook.path.listener)
        var sink = TerminalSink(show: .summary)
        func close(_ down: Counters, _ reason: CloseReason, _ path: FlowPath) -> String {
            let text = sink.rendered(record(Sample.closed(.of(14, in: 1), down, reason), path: path))
            return String(text.dropFirst("12:31:07.104218 #1 tcp close  up (14 bytes) (1 chunk) ".count))
        }
        #expect(close(Counters(), .finished, path) == "sent back 1.042 ms, finished\n")
        #expect(close(.of(0, in: 1), .finished, path) == "down (0 bytes) (1 chunk) 1.042 ms, finished\n")
        #expect(close(Counters(), .refused, path) == "down (0 bytes) (0 chunks) 1.042 ms, refused\n")
        #expect(close(Counters(), .finished, Playbook.path) == "down (0 bytes) (0 chunks) 1.042 ms, finished\n")
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
        #expect(sink.rendered(record(.ended(.upstream))) == "12:31:07.104218 #1 up    end\nports\n")
        #expect(sink.rendered(record(.connected(dial: .zero, isRerouted: false))) == "ports\n")
        #expect(sink.rendered(record(.received(Sample.tampered(at: 0, 1)))) == "ports\n")
        let totals =
            "total: (0 tcp flows) (0 udp flows) up (0 bytes) (0 chunks) down (0 bytes) (0 chunks) refused (0)\n"
        #expect(sink.finished() == totals + "all ports\n")
        var alone = TerminalSink(show: .none, ports: Ports())
        #expect(alone.rendered(record(.ended(.upstream))) == "ports\n" && alone.finished() == "all ports\n")
    }

    @Test("Shows local time")
    func localTime() {
        var sink = TerminalSink(show: .summary, localOffset: { _ in 5 * 3600 + 1800 })
        #expect(sink.rendered(record(.ended(.upstream))) == "18:01:07.104218 #1 up    end\n")
    }

    @Test("Ends with the summary of what it has shown")
    func summary() {
        var sink = TerminalSink(show: .summary)
        _ = sink.rendered(record(Sample.closed(.of(14, in: 1), .of(14, in: 2))))
        let expected = """
            total: (1 tcp flow) (0 udp flows) up (14 bytes) (1 chunk) down (14 bytes) (2 chunks) refused (0)
            client 127.0.0.1, its ports => the egress ports they were given:
              tcp 127.0.0.1:9000 (1 flow): 51514=>42332

            """
        #expect(sink.finished() == expected)
    }
}

@Suite("What text2pcap reads")
struct BareWordTests {
    /// Finds words of hex digits that a blank or the line's end follows: text2pcap 4.0.17 takes one of any length for
    /// an offset, and throws away what it has read of the packet before.
    private func bareWords(_ text: String) -> [Substring] {
        var found: [Substring] = []
        for line in text.split(separator: "\n") where line.prefixMatch(of: #/0000[0-9a-f]{4}  /#) == nil {
            let words = line.split { $0 == " " || $0 == "\t" }
            found += words.filter { $0.allSatisfy(\.isHexDigit) }
        }
        return found
    }

    @Test("Finds what it looks for")
    func finds() {
        let text = "a 1000 b\n00000000  61 62  |abc d|\nx, bad\n(1000 x) #100 @100 1.000 9"
        #expect(bareWords(text) == ["a", "1000", "b", "bad", "9"])
    }

    @Test(
        "Takes nothing outside a dump for an offset",
        arguments: [TerminalSink.Show.hex, .summary],
        [Transport.tcp, .udp]
    )
    func noBareWords(_ show: TerminalSink.Show, _ transport: Transport) throws {
        let paths = [
            Playbook.path,
            FlowPath(
                client: try #require(Endpoint("[fe80::abcd:1%1000]:51514")),
                listener: try #require(Endpoint("[abcd::]:1000")),
                egress: Endpoint("[::1]:4233"),
                server: Endpoint("[bad:face::beef]:1000")
            ),
            FlowPath(client: Playbook.path.client, listener: Playbook.path.listener),
        ]
        var sink = TerminalSink(show: show, limit: 20)
        for path in paths {
            for happening in Sample.happenings {
                let text = sink.rendered(record(happening, transport, flow: 1000, path: path), "abc dead beef 1000 abc")
                #expect(bareWords(text).isEmpty, "\(text)")
            }
        }
        for port in UInt16(1000)..<1400 {
            var path = paths[1]
            path.client.port = port
            _ = sink.rendered(record(Sample.closed(Counters(), Counters()), transport, path: path))
        }
        for number in UInt32(0)..<1200 {
            var path = Playbook.path
            path.client.address = IPAddress(v4: number)
            _ = sink.rendered(record(Sample.closed(Counters(), Counters()), transport, path: path))
        }
        #expect(bareWords(sink.loss(chunks: 1000, bytes: 1000)).isEmpty)
        let summary = sink.finished()
        #expect(summary.contains("more flows") && summary.contains("further clients"))
        #expect(bareWords(summary).isEmpty, "\(bareWords(summary))")
    }
}
