import Support
import Testing
import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirWire

@Suite("The search in what flows carried")
struct GrepSearchTests {
    /// A match without its flow and time.
    private struct Seen: Hashable {
        var direction: Direction
        var offset: Int
        var before: String
        var text: String
        var after: String
        var field: String?

        init(_ match: GrepMatch) {
            direction = match.direction
            offset = match.offset
            before = String(decoding: match.before, as: UTF8.self)
            text = String(decoding: match.bytes, as: UTF8.self)
            after = String(decoding: match.after, as: UTF8.self)
            field = match.field
        }

        init(_ direction: Direction, _ offset: Int, _ before: String, _ text: String, _ after: String) {
            (self.direction, self.offset, self.before, self.text, self.after) = (direction, offset, before, text, after)
        }
    }

    /// Searches packets of one flow between 10.0.0.1:40000 and 10.0.0.2 at a port.
    private static func search(_ pattern: String, context: Int = 4, _ packets: [[UInt8]]) throws -> [Seen] {
        var capture = ViewCapture()
        var search = GrepSearch(try SearchPattern(parsing: pattern), context: context)
        var found: [Seen] = []
        for (index, packet) in packets.enumerated() {
            let captured = capture.add(packet, at: Int64(index))
            search.add(captured, packet.span.bytes, in: capture.flows) { found.append(Seen($0)) }
        }
        search.finish { found.append(Seen($0)) }
        return found
    }

    private static let client = (UInt8(1), UInt16(40_000))
    private static let server = (UInt8(2), UInt16(9000))
    private static let handshake = [
        ViewCapture.segment(client, server, 2, number: 0, []), ViewCapture.segment(server, client, 0x12, number: 0, []),
    ]

    private static func up(_ text: String, at number: UInt16) -> [UInt8] {
        ViewCapture.segment(client, server, 0x18, number: number, Array(text.utf8))
    }

    @Test(
        "A match whose beginning may repeat begins where it does, also in an earlier segment",
        arguments: [
            ("/a*b/", ["aa", "b"], "aab"), ("/[ab]*b/", ["a", "ab"], "aab"), ("/(a|b)*b/", ["ab", "a", "b"], "abab"),
        ]
    )
    func repeated(pattern: String, pieces: [String], match: String) throws {
        var (packets, number) = (Self.handshake, UInt16(1))
        for piece in pieces {
            packets.append(Self.up(piece, at: number))
            number += UInt16(piece.utf8.count)
        }
        #expect(try Self.search(pattern, packets) == [Seen(.upstream, 0, "", match, "")])
    }

