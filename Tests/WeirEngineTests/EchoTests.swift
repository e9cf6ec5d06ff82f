import Testing
import WeirWire

@testable import WeirEngine

/// Feeds an echo matcher, and remembers the offsets of what it has sent upstream.
private struct Conversation {
    var matcher: EchoMatcher
    var offset: UInt64 = 0

    init(_ transport: Transport, window: Int = 1 << 20) {
        matcher = EchoMatcher(transport: transport, window: window)
    }

    mutating func up(_ text: String, at milliseconds: Int64 = 0) {
        up(Array(text.utf8), at: milliseconds)
    }

    mutating func up(_ bytes: [UInt8], at milliseconds: Int64 = 0) {
        matcher.upstream(bytes.span.bytes, offset: offset, at: Instant(nanoseconds: milliseconds * 1_000_000))
        offset += UInt64(bytes.count)
    }

    mutating func down(_ text: String, at milliseconds: Int64 = 0) -> Echo? {
        down(Array(text.utf8), at: milliseconds)
    }

    mutating func down(_ bytes: [UInt8], at milliseconds: Int64 = 0) -> Echo? {
        matcher.downstream(bytes.span.bytes, at: Instant(nanoseconds: milliseconds * 1_000_000))
    }
}

@Suite("Echo of a stream")
struct StreamEchoTests {
    @Test("Is found with its offset and its delay")
    func whole() {
        var talk = Conversation(.tcp)
        talk.up("hello", at: 1)
        #expect(talk.down("hello", at: 4) == Echo(offset: 0, delay: .milliseconds(3)))
        talk.up("again", at: 10)
        #expect(talk.down("again", at: 11) == Echo(offset: 5, delay: .milliseconds(1)))
    }

    @Test("Is found where it comes back in pieces: the delay counts from the first repeated byte")
    func pieces() {
        var talk = Conversation(.tcp)
        talk.up("abc", at: 0)
        talk.up("def", at: 10)
        #expect(talk.down("ab", at: 20) == Echo(offset: 0, delay: .milliseconds(20)))
        #expect(talk.down("cd", at: 21) == Echo(offset: 2, delay: .milliseconds(21)))
        #expect(talk.down("e", at: 22) == Echo(offset: 4, delay: .milliseconds(12)))
        #expect(talk.down("f", at: 23) == Echo(offset: 5, delay: .milliseconds(13)))
        #expect(talk.down("f", at: 24) == nil)
    }

    @Test("Is found where several chunks come back as one")
    func joined() {
        var talk = Conversation(.tcp)
        talk.up("abc", at: 0)
        talk.up("def", at: 10)
        talk.up("ghi", at: 20)
        #expect(talk.down("abcdefg", at: 30) == Echo(offset: 0, delay: .milliseconds(30)))
        #expect(talk.down("hi", at: 31) == Echo(offset: 7, delay: .milliseconds(11)))
    }

    @Test("Is found behind a greeting that the server sent first")
    func greeting() {
        var talk = Conversation(.tcp)
        #expect(talk.down("220 ready") == nil)
        talk.up("hello", at: 1)
        #expect(talk.down("hello", at: 2) == Echo(offset: 0, delay: .milliseconds(1)))
    }

    @Test("Is given up at the first byte that differs, and stays given up")
    func differs() {
        var talk = Conversation(.tcp)
        talk.up("hello")
        #expect(talk.down("he") == Echo(offset: 0, delay: .zero))
        #expect(talk.down("lLo") == nil)
        #expect(talk.down("llo") == nil)
        talk.up("again")
        #expect(talk.down("again") == nil)
    }

    @Test("Is not claimed for a chunk that says more than was sent")
    func longer() {
        var talk = Conversation(.tcp)
        talk.up("hello")
        #expect(talk.down("hello and more") == nil)
        talk.up("next")
        #expect(talk.down("next") == Echo(offset: 5, delay: .zero))
    }

    @Test("Is looked for in exactly as many bytes as the window holds")
    func window() {
        var talk = Conversation(.tcp, window: 10)
        talk.up("0123456789")
        #expect(talk.down("01234") == Echo(offset: 0, delay: .zero))
        talk.up("abcde")
        #expect(talk.down("56789abcde") == Echo(offset: 5, delay: .zero))
        talk.up("0123456789")
        talk.up("x")
        #expect(talk.down("0123456789") == nil)
    }

