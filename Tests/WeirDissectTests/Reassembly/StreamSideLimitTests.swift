import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("One direction of a stream, in little memory, piece by piece, and turned")
struct StreamSideLimitTests {
    @Test("Conversations come to this in little memory")
    func limits() {
        #expect(
            StreamSideTests.lines(111...150) { ($0.patience, $0.flowLimit, $0.window) = (5, 300, 4) }
                == """
                111 up   __c__f_h SR seg 5 bytes 3 early 3 again 3 of 4 unlike 2 limit 2 late 2 gap 0..<2 gap 6..<7 \
                cut 3..<5
                111 down ______g SR seg 2 bytes 1 early 1 again 1 of 1 unlike 1 limit 1 late 4 missing 2 gap 0..<6
                112 up   _bc__fghi SF seg 7 bytes 6 early 2 again 4 of 11 unlike 7 limit 2 late 2 behind 15 gap 0..<\
                1 gap 3..<5
                112 down ____EFgh SR seg 2 bytes 4 early 2 again 1 of 1 limit 1 missing 1 gap 0..<4 conflict 6..<7
                113 up   __cde____jk SFR seg 8 bytes 5 early 5 again 5 of 7 unlike 4 limit 2 late 5 gap 0..<2 gap 5.\
                .<9
                113 down ___def S seg 1 bytes 3 early 1 limit 1 missing 7 gap 0..<3
                114 up   _b__efg S seg 2 bytes 4 early 2 limit 1 starts 1 gap 0..<1 gap 2..<4
                114 down __cdefghijkl SFR seg 3 bytes 10 early 3 limit 1 behind 9 gap 0..<2
                115 up   abc____hijklm  seg 3 bytes 9 early 1 again 1 of 2 limit 1 starts 1 gap 3..<7
                115 down b  seg 1 bytes 1 limit 1
                116 up   ABCD_f SR seg 6 bytes 5 early 1 again 4 of 6 unlike 6 limit 1 before 2 missing 2 starts 1 g\
                ap 4..<5
                116 down __cdeFG S seg 3 bytes 5 early 1 again 2 of 7 unlike 5 limit 1 gap 0..<2 conflict 5..<7
                117 up   bcdef_h FR seg 5 bytes 6 early 2 again 3 of 7 unlike 6 limit 1 missing 2 gap 5..<6
                117 down x________g  seg 2 bytes 2 limit 2 starts 1 gap 1..<9
                118 up   _BC__fghi SF seg 2 bytes 6 early 2 behind 4 starts 1 gap 0..<1 gap 3..<5
                118 down ______ghi S seg 1 bytes 3 early 1 gap 0..<6
                119 up     missing 13
                119 down bcd____ijkl FR seg 3 bytes 7 early 1 again 1 of 3 unlike 3 limit 1 late 1 before 1 gap 3..<\
                7
                120 up   hijk  seg 1 bytes 4
                120 down cdef R seg 2 bytes 4 before 1
                121 up   ab___fg R seg 4 bytes 4 again 2 of 3 alive 1 unlike 3 limit 1 late 2 gap 2..<5
                121 down cdefg F seg 3 bytes 5 again 2 of 5 unlike 5 limit 1 behind 2 missing 5
                122 up   ab____gh  seg 4 bytes 4 early 2 again 1 of 1 limit 1 gap 4..<6 cut 2..<4
                122 down cde R seg 1 bytes 3 missing 6
                123 up   _bcdefghi SF seg 5 bytes 8 early 2 again 4 of 6 unlike 5 limit 1 late 1 missing 4 starts 1 \
                gap 0..<1
                123 down ______ghijk SR seg 5 bytes 5 early 1 again 1 of 4 unlike 4 limit 1 late 7 gap 0..<6
                124 up   _b_defGHIJK SF seg 4 bytes 9 early 2 again 1 of 3 unlike 1 limit 2 behind 8 starts 1 gap 0.\
                .<1 gap 2..<3 conflict 7..<9
                124 down ____efghi_ SF seg 4 bytes 5 early 2 again 3 of 8 unlike 6 limit 1 late 1 behind 6 missing 1\
                 gap 0..<4 cut 9..<10
                125 up   ____ef_hi SR seg 3 bytes 4 early 2 again 2 of 2 unlike 1 limit 1 late 1 gap 0..<4 cut 6..<7
                125 down bcdef S seg 1 bytes 5 missing 2 starts 1
                126 up   _______hijk SFR seg 4 bytes 4 early 2 again 1 of 2 limit 1 late 5 behind 4 gap 0..<7
                126 down ab__efghi SR seg 4 bytes 7 early 3 again 2 of 4 missing 1 gap 2..<4
                127 up    F seg 2 before 7 missing 3
                127 down BCDEfg R seg 3 bytes 6 early 1 again 2 of 4 missing 6 conflict 1..<2 conflict 1..<4
                128 up   __c____hijkl SFR seg 5 bytes 6 early 3 again 3 of 5 unlike 2 limit 2 late 4 behind 8 gap 0.\
                .<2 gap 3..<7
                128 down fghiklm SR seg 3 bytes 7 again 1 of 1 unlike 1 before 5 starts 1
                129 up   __________klm S seg 1 bytes 3 early 1 limit 1 starts 2 gap 0..<10
                129 down _______hijklmn SFR seg 4 bytes 7 early 2 again 2 of 4 unlike 2 late 2 before 1 behind 9 gap\
                 0..<7
                130 up   _________jk S seg 9 bytes 2 early 1 again 1 of 1 unlike 1 limit 1 late 16 before 3 missing \
                2 gap 0..<9
                130 down bcdeg S seg 2 bytes 5 again 1 of 4 unlike 4 missing 5 starts 2
                131 up   _b_defghi SF seg 8 bytes 7 early 5 again 6 of 13 unlike 8 limit 2 late 1 behind 6 gap 0..<1\
                 gap 2..<3
                131 down ____efgh S seg 2 bytes 4 early 1 limit 1 late 2 missing 5 gap 0..<4
                132 up   ______ghijkl SFR seg 5 bytes 6 early 1 again 4 of 4 unlike 4 limit 1 late 8 behind 5 missin\
                g 1 gap 0..<6
                132 down ab___fg S seg 2 bytes 4 early 1 alive 1 limit 1 starts 2 gap 2..<5
                133 up    SF missing 2
                133 down bcdef  seg 2 bytes 5 early 1 again 1 of 3 conflict 2..<5
                134 up   ____efghijkl S seg 2 bytes 8 early 2 again 1 of 1 limit 1 gap 0..<4
                134 down __cde__hijkl S seg 2 bytes 8 early 2 limit 2 missing 1 gap 0..<2 gap 5..<7
                135 up   ABCDEFGHI SFR seg 3 bytes 9 again 1 of 4 unlike 4
                135 down _bcde S seg 1 bytes 4 early 1 limit 1 missing 5 gap 0..<1
                136 up   __fghijklmn SFR seg 4 bytes 9 early 1 again 2 of 2 unlike 2 limit 1 late 3 before 3 gap 0..\
                <2
                136 down fghijk  seg 4 bytes 6 again 3 of 8 unlike 8 before 3 missing 2 starts 1
                137 up   a___efghijkl SFR seg 7 bytes 9 early 1 again 4 of 9 unlike 7 limit 1 late 3 behind 17 gap 1\
                ..<4
                137 down _____fgHIJK S seg 2 bytes 6 early 1 limit 1 missing 1 gap 0..<5
                138 up   _____fgh SR seg 3 bytes 3 early 3 again 1 of 2 limit 2 gap 0..<1 gap 2..<5 cut 1..<2
                138 down _____f____k SR seg 2 bytes 2 early 2 limit 2 missing 2 gap 0..<5 gap 6..<10
                139 up   FGhi R seg 6 bytes 4 again 5 of 9 unlike 5 before 2 conflict 0..<2 conflict 0..<2
                139 down ijkl  seg 3 bytes 4 limit 1 before 3
                140 up   _bcdefghi SFR seg 4 bytes 8 early 4 again 2 of 6 behind 5 gap 0..<1
                140 down  S seg 1 before 1 missing 13
                141 up   _bcd__ghi SR seg 3 bytes 6 early 3 limit 2 missing 4 gap 0..<1 gap 4..<6
                141 down _______h SF seg 1 bytes 1 early 1 limit 1 missing 2 gap 0..<7
                142 up   ___d____ij SF seg 2 bytes 3 early 2 limit 2 starts 1 gap 0..<3 gap 4..<8
                142 down abcde SF seg 3 bytes 5 early 2 again 2 of 4 conflict 2..<4
                143 up   ____efghi S seg 1 bytes 5 early 1 limit 1 gap 0..<4
                143 down _____fghijk SF seg 3 bytes 6 early 3 again 1 of 2 limit 1 behind 2 gap 0..<5
                144 up   ____efghIjk SFR seg 9 bytes 7 early 7 again 8 of 21 unlike 3 limit 1 behind 6 starts 1 gap \
                0..<4 conflict 4..<9 conflict 4..<6 conflict 8..<9 conflict 8..<9
                144 down cd_ghi SR seg 2 bytes 5 early 1 starts 1 gap 2..<3
                145 up   ____efghij SFR seg 4 bytes 6 early 4 again 3 of 7 limit 1 gap 0..<4
                145 down ___de___ S seg 1 bytes 2 early 1 limit 1 gap 0..<3 cut 5..<8
                146 up   ghi S seg 3 bytes 3 before 3
                146 down c S seg 1 bytes 1 alive 1 missing 8 starts 1
                147 up   defgh_jklm  seg 5 bytes 9 again 2 of 6 unlike 6 limit 2 before 3 starts 2 gap 5..<6
                147 down a______hijkl R seg 4 bytes 6 early 1 again 1 of 1 unlike 1 limit 1 late 5 starts 1 gap 1..<\
                7
                148 up   BCDEFgh FR seg 7 bytes 7 early 1 again 6 of 11 unlike 9 limit 1 before 3 starts 1 conflict \
                1..<3
                148 down dfgh SF seg 2 bytes 4 behind 4
                149 up   bcde_ghi R seg 3 bytes 7 early 1 again 1 of 2 unlike 2 limit 1 late 1 missing 4 starts 1 ga\
                p 4..<5
                149 down defgh  seg 2 bytes 5 limit 1 before 1
                150 up   _______hijk S seg 1 bytes 4 early 1 gap 0..<7
                150 down _bcde S seg 1 bytes 4 early 1 starts 2 gap 0..<1
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("The pieces of conversations come in this order", arguments: OverlapPolicy.allCases)
    func pieces(policy: OverlapPolicy) {
        let lines = (151...170).map { seed in
            let pieces = reassemble(StreamSideTests.conversation(UInt64(seed))) {
                ($0.overlap, $0.patience) = (policy, 1)
            }.streams
                .pieces
            let texts = pieces.map { piece in
                "\(piece.direction == .upstream ? "u" : "d")\(piece.offset)+\(piece.count)\(piece.content == .bytes ? "" : "\(piece.content)")"
                    + "@\(piece.time.map { "\($0)" } ?? "-")"
            }
            return "\(seed) \(texts.joined(separator: " "))"
        }
        let expected =
            policy == .first
            ? """
            151 d0+3gap@- d3+3@9 u0+1gap@- u1+5@5
            152 d0+2@2 u0+2gap@- u2+1@7 u3+2@11 u5+2gap@- u7+2@10 d2+4gap@- d6+1@9 d7+4@3 d11+1cut@-
            153 d0+2@0 u0+5@1
            154 u0+1@7 u1+4@5 d0+1@8 u5+1gap@- u6+5@3 d1+2gap@- d3+4@9
            155 d0+3gap@- d3+4@4 u0+3@7 u3+3gap@- u6+1@5 u7+4cut@-
            156 u0+3@3 u3+3@4 d0+4@5 u6+1@9 u7+5@2
            157 u0+6gap@- u6+5@3 u11+1@5 d0+1gap@- d1+2@2 d3+3gap@- d6+1@4
            158 u0+1@1 d0+5@0 d5+3@2
            159 u0+2cut@- u2+4@2 u6+4@4 d0+6gap@- d6+1@3 d7+4cut@-
            160 u0+5@4 u5+5@3 u10+1@2
            161 d0+5@4 u0+5gap@- u5+2@5 u7+4@2
            162 d0+2@0 u0+5@1 u5+1@3 d2+3gap@- d5+2@5 d7+5cut@-
            163 d0+1gap@- d1+3@5 u0+2gap@- u2+1@6 u3+3gap@- u6+1@4 u7+2cut@- u9+2@3 d4+2gap@- d6+4@12
            164 d0+2@6 u0+3@8 d2+1gap@- d3+4@4 u3+1gap@- u4+1@10 u5+1@9 u6+1gap@- u7+5cut@-
            165 d0+5@3 u0+5@5 u5+4gap@- u9+1@7 u10+4@6
            166 d0+2@3 d2+2gap@- d4+1@2 u0+1@10 u1+1@8 u2+1@10 u3+3@7
            167 u0+3@4 u3+3@6 u6+1@9 d0+6gap@- d6+3@10
            168 u0+1gap@- u1+1@3 u2+1gap@- u3+4@4 u7+3@5 d0+2gap@- d2+1@2 d3+1@7 d4+2cut@- d6+3@11
            169 u0+2@4 u2+5@3 d0+5gap@- d5+4@2 u7+1gap@- u8+5@6
            170 u0+2@2 u2+3@1 u5+1@4 u6+3@0 d0+2@5 u9+1@6
            """
            : """
            151 d0+3gap@- d3+3@9 u0+1gap@- u1+5@5
            152 d0+2@2 u0+2gap@- u2+1@7 u3+2@11 u5+2gap@- u7+2@10 d2+4gap@- d6+1@9 d7+4@3 d11+1cut@-
            153 d0+2@0 u0+5@1
            154 u0+1@7 u1+4@5 d0+1@8 u5+1gap@- u6+5@3 d1+2gap@- d3+4@9
            155 d0+3gap@- d3+4@4 u0+3@7 u3+3gap@- u6+1@5 u7+4cut@-
            156 u0+3@3 u3+3@4 d0+4@5 u6+1@9 u7+5@2
            157 u0+6gap@- u6+5@3 u11+1@5 d0+1gap@- d1+2@2 d3+3gap@- d6+1@4
            158 u0+1@1 d0+5@0 d5+3@2
            159 u0+2cut@- u2+4@2 u6+4@4 d0+6gap@- d6+1@3 d7+4cut@-
            160 u0+5@4 u5+5@3 u10+1@2
            161 d0+5@4 u0+5gap@- u5+2@5 u7+4@2
            162 d0+2@0 u0+5@1 u5+1@3 d2+3gap@- d5+2@5 d7+5cut@-
            163 d0+1gap@- d1+3@5 u0+2gap@- u2+1@6 u3+3gap@- u6+1@4 u7+2cut@- u9+2@3 d4+2gap@- d6+4@12
            164 d0+2@6 u0+3@8 d2+1gap@- d3+4@4 u3+1gap@- u4+1@10 u5+1@9 u6+1gap@- u7+5cut@-
            165 d0+5@3 u0+5@5 u5+4gap@- u9+1@7 u10+4@6
            166 d0+2@3 d2+2gap@- d4+1@2 u0+1@10 u1+1@8 u2+1@10 u3+3@7
            167 u0+3@4 u3+3@6 u6+1@9 d0+6gap@- d6+3@10
            168 u0+1gap@- u1+1@3 u2+1gap@- u3+4@4 u7+3@5 d0+2gap@- d2+1@2 d3+1@7 d4+2cut@- d6+3@11
            169 u0+2@4 u2+5@3 d0+5gap@- d5+4@2 u7+1gap@- u8+5@6
            170 u0+2@2 u2+3@1 u5+1@4 u6+3@0 u9+1@6 d0+2@5
            """
        #expect(lines == expected.split(separator: "\n").map(String.init))
    }

    @Test(
        "A conversation that turns its sides, and one whose client is the other side, are the same",
        arguments: 171...230 as ClosedRange<UInt64>
    )
    func turned(seed: UInt64) {
        let segments = StreamSideTests.conversation(seed)
        for policy in OverlapPolicy.allCases {
            var settings = ReassemblySettings()
            settings.overlap = policy
            var plain = TCPReassembler(settings)
            var turned = TCPReassembler(settings)
            var (one, other) = (Streams(), Streams())
            for (time, segment) in segments.enumerated() {
                if time == segments.count / 2 { turned.turn(flow: 0) }
                segment.add(to: &plain, at: Int64(time)) { one.receive($0, $1) }
                var segment = segment
                // From the middle on, the turned one's sides have changed places.
                if time >= segments.count / 2 { segment.direction = segment.direction.opposite }
                segment.add(to: &turned, at: Int64(time)) { other.receive($0, $1) }
            }
            plain.finish { one.receive($0, $1) }
            turned.finish { other.receive($0, $1) }
            let (up, down) = (plain.report(flow: 0, .upstream), plain.report(flow: 0, .downstream))
            let (left, right) = (turned.report(flow: 0, .downstream), turned.report(flow: 0, .upstream))
            #expect(up == left && down == right)
        }
    }
}
