import Support
import Testing
import WeirDissect
import WeirWire

@Suite("TCP reassembly")
struct TCPReassemblerTests {
    private static let handshake: [Segment] = [
        .up(99, "", .syn), .down(499, "", .syn, ack: 100), .up(100, ack: 500),
    ]

    @Test("Bytes in order are given at once, with their time and place")
    func order() {
        let result = reassemble(
            Self.handshake + [.up(100, "abc", ack: 500), .down(500, "xy", ack: 103), .up(103, "de", .fin, ack: 502)]
        )
        #expect(result.streams.upText == "abcde")
        #expect(result.streams.downText == "xy")
        #expect(result.streams.pieces.map(\.offset) == [0, 0, 3])
        #expect(result.streams.pieces.map(\.time) == [3, 4, 5])
        #expect(result.streams.pieces.map(\.direction) == [.upstream, .downstream, .upstream])
        #expect(result.up.isWhole && result.down.isWhole)
        #expect(result.up.hasEnd && !result.down.hasEnd)
        #expect((result.up.segments, result.up.bytes) == (2, 5))
    }

    @Test("What came early waits for what comes before it")
    func outOfOrder() {
        let result = reassemble(
            Self.handshake + [.up(106, "gh"), .up(103, "def"), .up(108, "i"), .up(100, "abc"), .up(109, "j")]
        )
        #expect(result.streams.upText == "abcdefghij")
        #expect(result.streams.pieces.map(\.time) == [6, 4, 3, 5, 7])
        #expect(result.up.outOfOrder == 3)
        #expect(result.up.isWhole)
    }

    @Test("Sequence numbers wrap")
    func wrap() {
        let result = reassemble([
            .up(0xffff_fffd, "", .syn), .up(1, "de"), .up(0xffff_fffe, "abc"), .up(3, "f"), .up(0xffff_ffff, "bcdef"),
        ])
        #expect(result.streams.upText == "abcdef")
        #expect(result.up.isWhole)
        #expect(result.up.retransmittedBytes == 5)
    }

    @Test("The first bytes win; where they differ is reported")
    func firstWins() {
        let result = reassemble(
            Self.handshake + [.up(100, "abcdef"), .up(102, "cXYfgh"), .up(112, "mno"), .up(108, "ijklMNo")]
        )
        #expect(result.streams.upText == "abcdefghijklmno")
        #expect(result.up.conflicts.ranges == [3..<5, 12..<14])
        #expect((result.up.conflicts.count, result.up.conflicts.bytes) == (2, 4))
        #expect(result.up.retransmittedBytes == 7)
        #expect(result.up.retransmissions == 2)
        #expect(!result.up.isWhole)
    }

    @Test("The last bytes win with the other policy, in order, before them and early")
    func lastWins() {
        let result = reassemble(
            Self.handshake + [
                .up(100, "abcdef"), .up(102, "cXYfgh"), .up(112, "mno"), .up(108, "ijklMNo"), .up(115, "p"),
            ]
        ) { $0.overlap = .last }
        #expect(result.streams.upText == "abcXYfghijklMNop")
        #expect(result.up.conflicts.ranges == [3..<5, 12..<14])
        #expect(result.streams.pieces.map(\.offset) == [0, 6, 8, 12, 15])
    }

    @Test("With the last bytes winning, both directions keep the order in which they came")
    func lastWinsOrder() {
        let result = reassemble(
            Self.handshake + [.up(100, "a"), .down(500, "1"), .up(101, "b"), .down(501, "2"), .up(100, "A")]
        ) { $0.overlap = .last }
        #expect(result.streams.upText == "Ab")
        #expect(result.streams.downText == "12")
        #expect(result.streams.pieces.map(\.direction) == [.upstream, .downstream, .upstream, .downstream])
    }

    @Test("A gap is given up at the end, and never filled by guessing")
    func gap() {
        let result = reassemble(Self.handshake + [.up(100, "abc"), .up(105, "fg"), .up(110, "k")])
        #expect(result.streams.upText == "abc__fg___k")
        #expect(result.up.gaps.ranges == [3..<5, 7..<10])
        #expect((result.up.bytes, result.up.gaps.bytes) == (6, 5))
        #expect(result.up.gapsOfLimit == 0)
        #expect(result.streams.pieces.map(\.content) == [.bytes, .gap, .bytes, .gap, .bytes])
    }