    @Test("Is not looked for with a window of 0", arguments: [Transport.tcp, .udp])
    func off(_ transport: Transport) {
        var talk = Conversation(transport, window: 0)
        talk.up("a")
        #expect(talk.down("a") == nil)
        talk.up("")
        #expect(talk.down("") == nil)
    }

    @Test("Is found in a stream of more tiny chunks than there are marks")
    func manyChunks() {
        var talk = Conversation(.tcp)
        let bytes = (0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for (index, byte) in bytes.enumerated() { talk.up([byte], at: Int64(index)) }
        #expect(talk.down(Array(bytes[..<1000]), at: 5000) == Echo(offset: 0, delay: .milliseconds(5000)))
        #expect(talk.down(Array(bytes[1000..<1023]), at: 5000) == Echo(offset: 1000, delay: .milliseconds(4000)))
        // Bytes 1023 to 2999 share the last mark, and its time.
        #expect(talk.down(Array(bytes[1023..<2500]), at: 5000) == Echo(offset: 1023, delay: .milliseconds(3977)))
        #expect(talk.down(Array(bytes[2500...]), at: 5000) == Echo(offset: 2500, delay: .milliseconds(3977)))
        talk.up("on", at: 6000)
        #expect(talk.down("on", at: 6001) == Echo(offset: 3000, delay: .milliseconds(1)))
    }

    @Test("Is found whatever the borders of the chunks are", arguments: 1...20)
    func anyBorders(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var talk = Conversation(.tcp, window: 600)
        var sent: [UInt8] = []
        var times: [Int64] = []
        var returned = 0
        for step in 0..<2000 {
            if Bool.random(using: &random), sent.count - returned < 500 {
                let chunk = (0..<Int.random(in: 1...100, using: &random)).map { _ in UInt8(random.next() & 3) }
                talk.up(chunk, at: Int64(step))
                sent += chunk
                times += chunk.map { _ in Int64(step) }
            } else if returned < sent.count {
                let amount = Int.random(in: 1...min(150, sent.count - returned), using: &random)
                let echo = talk.down(Array(sent[returned..<(returned + amount)]), at: Int64(step))
                let delay = Duration.milliseconds(Int64(step) - times[returned])
                #expect(echo == Echo(offset: UInt64(returned), delay: delay))
                returned += amount
            }
        }
    }
}

@Suite("Echo of datagrams")
struct DatagramEchoTests {
    @Test("Is found in any order, each once")
    func anyOrder() {
        var talk = Conversation(.udp)
        talk.up("one", at: 0)
        talk.up("two", at: 10)
        talk.up("three", at: 20)
        #expect(talk.down("two", at: 30) == Echo(offset: 3, delay: .milliseconds(20)))
        #expect(talk.down("two", at: 31) == nil)
        #expect(talk.down("three", at: 40) == Echo(offset: 6, delay: .milliseconds(20)))
        #expect(talk.down("one", at: 50) == Echo(offset: 0, delay: .milliseconds(50)))
    }

    @Test("Is a whole datagram, never a part or a join")
    func whole() {
        var talk = Conversation(.udp)
        talk.up("one")
        talk.up("two")
        #expect(talk.down("onetwo") == nil)
        #expect(talk.down("on") == nil)
        #expect(talk.down("one") != nil)
    }

    @Test("Is looked for in the last 64 datagrams")
    func kept() {
        var talk = Conversation(.udp)
        for index in 0..<65 { talk.up([UInt8(index)]) }
        #expect(talk.down([0]) == nil)
        #expect(talk.down([1]) == Echo(offset: 1, delay: .zero))
        #expect(talk.down([64]) == Echo(offset: 64, delay: .zero))
    }

    @Test("Makes place for the newest in the window, oldest first")
    func window() {
        var talk = Conversation(.udp, window: 10)
        talk.up("01234")
        talk.up("56789")
        talk.up("abcde")
        talk.up("far longer than the window")
        #expect(talk.down("01234") == nil)
        #expect(talk.down("56789") != nil)
        #expect(talk.down("abcde") != nil)
    }

