import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

/// What a terminal of some width shows, line for line, and what a file gets.
@Suite("The terminal at three widths")
struct TerminalWidthTests {
    /// Renders a flow of PostgreSQL to another host: its beginning, a query, its answer, a refusal, an end.
    private static func rendered(_ style: TerminalStyle) -> [String] {
        var path = Playbook.path
        path.client.port = 36_068
        path.server = Endpoint("10.0.0.5:5432")
        path.egress = Endpoint("10.0.0.1:44008")
        let process = ClientProcess(identifier: 14_501, name: "psql", user: "alice")
        var options = TerminalSink.Options()
        options.dissects = true
        let details = FlowDetails(process: { _ in .found(process) }, name: { _ in "db.internal" })
        var sink = TerminalSink(show: .hex, options, style: style, details: details)
        let query = "query select name, price, stock from goods where price > 100 order by name limit 10"
        var text = sink.rendered(record(.opened, flow: 3, path: path))
        text += sink.rendered(record(Self.message(.upstream, 0..<38, query), flow: 3, path: path))
        text += sink.rendered(record(chunk(.upstream, at: 0, 38), flow: 3, path: path), "Q....select 1 as")
        text += sink.rendered(
            record(
                Self.message(.downstream, 0..<64, "row 1") { $0.answer = MessageAnswer(request: 0, delay: 1_300_000) },
                flow: 3,
                path: path
            )
        )
        text += sink.rendered(record(chunk(.downstream, at: 0, 64), flow: 3, path: path), "")
        text += sink.rendered(record(.refused(.connectionRefused), flow: 3, path: path))
        text += sink.rendered(record(Sample.closed(.of(38, in: 1), .of(64, in: 1)), flow: 3, path: path))
        return text.split(separator: "\n").map(String.init)
    }

    private static func message(
        _ direction: Direction,
        _ range: Range<Int>,
        _ summary: String,
        _ change: (inout Message) -> Void = { _ in }
    ) -> FlowRecord.Happening {
        Sample.message(direction, range, summary) { message in
            message.name = "postgresql"
            change(&message)
        }
    }

    private static let dump = "  00000000  51 2e 2e 2e 2e 73 65 6c  65 63 74 20 31 20 61 73  |Q....select 1 as|"

    @Test("80 columns")
    func narrow() {
        #expect(
            Self.rendered(TerminalStyle(width: 80)) == [
                "#3 tcp :36068 → :9000 ⇒ 10.0.0.1:44008 → db.internal:5432   psql 14501, alice",
                "12:31:07.1042 #3 ▲ postgresql query select name, price, stock from go…   38 B @0",
                Self.dump,
                "12:31:07.1042 #3 ▼ postgresql row 1" + String(repeating: " ", count: 29) + "1.3 ms   64 B @0",
                "12:31:07.1042 #3 refused 10.0.0.1:44008 → db.internal:5432, connection refused …",
                "12:31:07.1042 #3 closed, finished in 1.0 ms   ▲ 38 B  ▼ 64 B",
            ]
        )
    }

    @Test("100 columns")
    func middle() {
        #expect(
            Self.rendered(TerminalStyle(width: 100)) == [
                "#3 tcp 127.0.0.1:36068 → 127.0.0.1:9000 ⇒ 10.0.0.1:44008 → db.internal:5432   psql 14501, alice",
                "12:31:07.1042 #3 ▲ postgresql query select name, price, stock from goods where price > 10…   38 B @0",
                Self.dump,
                "12:31:07.1042 #3 ▼ postgresql row 1" + String(repeating: " ", count: 49) + "1.3 ms   64 B @0",
                "12:31:07.1042 #3 refused 10.0.0.1:44008 → db.internal:5432, connection refused (ECONNREFUSED)",
                "12:31:07.1042 #3 closed, finished in 1.0 ms   ▲ 38 B  ▼ 64 B",
            ]
        )
    }

    @Test("120 columns, in ASCII")
    func wide() {
        let lines = Self.rendered(TerminalStyle(width: 120, isUnicode: false))
        #expect(
            lines == [
                "#3 tcp 127.0.0.1:36068 -> 127.0.0.1:9000 => 10.0.0.1:44008 -> db.internal:5432   psql 14501, alice",
                "12:31:07.1042 #3 > postgresql query select name, price, stock from goods where price > 100 order by name li...   38 B @0",
                Self.dump,
                "12:31:07.1042 #3 < postgresql row 1" + String(repeating: " ", count: 69) + "1.3 ms   64 B @0",
                "12:31:07.1042 #3 refused 10.0.0.1:44008 -> db.internal:5432, connection refused (ECONNREFUSED)",
                "12:31:07.1042 #3 closed, finished in 1.0 ms   > 38 B  < 64 B",
            ]
        )
    }

    @Test("A pipe: whole lines with dates")
    func pipe() {
        let time = "2026-11-22 12:31:07.104218 #3"
        #expect(
            Self.rendered(TerminalStyle()) == [
                "\(time) tcp 127.0.0.1:36068 → 127.0.0.1:9000 ⇒ 10.0.0.1:44008 → 10.0.0.5:5432 db.internal   psql 14501, "
                    + "alice",
                "\(time) ▲ postgresql query select name, price, stock from goods where price > 100 order by name limit 10   "
                    + "38 B @0", Self.dump, "\(time) ▼ postgresql row 1   1.3 ms   64 B @0",
                "\(time) refused 10.0.0.1:44008 → 10.0.0.5:5432 db.internal, connection refused (ECONNREFUSED)",
                "\(time) closed, finished in 1.0 ms   ▲ 38 B  ▼ 64 B",
            ]
        )
    }

    @Test("No line of any record is wider than the terminal, in colour or not", arguments: [40, 60, 80, 100, 120])
    func bound(width: Int) {
        for color in [false, true] {
            for show in [TerminalSink.Show.hex, .messages, .ports] {
                var sink = TerminalSink(show: show, style: TerminalStyle(width: width, color: color))
                var text = ""
                for happening in Sample.happenings where happening.chunk == nil {
                    text += sink.rendered(record(happening, flow: 123_456_789))
                }
                text += sink.rendered(
                    record(chunk(.downstream, at: 1_000_000, 9, echo: Sample.echo, peer: Sample.peer))
                )
                text += sink.finished()
                for line in text.split(separator: "\n") where !line.hasPrefix("  0000") {
                    #expect(DisplayWidth.columns(of: Array(line.utf8).span.bytes) <= width, "\(line)")
                }
            }
        }
    }

    @Test("The terminal's width is asked for again after a second")
    func resized() {
        let long = FlowRecord.Happening.refused(.connectionRefused)
        var sink = TerminalSink(show: .summary, style: TerminalStyle(width: 50), width: { 120 })
        var first = record(long)
        #expect(sink.rendered(first).hasSuffix("(ECONNREFUSED)\n"))
        first.moment.wallNanoseconds += 5
        #expect(sink.rendered(first).hasSuffix("(ECONNREFUSED)\n"))
    }
}