    @Test("A gap that the other side acknowledged is given up after some patience; what comes later is late")
    func acknowledged() {
        let lost = Self.handshake + [.up(100, "abc"), .up(105, "fg"), .down(500, "1", ack: 107)]
        let soon = reassemble(lost + [.down(501, "2", ack: 107), .up(103, "de"), .up(107, "h")]) { $0.patience = 4 }
        #expect(soon.streams.upText == "abcdefgh")
        #expect(soon.up.isWhole)
        let late = reassemble(lost + [.down(501, "2", ack: 107), .up(103, "de"), .up(107, "h")]) { $0.patience = 1 }
        #expect(late.streams.upText == "abc__fgh")
        #expect(late.up.late == 2)
        #expect(late.up.retransmittedBytes == 0)
        #expect(late.up.gaps.ranges == [3..<5])
        let never = reassemble(Self.handshake + [.up(105, "fg"), .down(500, "1", ack: 105), .up(107, "h")]) {
            $0.patience = 0
        }
        #expect(never.streams.pieces.last?.direction == .upstream)
        #expect(never.streams.upText == "_____fgh")
    }

    @Test("Each gap has the whole patience, also after one before it was filled", arguments: OverlapPolicy.allCases)
    func patienceAnew(_ overlap: OverlapPolicy) {
        let acknowledged = Segment.down(500, ack: 103)
        var segments: [Segment] = [.up(99, "", .syn), .down(499, "", .syn, ack: 100), .up(100, "a"), .up(102, "c")]
        segments += [acknowledged, acknowledged, .up(101, "b"), .up(104, "e")]
        segments += [Segment.down(500, ack: 105), .down(500, ack: 105), .up(103, "d")]
        let result = reassemble(segments) { ($0.patience, $0.overlap) = (3, overlap) }
        #expect(result.streams.upText == "abcde")
        #expect(result.up.gaps.isEmpty && result.up.late == 0)
        // One more acknowledgment is too many.
        segments.insert(contentsOf: [Segment.down(500, ack: 105), .down(500, ack: 105)], at: segments.count - 1)
        #expect(reassemble(segments) { ($0.patience, $0.overlap) = (3, overlap) }.up.gaps.ranges == [3..<4])
    }

    @Test("What comes too late for its gap is late with either policy")
    func lateWithLast() {
        let result = reassemble(
            Self.handshake + [
                .up(100, "abc"), .up(105, "fg"), .down(500, "1", ack: 107), .up(103, "de"), .up(107, "h"),
            ]
        ) {
            $0.overlap = .last
            $0.patience = 0
        }
        #expect(result.streams.upText == "abc__fgh")
        #expect(result.up.late == 2)
        #expect(result.up.conflicts.isEmpty)
    }

    @Test("Bytes that were acknowledged but never captured are missing at the end, a FIN is not one of them")
    func missingAtEnd() {
        let result = reassemble(
            Self.handshake + [.up(100, "abc"), .down(500, "x", .fin, ack: 110), .up(110, ack: 502)]
        )
        #expect(result.up.missingAtEnd == 7)
        #expect(result.down.missingAtEnd == 0)
        #expect(result.down.isWhole)
        let finOnly = reassemble(Self.handshake + [.up(100, "abc"), .up(105, "", .fin)])
        #expect(finOnly.up.missingAtEnd == 2)
    }

    @Test("A stream without its SYN begins with the first segments captured, and says so")
    func withoutStart() {
        let result = reassemble([.up(1000, "cd"), .up(1002, "ef"), .up(1004, "gh"), .up(996, "xyabcd")])
        #expect(result.streams.upText == "cdefgh")
        #expect(!result.up.hasStart)
        #expect(result.up.beforeStart == 4)
        #expect(!result.up.isWhole)
    }

    @Test("A SYN that comes behind the first bytes is the stream's if it fits")
    func lateStart() {
        #expect(reassemble([.up(100, "ab"), .up(99, "", .syn)]).up.hasStart)
        let other = reassemble([.up(100, "ab"), .up(50, "zz", .syn)])
        #expect(!other.up.hasStart)
        #expect(other.up.otherStarts == 1)
        #expect(other.streams.upText == "ab")
    }