    @Test("Is given up after 256 answers in a row that repeat nothing, not before")
    func givenUp() {
        var talk = Conversation(.udp)
        talk.up("first")
        talk.up("second")
        for _ in 0..<255 { #expect(talk.down("answer") == nil) }
        #expect(talk.down("first") != nil)
        for _ in 0..<255 { #expect(talk.down("answer") == nil) }
        #expect(talk.down("second") != nil)
        talk.up("third")
        for _ in 0..<256 { #expect(talk.down("answer") == nil) }
        #expect(talk.down("third") == nil)
    }

    @Test("A datagram that came back changed counts for the oldest of those that differ least")
    func closest() {
        var matcher = EchoMatcher(transport: .udp, window: 1 << 20, isExpected: true)
        var offset: UInt64 = 0
        func down(_ text: String) -> Mismatch? {
            _ = matcher.downstream(Array(text.utf8).span.bytes, at: Instant(nanoseconds: 0))
            return matcher.takeMismatch()
        }
        for text in ["aaaa", "aabb", "aabb", "xyz"] {
            matcher.upstream(Array(text.utf8).span.bytes, offset: offset, at: Instant(nanoseconds: 0))
            offset += UInt64(text.utf8.count)
        }
        #expect(down("aabX") == .byte(offset: 7, sent: UInt8(ascii: "b"), received: UInt8(ascii: "X")))
        #expect(down("aaba") == .byte(offset: 2, sent: UInt8(ascii: "a"), received: UInt8(ascii: "b")))
        #expect(down("aabbcc") == .byte(offset: 12, sent: nil, received: UInt8(ascii: "c")))
        #expect(matcher.takeMismatch() == nil)
        #expect(matcher.takeMissing() == .unanswered(datagrams: 1))
        #expect(matcher.takeMissing() == nil)
    }

    @Test("Is given up after 256 datagrams that nobody repeated")
    func neverAnswered() {
        var talk = Conversation(.udp)
        for index in 0..<(64 + 256) { talk.up([UInt8(truncatingIfNeeded: index), UInt8(index >> 8)]) }
        #expect(talk.down([0x3F, 1]) == nil)
    }
}

@Suite("What is around a byte that is no echo")
struct MismatchBytesTests {
    private static func around(
        _ transport: Transport,
        sent: [String],
        received: String
    ) -> (lead: Int, sent: String, received: String)? {
        var matcher = EchoMatcher(transport: transport, window: 1 << 20, isExpected: true)
        var offset: UInt64 = 0
        for text in sent {
            matcher.upstream(Array(text.utf8).span.bytes, offset: offset, at: Instant(nanoseconds: 0))
            offset += UInt64(text.utf8.count)
        }
        _ = matcher.downstream(Array(received.utf8).span.bytes, at: Instant(nanoseconds: 0))
        guard case .byte(_, _, _, let around) = matcher.takeMismatch() ?? matcher.takeMissing() else { return nil }
        return (
            around.lead, String(decoding: around.sent, as: UTF8.self), String(decoding: around.received, as: UTF8.self)
        )
    }

    @Test("Of a stream, up to eight bytes before it and from it on, at the same places")
    func stream() throws {
        let long = try #require(
            Self.around(.tcp, sent: ["abcdefghijklmnopqrstuvwxyz"], received: "abcdefghijXlmnopqrstuvwxyz")
        )
        #expect(long == (8, "cdefghijklmnopqr", "cdefghijXlmnopqr"))
        let short = try #require(Self.around(.tcp, sent: ["ab", "c"], received: "aX"))
        #expect(short == (1, "abc", "aX"))
        let more = try #require(Self.around(.tcp, sent: ["ab"], received: "abX"))
        #expect(more == (2, "ab", "abX"))
    }

    @Test("Of a datagram, those of the one that is most similar")
    func datagram() throws {
        let found = try #require(Self.around(.udp, sent: ["hello", "world"], received: "worXd"))
        #expect(found == (3, "world", "worXd"))
    }

    @Test("Of what never came, what was sent")
    func missing() throws {
        let found = try #require(Self.around(.tcp, sent: ["hello"], received: ""))
        #expect(found == (0, "hello", ""))
    }

    @Test("They are no part of a difference")
    func equal() {
        var around = MismatchBytes()
        around.lead = 3
        let (left, right) = (
            Mismatch.byte(offset: 1, sent: 2, received: 3),
            Mismatch.byte(offset: 1, sent: 2, received: 3, around: around)
        )
        #expect(left == right && Set([left, right]).count == 1)
    }
}
