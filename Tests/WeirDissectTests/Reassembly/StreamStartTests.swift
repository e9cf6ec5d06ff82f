import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("TCP: where a stream begins and ends")
struct StreamStartTests {
    @Test(
        "A late SYN-ACK with another number does not move the start once the client has acknowledged",
        .needsCases,
        arguments: ["synack-stale-late.pcap", "synack-stale-late2.pcap"]
    )
    func staleSynAck(name: String) throws {
        let messages = try CaseMessages(name)
        #expect(messages.said == ["up 0..<36 http GET /a h.example", "down 0..<43 http 200 OK, 5 bytes answers @0"])
        #expect(messages.flows[0].firstNumber(of: .downstream) == 5000)
    }

    @Test("Of several SYN-ACKs the one counts that the client acknowledges, or that bytes follow")
    func acknowledged() {
        let (first, stale) = (Segment.down(4999, "", .syn, ack: 100), Segment.down(899_999, "", .syn, ack: 100))
        let open: [Segment] = [.up(99, "", .syn)]
        let answer = Segment.down(5000, "ok", ack: 103)
        let request = Segment.up(100, "get", ack: 5000)
        for segments in [
            open + [first, stale, request, answer], open + [stale, first, request, stale, answer],
            open + [first, request, stale, answer], open + [first, stale, answer, request],
            open + [request, stale, first, answer], open + [request, first, stale, answer],
        ] {
            let result = reassemble(segments)
            #expect(result.streams.downText == "ok")
            #expect(result.streams.upText == "get")
            #expect(result.down.hasStart)
            #expect(result.down.beforeStart == 0 && result.down.gaps.isEmpty)
        }
    }

    @Test("What was acknowledged of another start counts no more")
    func acknowledgedBefore() {
        let result = reassemble([
            .up(99, "", .syn), .down(899_999, "", .syn, ack: 100), .up(100, "", ack: 900_050),
            .down(4999, "", .syn, ack: 100), .up(100, "get", ack: 5000), .down(5000, "ok", ack: 103),
        ])
        #expect(result.streams.downText == "ok")
        #expect(result.down.missingAtEnd == 0)
    }

    @Test("A FIN before the server's SYN is no end", .needsCases)
    func earlyFin() throws {
        let messages = try CaseMessages("fin-before-synack.pcap")
        #expect(messages.said == ["up 0..<36 http GET /a h.example", "down 0..<43 http 200 OK, 5 bytes answers @0"])
        #expect(messages.flows[0].close == .open)
        let result = reassemble([
            .up(99, "", .syn), .down(500, "", .fin, ack: 100), .down(499, "", .syn, ack: 100), .up(100, "", ack: 500),
            .down(500, "ok", ack: 100),
        ])
        #expect(result.streams.downText == "ok")
        #expect(!result.down.hasEnd && result.down.behindEnd == 0)
    }

    @Test("A FIN counts if the SYN-ACK alone was not captured")
    func lostSynAck() {
        let result = reassemble([
            .up(99, "", .syn), .up(100, "get", ack: 500), .down(500, "ok", .fin, ack: 103),
        ])
        #expect(result.streams.downText == "ok")
        #expect(result.down.hasEnd)
    }

    @Test("A TCP header that is shorter than it can be opens and closes nothing", .needsCases)
    func badOffset() throws {
        let messages = try CaseMessages("bad-tcp-offset-syn.pcap")
        #expect(
            messages.said == [
                "up 0..<36 http GET /a h.example", "down 0..<43 http 200 OK, 5 bytes answers @0",
                "up 36..<72 http GET /b h.example",
            ]
        )
        #expect(messages.flows.count == 1)
        #expect(messages.flows[0].packets == 7)
        #expect(messages.flows[0].close == .open)
    }

    @Test("Segments that are swapped at the start of a capture are put in order")
    func swapped() {
        let result = reassemble([.up(1000, "cd"), .up(998, "ab"), .up(1002, "ef"), .up(996, "xyabcd")])
        #expect(result.streams.upText == "abcdef")
        #expect(!result.up.hasStart)
        #expect(result.up.beforeStart == 2)
        #expect(reassemble([.up(1002, "ef"), .up(1000, "cd"), .up(998, "ab")]).streams.upText == "abcdef")
        #expect(reassemble([.up(1000, "cd"), .up(998, "ab")]) { $0.overlap = .last }.streams.upText == "abcd")
        // A repeated byte of the client is put before what the client sent, and the answer behind it.
        let pieces = reassemble([
            .up(1000, "cd", ack: 1), .up(998, "ab", ack: 1), .down(1, "ok", ack: 1002), .up(1002, "ef", ack: 3),
        ]).streams.pieces
        #expect(pieces.map(\.direction) == [.upstream, .upstream, .downstream, .upstream])
        #expect(pieces.map(\.offset) == [0, 2, 0, 4])
    }

    @Test("What the other side has acknowledged before is where the stream begins")
    func known() {
        var reassembler = TCPReassembler()
        var given: [Int] = []
        Segment.down(7, "x", ack: 1000).add(to: &reassembler) { _, bytes in given.append(bytes.byteCount) }
        Segment.up(1000, "cd", ack: 8).add(to: &reassembler) { _, bytes in given.append(bytes.byteCount) }
        #expect(given == [1, 2])
    }

    @Test(
        "A stream without its SYN begins up to 256 KiB before its first segment",
        arguments: [262_144, 262_145] as [UInt32]
    )
    func earlier(distance: UInt32) {
        let result = reassemble([.up(1_000_000, "cd"), .up(1_000_000 - distance, "ab")])
        let isStart = distance == 262_144
        #expect(result.streams.upText.hasPrefix(isStart ? "ab_" : "cd"))
        #expect(result.up.gaps.ranges == (isStart ? [2..<262_144] : []))
        #expect(result.up.beforeStart == (isStart ? 0 : 2))
    }

    @Test(
        "A SYN is of another stream if what was acknowledged before is before it, or more than 16 MiB behind it",
        arguments: [(999, false), (1000, true), (1000 + 16_777_216, true), (1001 + 16_777_216, false)]
            as [(UInt32, Bool)]
    )
    func acknowledgedEarly(number: UInt32, isStart: Bool) {
        let result = reassemble([.down(7, "x", ack: number), .up(999, "", .syn)])
        #expect(result.up.hasStart == isStart && result.up.otherStarts == (isStart ? 0 : 1))
    }

    @Test("Of more than five SYN-ACKs the last five are remembered", arguments: 1...6 as ClosedRange<UInt32>)
    func manyStarts(chosen: UInt32) {
        let starts = (1...6).map { Segment.down(10_000 * $0 - 1, "", .syn, ack: 100) }
        let result = reassemble(
            [.up(99, "", .syn)] + starts + [.up(100, ack: 10_000 * chosen), .down(10_000 * chosen, "ok", ack: 100)]
        )
        #expect(result.streams.downText == (chosen == 1 ? "" : "ok"))
        #expect(result.down.beforeStart == (chosen == 1 ? 2 : 0) && result.down.otherStarts == 5)
    }
}
