import Support
import Testing
import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirWire

@Suite("Messages of both legs of a flow")
struct LegMessagesTests {
    /// What is shown: a text for each message, with `s` if it is the server's leg's.
    private struct Shown {
        private var legs: LegMessages
        private(set) var lines: [String] = []

        init(only leg: FlowLeg? = nil) {
            legs = LegMessages(only: leg)
        }

        mutating func add(_ text: String, _ direction: Direction, _ leg: FlowLeg?, flow: Int = 1, digest: UInt64? = 0) {
            collect { $0.add(LegMessagesTests.message(text, direction, digest), of: flow, leg, to: $1) }
        }

        mutating func finish() { collect { $0.finish(to: $1) } }

        private mutating func collect(_ body: (inout LegMessages, (Message, FlowLabel) -> Void) -> Void) {
            var said: [String] = []
            body(&legs) { said.append(Self.line($0, $1)) }
            lines += said
        }

        private static func line(_ message: Message, _ flow: FlowLabel) -> String {
            "\(flow.number)\(flow.leg.map { "\($0)".prefix(1) } ?? "") \(message.summary.string)"
        }
    }

    private static func message(_ text: String, _ direction: Direction, _ digest: UInt64?) -> Message {
        var message = Message()
        message.name = "redis"
        message.direction = direction
        message.summary.append(escaped: text)
        message.range = 0..<text.utf8.count
        message.isComplete = true
        message.digest = digest
        return message
    }

    @Test("What is the same on both legs is shown once, when the client's leg has it")
    func same() {
        var shown = Shown()
        shown.add("GET a", .upstream, .client)
        shown.add("GET a", .upstream, .server)
        shown.add("one", .downstream, .server)
        #expect(shown.lines == ["1 GET a"])
        shown.add("one", .downstream, .client)
        shown.finish()
        #expect(shown.lines == ["1 GET a", "1 one"])
    }

    @Test("What a toxic changed is shown twice, the server's as such")
    func changed() {
        var shown = Shown()
        shown.add("GET a", .upstream, .client)
        shown.add("GET b", .upstream, .server)
        shown.add("one", .downstream, .server)
        shown.add("two", .downstream, .client)
        shown.add("GET c", .upstream, .client)
        shown.add("GET c", .upstream, .server)
        shown.finish()
        #expect(shown.lines == ["1 GET a", "1s GET b", "1s one", "1 two", "1 GET c"])
    }

    @Test(
        "A change that no summary tells is a change, if the bytes are known",
        arguments: [(1, true), (nil, false)] as [(UInt64?, Bool)]
    )
    func digests(digest: UInt64?, isChange: Bool) {
        var shown = Shown()
        shown.add("200 OK", .downstream, .server, digest: digest)
        shown.add("200 OK", .downstream, .client, digest: 2)
        shown.finish()
        #expect(shown.lines == (isChange ? ["1s 200 OK", "1 200 OK"] : ["1 200 OK"]))
    }

    @Test("What a toxic dropped is shown of the leg that had it, and what it doubled too")
    func dropped() {
        var shown = Shown()
        shown.add("a", .upstream, .client)
        shown.add("b", .upstream, .client)
        shown.add("b", .upstream, .server)
        shown.add("b", .upstream, .server)
        shown.add("x", .downstream, .server)
        shown.add("y", .downstream, .server)
        shown.add("y", .downstream, .client)
        shown.add("z", .downstream, .server)
        shown.finish()
        #expect(shown.lines == ["1 a", "1 b", "1s b", "1s x", "1 y", "1s z"])
    }

    @Test("A flow with one leg has no other to wait for, and flows do not meet")
    func alone() {
        var shown = Shown()
        shown.add("a", .downstream, nil)
        shown.add("b", .downstream, .server, flow: 2)
        shown.add("b", .downstream, .client, flow: 3)
        #expect(shown.lines == ["1 a", "3 b"])
        shown.finish()
        #expect(shown.lines == ["1 a", "3 b", "2s b"])
    }

    @Test("One leg alone can be asked for, and is named", arguments: [(FlowLeg.client, "1c a"), (.server, "1s b")])
    func only(leg: FlowLeg, line: String) {
        var shown = Shown(only: leg)
        shown.add("a", .upstream, .client)
        shown.add("b", .upstream, .server)
        shown.add("c", .upstream, nil)
        shown.finish()
        #expect(shown.lines == [line])
    }

    @Test("However the legs are mixed, every message that both have is shown once", arguments: 0..<40)
    func mixed(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var shown = Shown()
        // What the first leg of each direction has, and the second has not yet.
        var open: [Direction: [String]] = [.upstream: [], .downstream: []]
        var all: [String] = []
        for number in 0..<200 {
            let direction = Direction.allCases[Int.random(in: 0..<2, using: &random)]
            let (first, second): (FlowLeg, FlowLeg) =
                direction == .upstream ? (.client, .server) : (.server, .client)
            if Bool.random(using: &random) || open[direction]?.isEmpty != false {
                let text = "\(Int.random(in: 0..<4, using: &random)) \(direction == .upstream ? number : 0)"
                shown.add(text, direction, first)
                open[direction]?.append(text)
                all.append(text)
            } else if let text = open[direction]?.removeFirst() {
                shown.add(text, direction, second)
            }
        }
        for text in open[.downstream] ?? [] { shown.add(text, .downstream, .client) }
        shown.finish()
        #expect(shown.lines.map { String($0.dropFirst(2)) }.sorted() == all.sorted())
        #expect(shown.lines.allSatisfy { $0.hasPrefix("1 ") })
    }
}