    @Test("Gives each match with its direction, its offset and what is around it")
    func matches() throws {
        let packets =
            handshake(["one needle, two needles"]) + [
                ViewCapture.segment(Self.server, Self.client, 0x18, number: 1, Array("needle".utf8))
            ]
        #expect(
            try Self.search("needle", packets) == [
                Seen(.upstream, 4, "one ", "needle", ", tw"), Seen(.upstream, 16, "two ", "needle", "s"),
                Seen(.downstream, 0, "", "needle", ""),
            ]
        )
    }

    private func handshake(_ texts: [String]) -> [[UInt8]] {
        var (packets, number) = (Self.handshake, UInt16(1))
        for text in texts {
            packets.append(Self.up(text, at: number))
            number += UInt16(text.utf8.count)
        }
        return packets
    }

    @Test("Has the time of the packet in which it ends, whatever comes after it")
    func times() throws {
        var capture = ViewCapture()
        var search = GrepSearch(try SearchPattern(parsing: "needle"), context: 4)
        var times: [Int64?] = []
        for (index, packet) in handshake(["a needle", " and nee", "dle", " one needle"]).enumerated() {
            let captured = capture.add(packet, at: Int64(1000 * index))
            search.add(captured, packet.span.bytes, in: capture.flows) { times.append($0.time) }
        }
        search.finish { times.append($0.time) }
        // The handshake has two packets.
        #expect(times == [2000, 4000, 5000])
    }

    @Test("Finds what two segments share, that came in the wrong order, or twice")
    func segments() throws {
        let expected = [Seen(.upstream, 6, "xxxx", "needle", "yyyy")]
        #expect(try Self.search("needle", handshake(["xxxxxxnee", "dleyyyyyy"])) == expected)
        #expect(try Self.search("hex:6e6565646c65", handshake(["xxxxxxn", "e", "e", "d", "l", "eyyyyyy"])) == expected)
        let swapped = Self.handshake + [Self.up("dleyyyyyy", at: 10), Self.up("xxxxxxnee", at: 1)]
        #expect(try Self.search("needle", swapped) == expected)
        let twice = handshake(["xxxxxxneedle"]) + [Self.up("xxxxxxneedle", at: 1), Self.up("yyyyyy", at: 13)]
        #expect(try Self.search("needle", twice) == expected)
    }

    @Test("Finds nothing across bytes that are missing")
    func gaps() throws {
        let packets = Self.handshake + [Self.up("nee", at: 1), Self.up("dle needle", at: 10)]
        #expect(try Self.search("needle", packets) == [Seen(.upstream, 13, "dle ", "needle", "")])
    }

    @Test("An expression takes the longest match, also across segments")
    func expressions() throws {
        #expect(
            try Self.search("/[0-9]+/", handshake(["a12", "34", "b5"])) == [
                Seen(.upstream, 1, "a", "1234", "b5"), Seen(.upstream, 6, "234b", "5", ""),
            ]
        )
        #expect(try Self.search("/^b$/", handshake(["ab\nb", "\nb"])).map(\.offset) == [3, 5])
    }

    @Test("Datagrams are searched one by one, and names of DNS as they are written")
    func datagrams() throws {
        let dns = (UInt8(2), UInt16(53))
        let one = ViewCapture.datagram(Self.client, Self.server, Array("needle nee".utf8))
        let two = ViewCapture.datagram(Self.client, Self.server, Array("dle".utf8))
        #expect(try Self.search("needle", [one, two]) == [Seen(.upstream, 0, "", "needle", " nee")])
        let question = Array("\u{12}\u{34}\u{1}\0\0\u{1}\0\0\0\0\0\0\u{3}www\u{7}example\u{3}org\0\0\u{1}\0\u{1}".utf8)
        let found = try Self.search("example.org", [ViewCapture.datagram(Self.client, dns, question)])
        #expect(found.map(\.text) == ["example.org"] && found.map(\.field) == ["dns.qry.name"])
        #expect(found.map(\.before) == ["www."] && found.map(\.offset) == [12])
    }

    @Test("However a stream is cut into segments, the matches are the same", arguments: 1...20)
    func property(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for pattern in ["ab", "aab", "/a+b/", "/(ab|ba)+/", "/^a/", "/\\bb+/"] {
            let text = String((0..<80).map { _ in "ab \n".randomElement(using: &generator) ?? "a" })
            let whole = try Self.search(pattern, handshake([text]))
            var (texts, rest) = ([String](), text[...])
            while !rest.isEmpty {
                let count = Int.random(in: 1...9, using: &generator)
                texts.append(String(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(try Self.search(pattern, handshake(texts)) == whole, "\(pattern) in \(texts)")
        }
    }

    @Test("A text shows a match in the middle of its line, cut to the terminal")
    func text() throws {
        var match = GrepMatch(place: 0, direction: .upstream, offset: 7, time: 0)
        match.before = Array("Host: a\r\n".utf8)
        match.bytes = Array("needle".utf8)
        match.after = [0, 0xff] + Array(String(repeating: "z", count: 100).utf8)
        func line(_ style: TerminalStyle) -> String {
            var view = GrepText(style)
            return shown { view.append(match, flow: FlowLabel(number: 3), to: &$0) }
        }
        let whole = line(TerminalStyle())
        #expect(whole.hasPrefix("1970-01-01 00:00:00.000000 #3 up    @7  Host: a\\r\\nneedle\\x00\\xffzzz"))
        for width in [40, 80, 120] {
            let cut = line(TerminalStyle(width: width))
            #expect(cut.contains("needle") && cut.hasSuffix("\n") && cut.count <= width + 1, "\(cut)")
        }
        #expect(line(TerminalStyle(width: 80, color: true)).contains("\u{1B}[1;31mneedle\u{1B}[0m"))
        var json = GrepJSON()
        match.after = []
        #expect(
            shown { json.append(match, flow: FlowLabel(number: 3), to: &$0) }
                == #"{"time":"1970-01-01T00:00:00.000000000Z","flow":3,"event":"match","direction":"upstream","offset":7,"#
                + #""length":6,"bytes":"bmVlZGxl","before":"SG9zdDogYQ0K","after":""}"# + "\n"
        )
    }

    @Test("Of two legs each match is shown once, and what only the server's has as that")
    func legs() {
        let match = GrepMatch(place: 0, direction: .upstream, offset: 7, time: 0)
        var other = match
        other.offset = 9
        var (legs, said) = (LegMatches(), [String]())
        let show = { (match: GrepMatch, flow: FlowLabel) in
            said.append("\(match.offset) \(flow.number) \(flow.leg.map { "\($0)" } ?? "-")")
        }
        legs.add(match, of: 1, .client, to: show)
        legs.add(match, of: 1, .server, to: show)
        legs.add(other, of: 1, .server, to: show)
        legs.add(match, of: 2, nil, to: show)
        legs.finish(to: show)
        #expect(said == ["7 1 -", "7 2 -", "9 1 server"])
        (legs, said) = (LegMatches(only: .server), [])
        legs.add(match, of: 1, .client, to: show)
        legs.add(match, of: 1, .server, to: show)
        #expect(said == ["7 1 server"])
    }

    @Test("Matches of the server's leg wait for those of the other one, up to 65,536 of them")
    func manyLegs() {
        var (legs, said) = (LegMatches(), 0)
        for offset in 1...65_536 {
            #expect(said == 0)
            let match = GrepMatch(place: 0, direction: .upstream, offset: offset, time: 0)
            legs.add(match, of: 1, .server) { _, _ in said += 1 }
        }
        #expect(said == 65_536)
        legs.finish { _, _ in said += 1 }
        #expect(said == 65_536)
    }
}
