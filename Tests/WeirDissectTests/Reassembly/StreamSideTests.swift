import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("One direction of a stream")
struct StreamSideTests {
    /// Makes a conversation of a few segments near each other: lost, repeated, swapped, cut, and with odd flags.
    static func conversation(_ seed: UInt64) -> [Segment] {
        var generator = SeededGenerator(seed: seed)
        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
        var segments: [Segment] = []
        if below(3) > 0 { segments = [.up(99, "", .syn), .down(499, "", .syn, ack: 100)] }
        for _ in 0..<(4 + below(9)) {
            let isUp = below(3) > 0
            let start = below(4) == 0 ? below(14) - 3 : below(8)
            let text = String((0..<below(6)).map { Character(Unicode.Scalar(UInt8(97 + (start + $0 + 26) % 26))) })
            let other = below(9) == 0 ? text.uppercased() : text
            let flags: TCPFlags = [[], [], [], [], [], [], .fin, .syn, .rst][below(9)]
            let acknowledged = below(2) == 0 ? nil : UInt32((isUp ? 500 : 100) + below(16) - 2)
            var segment =
                isUp
                ? Segment.up(UInt32(100 + start), other, flags, ack: acknowledged)
                : Segment.down(UInt32(500 + start), other, flags, ack: acknowledged)
            if below(9) == 0 { segment = segment.cut(to: below(3)) }
            segments.append(segment)
        }
        return segments
    }

    private static func line(_ text: String, _ report: StreamReport) -> String {
        let flags = [
            report.hasStart ? "S" : "", report.hasEnd ? "F" : "", report.hasReset ? "R" : "", report.isWhole ? "W" : "",
        ].joined()
        let counts = [
            ("seg", report.segments), ("bytes", report.bytes), ("early", report.outOfOrder),
            ("again", report.retransmissions),
            ("of", report.retransmittedBytes), ("alive", report.keepAlives), ("unlike", report.uncompared),
            ("limit", report.gapsOfLimit),
            ("late", report.late), ("before", report.beforeStart), ("behind", report.behindEnd),
            ("missing", report.missingAtEnd),
            ("starts", report.otherStarts),
        ]
        let ranges = [("gap", report.gaps), ("cut", report.cut), ("conflict", report.conflicts)].flatMap {
            name,
            ranges in
            ranges.ranges.map { "\(name) \($0)" }
        }
        return ([text, flags] + counts.filter { $0.1 != 0 }.map { "\($0.0) \($0.1)" } + ranges).joined(separator: " ")
    }

    static func lines(_ seeds: ClosedRange<UInt64>, _ change: (inout ReassemblySettings) -> Void) -> [String] {
        seeds.flatMap { seed in
            let result = reassemble(conversation(seed), change)
            return [
                "\(seed) up   \(line(result.streams.upText, result.up))",
                "\(seed) down \(line(result.streams.downText, result.down))",
            ]
        }
    }

