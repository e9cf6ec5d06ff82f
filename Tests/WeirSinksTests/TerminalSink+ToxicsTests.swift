import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("What the terminal tells of toxics")
struct TerminalSinkToxicsTests {
    private static let head = "12:31:07.104218 #1 "

    @Test(
        "An effect on a flow has the direction and the toxic's name",
        arguments: [
            (.met(acts: true), " acts"), (.met(acts: false), " does not act, by its toxicity"),
            (.changed(acts: true), " changed, and acts"),
            (.changed(acts: false), " changed, and does not act, by its toxicity"), (.removed, " removed"),
            (.closed, " ends the flow"), (.reset, " resets both sides"),
        ] as [(ToxicRecord.Effect, text: String)],
        Direction.allCases
    )
    func effects(effect: (ToxicRecord.Effect, text: String), direction: Direction) {
        var sink = TerminalSink(show: .summary)
        let way = direction == .upstream ? "up    " : "down  "
        #expect(
            sink.rendered(record(Sample.toxic(direction, name: "a b", effect.0)))
                == "\(Self.head)\(way)toxic 'a_b'\(effect.text)\n"
        )
    }

    @Test(
        "A change of a chunk has its count and its noun, and its place in the stream if it has one",
        arguments: [
            (Sample.change(.replaced, 1, at: 4), "replaced (1 byte) @104"),
            (Sample.change(.cut, 3, at: 0), "cut (3 bytes) @100"),
            (Sample.change(.cut, 3, at: -1), "cut (3 bytes) @100"),
            (Sample.change(.flipped, 2, at: 7), "flipped (2 bits) @107"),
            (Sample.change(.sliced, 2, at: 7), "sliced (2 pieces)"),
            (Sample.change(.duplicated, 3, at: 7), "duplicated (3 datagrams)"),
            (Sample.change(.reordered, 1, at: 7), "reordered (1 datagram)"),
        ]
    )
    func changes(change: ToxicChange, text: String) {
        var sink = TerminalSink(show: .summary)
        #expect(
            sink.rendered(record(.forwarded(Sample.tampered(at: 100, 8, [change]))))
                == "\(Self.head)up    (8 bytes) @100  held 100.000 ms, \(text) by 'x'\n"
        )
        let two = Sample.tampered(.downstream, at: 100, 8, held: .zero, [change, Sample.change(.sliced, 5, by: "y")])
        #expect(
            sink.rendered(record(.forwarded(two)))
                == "\(Self.head)down  (8 bytes) @100  held 0.000 ms, \(text) by 'x', sliced (5 pieces) by 'y'\n"
        )
    }

    @Test("A chunk that no toxic had tells of none, and one that was only held tells how long")
    func held() {
        var sink = TerminalSink(show: .summary)
        var chunk = Sample.tampered(at: 0, 8)
        #expect(sink.rendered(record(.forwarded(chunk))) == "\(Self.head)up    (8 bytes) @0  held 100.000 ms\n")
        chunk.isTampered = false
        #expect(sink.rendered(record(.forwarded(chunk))) == "\(Self.head)up    (8 bytes) @0\n")
    }

    @Test(
        "What came to toxics is shown with its bytes if it is wanted, in color, and as far as the limit",
        arguments: Direction.allCases
    )
    func originals(direction: Direction) {
        let chunk = FlowRecord.Happening.received(Sample.tampered(direction, at: 3, 4, [Sample.change(.replaced, 1)]))
        let line = "\(Self.head)\(direction == .upstream ? "up    " : "down  ")received (4 bytes) @3"
        let cut = "  (2 bytes) not shown (--show-limit)"
        let dump = "00000000  61 62                                             |ab|\n"
        for dissects in [false, true] {
            func sink(_ show: TerminalSink.Show, color: Bool = false) -> TerminalSink {
                TerminalSink(show: show, limit: 2, color: color, dissects: dissects, showsOriginals: true)
            }
            var (text, hex, summary) = (sink(.text), sink(.hex), sink(.summary))
            #expect(
                text.rendered(record(chunk), "abcd")
                    == "\(line)  held 100.000 ms, replaced (1 byte) @3 by 'x'\(cut)\n  | ab\n"
            )
            #expect(hex.rendered(record(chunk), "abcd").hasSuffix(cut + "\n" + dump))
            #expect(
                summary.rendered(record(chunk), "abcd") == "\(line)  held 100.000 ms, replaced (1 byte) @3 by 'x'\n"
            )
            var colored = sink(.hex, color: true)
            let shown = colored.rendered(record(chunk), "abcd")
            #expect(shown.hasPrefix("\u{1B}[33m\(line)") && shown.hasSuffix("\u{1B}[0m\n" + dump))
            var none = sink(.none)
            #expect(none.rendered(record(chunk), "abcd") == "")
        }
    }

    @Test("The end that goes on has a line", arguments: Direction.allCases)
    func ends(direction: Direction) {
        var sink = TerminalSink(show: .summary)
        let way = direction == .upstream ? "up    " : "down  "
        #expect(sink.rendered(record(.endForwarded(direction))) == "\(Self.head)\(way)end forwarded\n")
    }
}