    @Test("Of two SYNs with different numbers the one before the first bytes counts")
    func otherStart() {
        let result = reassemble([
            .up(99, "", .syn), .down(700, "", .syn, ack: 100), .down(499, "", .syn, ack: 100), .down(500, "ok"),
            .down(800, "no", .syn),
        ])
        #expect(result.streams.downText == "ok")
        #expect(result.down.otherStarts == 2)
        #expect(result.up.otherStarts == 0)
    }

    @Test("A SYN can carry bytes")
    func fastOpen() {
        let result = reassemble([.up(99, "abc", .syn), .down(499, "xy", .syn, ack: 103), .up(99, "abc", .syn)])
        #expect(result.streams.upText == "abc")
        #expect(result.streams.downText == "xy")
        #expect(result.up.isWhole)
        #expect(result.up.retransmittedBytes == 3)
    }

    @Test("A keep-alive is no retransmission, whatever its byte is")
    func keepAlive() {
        let result = reassemble(Self.handshake + [.up(99, ""), .up(100, "abc"), .up(102, ""), .up(102, "\0")])
        #expect(result.streams.upText == "abc")
        #expect(result.up.keepAlives == 3)
        #expect(result.up.isWhole)
        #expect(result.up.retransmissions == 0)
    }

    @Test(
        "What repeats only the part that was cut off an early segment is no conflict",
        arguments: OverlapPolicy.allCases
    )
    func repeatedCut(policy: OverlapPolicy) {
        let result = reassemble(
            [.up(99, "", .syn), Segment.up(110, "0123456789").cut(to: 2), .up(115, "56789"), .up(100, "abcdefghij")]
        ) { $0.overlap = policy }
        #expect(result.streams.upText == "abcdefghij01________")
        #expect(result.up.conflicts.isEmpty)
        #expect(result.up.cut.ranges == [12..<20])
        #expect(result.up.retransmittedBytes == 5)
    }

    @Test("Packets cut by the capture leave a gap of their own kind, and what follows stays in its place")
    func cut() {
        let result = reassemble(
            Self.handshake + [
                Segment.up(100, "abcdef").cut(to: 2), .up(106, "gh"), Segment.up(112, "mno").cut(to: 0),
                .up(108, "ijkl"), Segment.up(100, "abcdef").cut(to: 2), Segment.up(100, "aXcdef").cut(to: 3),
            ]
        )
        #expect(result.streams.upText == "ab____ghijkl___")
        #expect(result.up.cut.ranges == [2..<6, 12..<15])
        #expect(result.up.gaps.isEmpty)
        #expect(result.up.retransmissions == 2)
        #expect(result.up.bytes == 8)
    }

    @Test("What is repeated behind a cut packet is compared with its own place")
    func repeatedBehindCut() {
        let result = reassemble([
            .up(99, "", .syn), Segment.up(100, "abcdef").cut(to: 2), .up(106, "gh"), .up(100, "abcdefgh"),
            .up(106, "gX"),
        ])
        #expect(result.streams.upText == "ab____gh")
        #expect(result.up.conflicts.ranges == [7..<8])
    }

    @Test("Bytes behind the FIN are given and reported")
    func behindEnd() {
        let result = reassemble(Self.handshake + [.up(100, "ab", .fin), .up(102, "cd")])
        #expect(result.streams.upText == "abcd")
        #expect(result.up.behindEnd == 2)
    }

    @Test("What a reset says is part of the stream")
    func reset() {
        let result = reassemble(Self.handshake + [.up(100, "ab"), .down(500, "go away", .rst)])
        #expect(result.streams.downText == "go away")
        #expect(result.down.hasReset)
        #expect(!result.up.hasReset)
    }

    @Test(
        "A number as far away as can be makes no trap",
        arguments: [0x8000_0063, 0x8000_0064, 0x7fff_ffff, 0] as [UInt32]
    )
    func farAway(_ number: UInt32) {
        for policy in OverlapPolicy.allCases {
            let result = reassemble(Self.handshake + [.up(number, "far"), .up(100, "ab", ack: number)]) {
                $0.overlap = policy
            }
            #expect(result.streams.upText.hasPrefix("ab"))
        }
    }
}
