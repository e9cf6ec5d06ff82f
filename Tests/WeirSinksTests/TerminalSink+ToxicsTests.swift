import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("What the terminal tells of toxics")
struct TerminalSinkToxicsTests {
    private static let head = "2026-11-22 12:31:07.104218 #1 "

    @Test(
        "An effect on a flow has the direction and the toxic's name, unless the toxic acts as it was asked to",
        arguments: [
            (.met(acts: true), nil), (.met(acts: false), " does not act, by its toxicity"),
            (.changed(acts: true), " changed, and acts"),
            (.changed(acts: false), " changed, and does not act, by its toxicity"), (.removed, " removed"),
            (.closed, " ends the flow"), (.reset, " resets both sides"),
        ] as [(ToxicRecord.Effect, text: String?)],
        Direction.allCases
    )
    func effects(effect: (ToxicRecord.Effect, text: String?), direction: Direction) {
        var sink = TerminalSink(show: .summary)
        let sign = direction == .upstream ? "▲" : "▼"
        #expect(
            sink.rendered(record(Sample.toxic(direction, name: "a b", effect.0)))
                == (effect.text.map { "\(Self.head)\(sign) toxic 'a_b'\($0)\n" } ?? "")
        )
    }

    @Test(
        "A change of a chunk has its count and its noun, and its place in the stream if it has one",
        arguments: [
            (Sample.change(.replaced, 1, at: 4), "replaced 1 byte @104"),
            (Sample.change(.cut, 3, at: 0), "cut 3 bytes @100"),
            (Sample.change(.cut, 3, at: -1), "cut 3 bytes @100"),
            (Sample.change(.flipped, 2, at: 7), "flipped 2 bits @107"),
            (Sample.change(.sliced, 2, at: 7), "sliced 2 pieces"),
            (Sample.change(.duplicated, 3, at: 7), "duplicated 3 datagrams"),
            (Sample.change(.reordered, 1, at: 7), "reordered 1 datagram"),
        ]
    )
    func changes(change: ToxicChange, text: String) {
        var sink = TerminalSink(show: .summary)
        #expect(
            sink.rendered(record(.forwarded(Sample.tampered(at: 100, 8, [change]))))
                == "\(Self.head)▲ 8 B @100   held 0.10 s, \(text) by 'x'\n"
        )
        let two = Sample.tampered(.downstream, at: 100, 8, held: .zero, [change, Sample.change(.sliced, 5, by: "y")])
        #expect(
            sink.rendered(record(.forwarded(two)))
                == "\(Self.head)▼ 8 B @100   \(text) by 'x', sliced 5 pieces by 'y'\n"
        )
    }

    @Test("A chunk that no toxic had tells of none, and one that was only held tells how long, if that can be told")
    func held() {
        var sink = TerminalSink(show: .summary)
        var chunk = Sample.tampered(at: 0, 8)
        #expect(sink.rendered(record(.forwarded(chunk))) == "\(Self.head)▲ 8 B @0   held 0.10 s\n")
        chunk.isTampered = false
        #expect(sink.rendered(record(.forwarded(chunk))) == "\(Self.head)▲ 8 B @0\n")
        let short = Sample.tampered(at: 0, 8, held: .microseconds(99))
        #expect(sink.rendered(record(.forwarded(short))) == "\(Self.head)▲ 8 B @0\n")
        let longer = Sample.tampered(at: 0, 8, held: .microseconds(100))
        #expect(sink.rendered(record(.forwarded(longer))) == "\(Self.head)▲ 8 B @0   held 0.10 ms\n")
    }

    @Test("Where there is no room, what toxics did has a line of its own")
    func narrow() {
        var sink = TerminalSink(show: .summary, style: TerminalStyle(width: 60))
        let change = Sample.change(.replaced, 3, at: 4, by: "a_long_name_of_a_toxic")
        #expect(
            sink.rendered(record(.forwarded(Sample.tampered(at: 100, 8, [change]))))
                == "12:31:07.1042 #1 ▲ 8 B @100\n  held 0.10 s, replaced 3 bytes @104 by 'a_long_name_of_a_t…\n"
        )
    }

    @Test("A length that a replacement changed under a Content-Length is warned of once for each toxic")
    func lengths() {
        var sink = TerminalSink(show: .summary)
        func shown(_ name: String, breaks: Bool = true) -> String {
            var change = Sample.change(.replaced, 1, by: name)
            change.breaksLength = breaks
            return sink.rendered(record(.forwarded(Sample.tampered(at: 0, 8, held: .zero, [change]))))
        }
        let warning = " changed the length under a Content-Length: the receiver waits, or cuts the body\n"
        #expect(!shown("x", breaks: false).contains("Content-Length"))
        #expect(shown("x").hasSuffix("\n  'x'\(warning)"))
        #expect(!shown("x").contains("Content-Length"))
        #expect(shown("y").hasSuffix("\n  'y'\(warning)"))
    }

    @Test(
        "What came to toxics is shown with its bytes if it is wanted, and as far as the limit",
        arguments: Direction.allCases
    )
    func originals(direction: Direction) {
        let chunk = FlowRecord.Happening.received(Sample.tampered(direction, at: 3, 4, [Sample.change(.replaced, 1)]))
        let line =
            "\(Self.head)\(direction == .upstream ? "▲" : "▼") received 4 B @3   held 0.10 s, replaced 1 byte @3 by 'x'\n"
        let cut = "  … 2 B more (--show-limit)\n"
        let dump = "  00000000  61 62                                             |ab|\n"
        for dissects in [false, true] {
            func sink(_ show: TerminalSink.Show) -> TerminalSink {
                var options = TerminalSink.Options()
                (options.limit, options.dissects, options.showsOriginals) = (2, dissects, true)
                return TerminalSink(show: show, options)
            }
            var (text, hex, summary, none) = (sink(.text), sink(.hex), sink(.summary), sink(.none))
            #expect(text.rendered(record(chunk), "abcd") == "\(line)  | ab\n\(cut)")
            #expect(hex.rendered(record(chunk), "abcd") == line + dump + cut)
            #expect(summary.rendered(record(chunk), "abcd") == line)
            #expect(none.rendered(record(chunk), "abcd") == "")
        }
    }
}
