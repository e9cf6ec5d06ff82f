import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("What JSON lines tell of toxics")
struct JSONLinesSinkToxicsTests {
    /// Renders one record, and returns the members after the endpoints.
    private func members(_ happening: FlowRecord.Happening, _ bytes: [UInt8] = [], withBytes: Bool = false) -> String {
        var sink = JSONLinesSink(withBytes: withBytes, showsOriginals: true)
        let text = sink.rendered(record(happening), bytes)
        return text.split(separator: "65432\"", maxSplits: 1).last.map(String.init) ?? ""
    }

    @Test(
        "An effect on a flow has the toxic's name and type, and whether it acts if that was drawn",
        arguments: [
            (.met(acts: true), #""effect":"met","acts":true"#), (.met(acts: false), #""effect":"met","acts":false"#),
            (.changed(acts: true), #""effect":"changed","acts":true"#),
            (.changed(acts: false), #""effect":"changed","acts":false"#),
            (.removed, #""effect":"removed""#), (.closed, #""effect":"closed""#), (.reset, #""effect":"reset""#),
        ] as [(ToxicRecord.Effect, text: String)],
        Direction.allCases
    )
    func effects(effect: (ToxicRecord.Effect, text: String), direction: Direction) {
        #expect(
            members(Sample.toxic(direction, name: "a \"b\"", effect.0))
                == #","direction":"\#(direction)","toxic":"a \"b\"","type":"latency",\#(effect.text)}"# + "\n"
        )
    }

    @Test("A chunk that toxics had tells how long, and each change, with its place in the stream if it has one")
    func changes() {
        let all = [
            Sample.change(.replaced, 3, at: 4), Sample.change(.flipped, 1, at: 0), Sample.change(.cut, 2, at: -1),
            Sample.change(.sliced, 5, at: 9), Sample.change(.duplicated, 6, at: 9),
            Sample.change(.reordered, 1, at: 9, by: "y"),
        ]
        let expected =
            #","direction":"downstream","offset":100,"length":8,"held_ns":100000000,"toxics":["#
            + #"{"toxic":"x","change":"replaced","count":3,"offset":104},"#
            + #"{"toxic":"x","change":"flipped","count":1,"offset":100},"#
            + #"{"toxic":"x","change":"cut","count":2,"offset":100},"#
            + #"{"toxic":"x","change":"sliced","count":5},{"toxic":"x","change":"duplicated","count":6},"#
            + #"{"toxic":"y","change":"reordered","count":1}]}"#
        #expect(members(.forwarded(Sample.tampered(.downstream, at: 100, 8, all))) == expected + "\n")
    }

    @Test("A chunk that was only held has no list of changes, and one that no toxic had has neither")
    func held() {
        #expect(
            members(.forwarded(Sample.tampered(at: 0, 5, held: .nanoseconds(7))))
                == #","direction":"upstream","offset":0,"length":5,"held_ns":7}"# + "\n"
        )
        var plain = Sample.tampered(at: 0, 5, [Sample.change(.replaced, 1)])
        plain.isTampered = false
        #expect(members(.forwarded(plain)) == #","direction":"upstream","offset":0,"length":5}"# + "\n")
    }

    @Test("What came to toxics has its bytes, and nothing of what they did; it is shown if it is wanted")
    func originals() {
        let chunk = Sample.tampered(at: 0, 2, [Sample.change(.replaced, 1)])
        #expect(
            members(.received(chunk), [0x68, 0x69], withBytes: true)
                == #","direction":"upstream","offset":0,"length":2,"bytes":"aGk="}"# + "\n"
        )
        var sink = JSONLinesSink(withBytes: false, showsOriginals: true)
        #expect(sink.rendered(record(.received(chunk))).contains(#""event":"received""#))
        var other = JSONLinesSink(withBytes: false)
        #expect(other.rendered(record(.received(chunk))) == "")
    }

    @Test("What toxics did comes after the bytes and the echo")
    func order() {
        var chunk = Sample.tampered(.downstream, at: 0, 2)
        chunk.echo = Sample.echo
        chunk.peer = Sample.peer
        #expect(
            members(.forwarded(chunk), [0x68, 0x69], withBytes: true)
                == #","direction":"downstream","offset":0,"length":2,"from":"127.0.0.1:1069","bytes":"aGk=","#
                + #""echo_offset":1234,"echo_ns":512000,"held_ns":100000000}"# + "\n"
        )
    }
}