    @Test("Conversations come to this if the first bytes win")
    func first() {
        #expect(
            Self.lines(1...60) { $0.patience = 2 }
                == """
                1 up   ___defg___klm SR seg 5 bytes 7 early 3 again 1 of 3 late 3 before 2 starts 1 gap 0..<3 gap 7.\
                .<10
                1 down ____efghijklm S seg 2 bytes 9 early 2 gap 0..<4
                2 up   abcdefghijkl SF seg 8 bytes 12 early 5 again 3 of 8 before 5 behind 14 starts 1 conflict 7..<\
                8
                2 down ____e S seg 1 bytes 1 early 1 missing 4 gap 0..<4
                3 up   abcefghijk SFR seg 7 bytes 10 early 2 again 5 of 10 before 1 behind 2 starts 2 conflict 2..<3\
                 conflict 0..<2 conflict 0..<3 conflict 1..<2
                3 down D  seg 1 bytes 1
                4 up   _bcdefghi SF seg 7 bytes 8 early 2 again 5 of 12 late 1 behind 1 missing 2 starts 1 gap 0..<1
                4 down abc___ghijk S seg 2 bytes 8 early 1 gap 3..<6
                5 up   __c__FGH_jk SR seg 5 bytes 6 early 4 again 1 of 1 before 3 starts 1 gap 0..<2 gap 3..<5 gap 8\
                ..<9
                5 down abcdefgh S seg 3 bytes 8 again 2 of 2 before 1 missing 4
                6 up   abcd SR seg 2 bytes 4 again 1 of 2 missing 6
                6 down _bcdefghIj SR seg 4 bytes 9 early 4 again 3 of 7 gap 0..<1 conflict 5..<9
                7 up   ab_d SR seg 2 bytes 3 early 1 gap 2..<3
                7 down _______hijkl S seg 1 bytes 5 early 1 gap 0..<7
                8 up   ab_d_fghij SR seg 5 bytes 8 early 3 again 2 of 2 starts 1 gap 4..<5 cut 2..<3
                8 down __c___g S seg 2 bytes 2 early 2 gap 0..<2 gap 3..<6
                9 up   ab___ SR seg 3 bytes 2 again 1 of 2 before 2 starts 3 cut 2..<5
                9 down ___D_fg SR seg 2 bytes 3 early 2 missing 6 gap 0..<3 gap 4..<5
                10 up   cde__hijkl F seg 3 bytes 8 starts 1 gap 3..<5
                10 down ghijkm S seg 5 bytes 6 again 2 of 5 before 8 conflict 0..<5
                11 up   BCDf__ijkl S seg 3 bytes 8 early 1 starts 1 gap 4..<6
                11 down hijkl  seg 1 bytes 5
                12 up   AB_defghijK SR seg 5 bytes 10 early 4 again 2 of 5 before 1 starts 2 gap 2..<3 conflict 7..<\
                10
                12 down ______g SF seg 3 bytes 1 early 1 late 7 missing 5 gap 0..<6
                13 up   ___defgh S seg 3 bytes 5 early 3 again 2 of 3 missing 1 gap 0..<3
                13 down _____fghijk S seg 3 bytes 6 early 3 again 2 of 5 gap 0..<5
                14 up   ___defg SR seg 3 bytes 4 early 3 again 2 of 3 gap 0..<3
                14 down H S seg 1 bytes 1 missing 4 starts 1
                15 up   abcdef_hij__ SF seg 9 bytes 9 early 2 again 4 of 8 before 9 behind 10 starts 1 gap 6..<7 cut\
                 10..<12
                15 down  S missing 9
                16 up   _____f__i S seg 2 bytes 2 early 2 gap 0..<5 gap 6..<8
                16 down ___defghijk S seg 2 bytes 8 early 2 missing 1 gap 0..<3
                17 up   _bc_______klm S seg 2 bytes 5 early 2 gap 0..<1 gap 5..<10 cut 3..<5
                17 down abcde S seg 3 bytes 5 early 1 again 1 of 3 missing 7 starts 1
                18 up   abcdef_hi_k R seg 7 bytes 9 early 2 again 3 of 11 alive 1 unlike 5 before 3 gap 9..<10 cut 6\
                ..<7
                18 down  R
                19 up   abCDE_ghijkl SF seg 4 bytes 11 early 3 again 1 of 4 starts 1 gap 5..<6
                19 down  S missing 7
                20 up   a  seg 1 bytes 1
                20 down a_cde F seg 3 bytes 4 early 2 again 1 of 1 gap 1..<2
                21 up   abc_efgh R seg 6 bytes 7 early 2 again 3 of 6 alive 1 unlike 1 missing 1 starts 1 cut 3..<4
                21 down defg  seg 2 bytes 4 again 1 of 2 starts 1
                22 up   _____fg SF seg 3 bytes 2 early 1 again 2 of 4 late 5 behind 9 missing 6 starts 1 gap 0..<5
                22 down Abcd__ghijkl SFR seg 4 bytes 10 early 3 again 2 of 4 gap 4..<6 conflict 1..<2
                23 up   abc_efgh S seg 6 bytes 7 early 5 again 4 of 4 before 1 gap 3..<4 conflict 4..<5
                23 down a____fghi SF seg 3 bytes 5 early 2 again 1 of 2 gap 1..<5
                24 up   ABcD___HI SR seg 4 bytes 6 early 2 again 2 of 3 missing 3 gap 4..<7 conflict 2..<3 conflict \
                1..<2
                24 down ghi S seg 3 bytes 3 again 1 of 1 before 7 starts 1 conflict 0..<1
                25 up   __cdefgh S seg 2 bytes 6 early 2 starts 1 gap 0..<2
                25 down _______hi S seg 1 bytes 2 early 1 alive 1 gap 0..<7
                26 up   _bc___ghijklm S seg 3 bytes 9 early 3 starts 1 gap 0..<1 gap 3..<6
                26 down abcde_ SF seg 2 bytes 5 again 1 of 2 behind 1 missing 5 cut 5..<6
                27 up   abcde_gh S seg 5 bytes 7 early 4 again 3 of 6 missing 2 gap 5..<6
                27 down ______ghij SF seg 3 bytes 4 early 1 again 1 of 4 late 4 gap 0..<6
                28 up   abcdef SFR seg 3 bytes 6 early 1 before 2
                28 down bcdefHIJk SR seg 3 bytes 9 again 2 of 6 starts 2 conflict 3..<5 conflict 4..<8
                29 up   abcd_____ SF seg 3 bytes 4 again 1 of 2 behind 3 missing 1 starts 1 cut 4..<9
                29 down _____fghi___ S seg 2 bytes 4 early 2 again 1 of 1 gap 0..<5 cut 9..<12
                30 up   __cdefghij SFR seg 6 bytes 8 early 4 again 4 of 11 behind 2 gap 0..<2
                30 down ____efghi SR seg 3 bytes 5 early 2 late 1 starts 1 gap 0..<4
                31 up   abcdefghi_ SF seg 6 bytes 9 early 2 again 3 of 6 unlike 2 before 1 behind 9 cut 9..<10
                31 down ____efg SR seg 1 bytes 3 early 1 missing 6 gap 0..<4
                32 up   __cde_ghijkl SR seg 5 bytes 9 early 2 again 2 of 3 unlike 3 late 2 gap 0..<2 gap 5..<6
                32 down ____e____ SR seg 2 bytes 1 early 1 again 1 of 2 unlike 1 late 1 missing 4 gap 0..<4 cut 5..<\
                9
                33 up    F seg 1 before 2
                33 down ____ S seg 1 before 1 cut 0..<4
                34 up   aBCDefghi SR seg 7 bytes 9 early 4 again 4 of 13 before 2 conflict 1..<4 conflict 2..<4 conf\
                lict 1..<2
                34 down ____efg SF seg 2 bytes 3 early 2 again 1 of 2 alive 1 gap 0..<4
                35 up   fgh_jk__  seg 4 bytes 5 early 1 again 1 of 1 before 1 gap 3..<4 cut 6..<8
                35 down zabcd R seg 2 bytes 5 again 1 of 2 missing 5 starts 1
                36 up   ______ghijk SR seg 1 bytes 5 early 1 gap 0..<6
                36 down _bcdefg S seg 2 bytes 6 early 2 again 1 of 2 missing 1 starts 1 gap 0..<1
                37 up   abcdefg SFR seg 7 bytes 7 again 4 of 9 before 1 behind 3 starts 1
                37 down _____ S seg 1 early 1 missing 7 gap 0..<3 cut 3..<5
                38 up   A____ S seg 2 bytes 1 again 1 of 1 starts 1 cut 1..<5
                38 down b____ S seg 1 bytes 1 starts 1 cut 1..<5
                39 up   abcdefghijk SFR seg 7 bytes 11 early 1 again 5 of 13 before 3 behind 15 starts 1
                39 down _b___fghi S seg 2 bytes 5 early 2 gap 0..<1 gap 2..<5
                40 up   abcdefg_ij FR seg 8 bytes 9 early 1 again 5 of 11 before 2 behind 7 starts 2 gap 7..<8
                40 down a R seg 1 bytes 1 missing 11
                41 up   ABCDef____ R seg 5 bytes 6 early 1 again 3 of 7 starts 1 cut 6..<10 conflict 0..<2 conflict \
                1..<4
                41 down hijk  seg 1 bytes 4
                42 up   ABCD S seg 1 bytes 4 starts 1
                42 down abcdeg S seg 2 bytes 6 again 1 of 2 missing 3 starts 1 conflict 3..<5
                43 up   abcdeFGHIJ SR seg 4 bytes 10 early 2 again 3 of 6 before 1 starts 1 conflict 5..<7 conflict \
                5..<7
                43 down _bcd_fghi S seg 3 bytes 7 early 3 again 1 of 1 gap 0..<1 gap 4..<5
                44 up   __cde____j SFR seg 4 bytes 4 early 4 again 2 of 7 behind 13 starts 1 gap 0..<2 cut 5..<9
                44 down _bCDEF S seg 2 bytes 5 early 2 again 1 of 3 gap 0..<1 conflict 2..<5
                45 up   abcdeFGH S seg 8 bytes 8 early 1 again 5 of 8 conflict 5..<6
                45 down ___________ SR seg 3 early 1 late 8 missing 1 gap 0..<10 cut 10..<11
                46 up   _____FGHIJ S seg 2 bytes 5 early 1 before 2 starts 1 gap 0..<5
                46 down  S seg 1 before 3 missing 12
                47 up   _b__efghij S seg 5 bytes 7 early 2 again 2 of 8 before 1 gap 0..<1 gap 2..<4 conflict 5..<10
                47 down  S missing 9 starts 1
                48 up   bcdEFGHIJ SR seg 5 bytes 9 again 3 of 10 conflict 1..<3 conflict 0..<5 conflict 6..<9
                48 down cdefg__  seg 3 bytes 5 again 2 of 6 missing 4 cut 5..<7
                49 up   cdefgh FR seg 4 bytes 6 again 3 of 6 before 2 behind 1
                49 down bcde  seg 2 bytes 4 early 1 again 1 of 1 missing 7 starts 1
                50 up   abcdefgh__ SR seg 7 bytes 8 early 2 again 3 of 5 unlike 1 before 3 starts 1 cut 8..<10
                50 down _____fghi S seg 1 bytes 4 early 1 gap 0..<5
                51 up   __cdefghijk SR seg 5 bytes 9 early 5 again 4 of 9 gap 0..<2
                51 down  SF seg 1 before 2 missing 8
                52 up   _bcd S seg 1 bytes 3 early 1 missing 9 starts 1 gap 0..<1
                52 down  SR missing 4
                53 up   _BCD_fg___kl SR seg 3 bytes 7 early 3 gap 0..<1 gap 4..<5 gap 7..<10
                53 down a S seg 1 bytes 1 missing 11
                54 up   _b____g SF seg 3 bytes 2 early 3 again 1 of 2 gap 0..<1 cut 2..<6
                54 down ___defgh S seg 2 bytes 5 early 2 again 1 of 2 missing 4 gap 0..<3
                55 up   _bcdef_hijkl SR seg 4 bytes 10 early 4 again 1 of 3 gap 0..<1 gap 6..<7
                55 down  S missing 6
                56 up   ___d___ SF seg 3 bytes 1 early 2 again 2 of 4 unlike 1 behind 1 missing 1 starts 1 gap 0..<3\
                 cut 4..<7
                56 down __cde__hijk S seg 2 bytes 7 early 2 missing 2 gap 0..<2 gap 5..<7
                57 up   de SF seg 4 bytes 2 again 3 of 5 before 4 missing 6 conflict 0..<2
                57 down efg  seg 1 bytes 3 starts 1
                58 up   abc_ S seg 2 bytes 3 again 1 of 3 missing 9 cut 3..<4 conflict 0..<1
                58 down ab___fgh S seg 4 bytes 5 early 3 again 2 of 3 gap 2..<5
                59 up   __cdefGHIJ SR seg 5 bytes 8 early 5 again 3 of 8 starts 1 gap 0..<2 conflict 5..<6 conflict \
                4..<5
                59 down ___d S seg 1 bytes 1 early 1 missing 1 gap 0..<3
                60 up   ________ijk SR seg 2 bytes 3 early 2 again 1 of 1 gap 0..<6 cut 6..<8
                60 down abcdef SR seg 2 bytes 6 again 1 of 1 missing 5 starts 1
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Conversations come to this if the last bytes win")
    func last() {
        #expect(
            Self.lines(61...110) { ($0.patience, $0.overlap, $0.startPatience) = (1, .last, 2) }
                == """
                61 up   bc_efgh  seg 2 bytes 6 early 1 gap 2..<3
                61 down cdEF  seg 2 bytes 4 early 1
                62 up   defg___kl SR seg 7 bytes 6 early 1 again 4 of 9 before 1 cut 4..<7 conflict 1..<3 conflict 0\
                ..<1 conflict 3..<4
                62 down de__hijkl  seg 2 bytes 7 early 1 gap 2..<4
                63 up   abcde_g SF seg 4 bytes 6 early 2 again 1 of 1 behind 2 missing 5 starts 1 gap 5..<6
                63 down _b S seg 1 bytes 1 early 1 missing 6 gap 0..<1
                64 up   ___defghijk SR seg 2 bytes 8 early 2 again 1 of 1 gap 0..<3
                64 down _______hij S seg 1 bytes 3 early 1 alive 1 gap 0..<7
                65 up   ____ijkl SFR seg 7 bytes 4 again 2 of 4 before 9 cut 0..<4
                65 down BC R seg 1 bytes 2
                66 up   bcdefgHIJ F seg 6 bytes 9 again 4 of 10 conflict 5..<6 conflict 4..<5
                66 down cdefgHIJK  seg 2 bytes 9
                67 up   abcdefghi SRW seg 5 bytes 9 early 2 again 3 of 10
                67 down _______hij SR seg 3 bytes 3 early 1 again 1 of 1 late 7 gap 0..<7
                68 up   cdefgh  seg 6 bytes 6 early 1 again 4 of 11 before 3 starts 1 conflict 1..<4 conflict 0..<1
                68 down cdef_____  seg 4 bytes 4 again 1 of 2 before 3 cut 4..<9
                69 up   fghjk S seg 3 bytes 5 again 2 of 6 conflict 0..<3
                69 down fghi  seg 1 bytes 4
                70 up   abc___g S seg 3 bytes 4 early 2 gap 4..<6 cut 3..<4
                70 down _____fghi S seg 1 bytes 4 early 1 gap 0..<5
                71 up   ___dE_ghi SR seg 3 bytes 5 early 3 missing 4 gap 0..<3 gap 5..<6
                71 down ___d____IJ S seg 2 bytes 3 early 2 missing 1 gap 0..<3 gap 4..<8
                72 up   AbcdefghIJ SF seg 9 bytes 10 again 7 of 13 behind 15 conflict 8..<9 conflict 0..<1
                72 down  S missing 9 starts 1
                73 up   ab SF seg 2 bytes 2 again 1 of 1 before 3 missing 3 starts 2
                73 down __c__fg___ SF seg 2 bytes 3 early 2 behind 5 gap 0..<2 gap 3..<5 cut 7..<10
                74 up   cdef F seg 2 bytes 4 behind 2
                74 down _____  seg 1 missing 1 cut 0..<5
                75 up   _bcdef SF seg 3 bytes 5 early 3 again 1 of 3 gap 0..<1
                75 down ______ghi SF seg 2 bytes 3 early 2 again 1 of 1 gap 0..<5 cut 5..<6
                76 up   _b__efghijk SR seg 5 bytes 8 early 2 again 3 of 6 late 2 missing 2 starts 2 gap 0..<1 gap 2.\
                .<4
                76 down _FG__jklmn S seg 2 bytes 7 early 2 starts 3 gap 0..<1 gap 3..<5
                77 up   _BCD_fghij S seg 4 bytes 8 early 4 again 2 of 5 starts 1 gap 0..<1 gap 4..<5
                77 down ____efghi SF seg 2 bytes 5 early 2 again 1 of 2 behind 3 gap 0..<4
                78 up   abcd___hijkl SFR seg 5 bytes 9 early 1 again 2 of 3 late 1 starts 1 gap 4..<7
                78 down __cdefghijkl SR seg 2 bytes 10 early 2 starts 1 gap 0..<2
                79 up   ab_____hi___ SR seg 3 bytes 4 early 1 again 1 of 2 starts 2 gap 2..<7 cut 9..<12 conflict 0.\
                .<2
                79 down cdffg S seg 3 bytes 5 again 1 of 1 before 1 missing 3 starts 2 conflict 2..<3
                80 up   abcDEfg___klmno SFR seg 8 bytes 12 early 2 again 5 of 10 gap 7..<10 conflict 1..<3 conflict \
                4..<6 conflict 2..<3 conflict 4..<5 conflict 2..<3
                80 down _______hij S seg 2 bytes 3 early 1 again 1 of 2 late 2 missing 3 gap 0..<7
                81 up   ___defgh SF seg 2 bytes 5 early 2 gap 0..<3
                81 down  S missing 1
                82 up   ijklm SFR seg 5 bytes 5 again 1 of 4 before 13 behind 5 conflict 0..<4
                82 down fGHijk  seg 5 bytes 6 again 3 of 4 before 2 missing 1 conflict 1..<3
                83 up   hijK SR seg 6 bytes 4 again 3 of 5 before 7 conflict 0..<1 conflict 0..<3
                83 down abcd_f  seg 2 bytes 5 early 1 gap 4..<5
                84 up   ab_____hijkl SFR seg 7 bytes 7 early 3 again 5 of 12 behind 17 gap 2..<3 cut 3..<7
                84 down a__d_________ S seg 4 bytes 2 early 3 again 1 of 3 gap 1..<3 gap 4..<8 cut 8..<13
                85 up   __cdefghijk SF seg 8 bytes 9 early 8 again 6 of 16 behind 3 gap 0..<2
                85 down __cd S seg 1 bytes 2 early 1 missing 6 gap 0..<2
                86 up   ________ SF seg 4 early 1 again 1 of 1 late 1 missing 4 starts 1 gap 4..<7 cut 0..<4 cut 7..\
                <8
                86 down __cdefghi SFR seg 5 bytes 7 early 1 again 3 of 8 late 3 before 3 behind 4 gap 0..<2
                87 up   _bcde_ghijk SFR seg 5 bytes 9 early 3 again 3 of 4 late 1 before 2 behind 5 starts 1 gap 0..\
                <1 gap 5..<6 conflict 2..<3 conflict 2..<3
                87 down _b____ghijk SF seg 4 bytes 6 early 4 again 2 of 2 behind 7 gap 0..<1 gap 2..<6
                88 up   cde FR seg 2 bytes 3 again 1 of 3 before 2
                88 down bcde FR seg 2 bytes 4 again 1 of 3 before 1
                89 up   a____fghi S seg 3 bytes 5 early 1 again 1 of 5 alive 1 starts 1 cut 1..<5
                89 down _bcdefgh SFR seg 4 bytes 7 early 4 again 3 of 4 behind 5 gap 0..<1
                90 up   _bcdefg__ SFR seg 8 bytes 6 early 7 again 6 of 14 before 1 behind 3 missing 3 gap 0..<1 cut \
                7..<9
                90 down abcefg S seg 3 bytes 6 before 4 starts 1
                91 up   ___DEFghi_kl SFR seg 4 bytes 8 early 4 again 2 of 3 behind 2 gap 0..<3 gap 9..<10 conflict 4\
                ..<6
                91 down _________jklm S seg 1 bytes 4 early 1 gap 0..<9
                92 up   ABCDEF SR seg 3 bytes 6 early 2 again 2 of 3 before 1 conflict 4..<5
                92 down __cd_f_HIJKL SF seg 6 bytes 8 early 1 again 3 of 6 before 2 behind 12 missing 1 gap 6..<7 cu\
                t 0..<2 cut 4..<5
                93 up   abcdefghi SF seg 4 bytes 9 early 3 again 3 of 4 before 2 starts 1
                93 down ______ghijk SFR seg 2 bytes 5 early 1 again 1 of 2 missing 1 gap 0..<6
                94 up   ab__efg SF seg 2 bytes 5 early 1 behind 3 missing 2 gap 2..<4
                94 down ___defgh S seg 2 bytes 5 early 2 again 1 of 4 gap 0..<3
                95 up   ABcdefgh SFR seg 6 bytes 8 early 2 again 4 of 7 before 1 behind 1 conflict 0..<3 conflict 2.\
                .<3
                95 down _________jklmn S seg 1 bytes 5 early 1 gap 0..<9
                96 up   _____f SFR seg 3 bytes 1 early 1 late 3 starts 1 gap 0..<5
                96 down _______hijkl SFR seg 1 bytes 5 early 1 behind 5 gap 0..<7
                97 up   bcd______kl  seg 4 bytes 5 early 1 again 2 of 2 missing 1 starts 1 gap 3..<5 cut 5..<9
                97 down bcdefghij FR seg 3 bytes 9 again 2 of 3 behind 1 missing 2
                98 up   abcdefghijk SFR seg 5 bytes 11 early 4 again 3 of 7 before 1 starts 1
                98 down hi S seg 4 bytes 2 before 9 missing 2 starts 1
                99 up   z______ghij F seg 2 bytes 5 early 1 behind 4 gap 1..<7
                99 down  R
                100 up   zab_____H  seg 2 bytes 4 gap 3..<8
                100 down  S missing 3
                101 up   _______hijkl S seg 1 bytes 5 early 1 gap 0..<7
                101 down ______g S seg 1 bytes 1 early 1 starts 1 gap 0..<6
                102 up   cdefghijkl FR seg 5 bytes 10 early 1 again 3 of 8 before 3 behind 6
                102 down d_fg  seg 2 bytes 3 gap 1..<2
                103 up   efghi_  seg 5 bytes 5 again 3 of 11 before 4 starts 1 cut 5..<6
                103 down abcdefg F seg 2 bytes 7 again 1 of 1 missing 5
                104 up   cdef F seg 3 bytes 4 again 2 of 3 before 1 starts 1
                104 down \u{20}
                105 up   _bcdef S seg 3 bytes 5 early 3 again 2 of 2 gap 0..<1
                105 down _b S seg 1 bytes 1 early 1 missing 10 gap 0..<1
                106 up   hi SF seg 3 bytes 2 before 5 behind 6 starts 1
                106 down xyz  seg 1 bytes 3 starts 1
                107 up   ghijk___ FR seg 4 bytes 5 again 1 of 1 before 4 behind 8 starts 2 cut 5..<8
                107 down \u{20}
                108 up   __cdefghi S seg 5 bytes 7 early 1 again 3 of 5 late 1 starts 2 gap 0..<2 conflict 4..<7 con\
                flict 4..<6
                108 down a_____ghijk SF seg 2 bytes 6 early 1 behind 5 gap 1..<6
                109 up   __CDEFg SFR seg 4 bytes 5 early 1 again 3 of 9 late 3 behind 3 missing 4 gap 0..<2 conflict\
                 2..<6
                109 down _b__efghij SF seg 5 bytes 7 early 2 again 2 of 3 late 2 behind 8 missing 1 gap 0..<1 gap 2.\
                .<4
                110 up   __cdefghijklmn S seg 4 bytes 12 early 4 again 2 of 4 gap 0..<2
                110 down _bcdef S seg 1 bytes 5 early 1 missing 4 gap 0..<1
                """.split(separator: "\n").map(String.init)
        )
    }
}
