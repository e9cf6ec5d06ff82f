import Support
import Testing
import WeirWire

@Suite("Fragments in any order, whole")
struct FragmentOrderTests {
    @Test("Fragments of two datagrams in any order come to this, in room for two and a few bytes")
    func any() {
        var generator = SeededGenerator(seed: 23)
        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
        var lines: [String] = []
        for number in 0..<60 {
            var fragments = Fragments(limits: .init(datagrams: 2, bytes: 400))
            var text = ""
            for _ in 0..<(3 + below(6)) {
                let (offset, id) = (8 * below(4), below(5) == 0 ? 1 + below(4) : 1)
                let hasMore = offset < 16 ? below(8) > 0 : below(3) == 0
                let count = below(6) == 0 ? below(20) : 8
                let bytes = (0..<count).map { UInt8(97 + (offset + $0) % 26) - (below(20) == 0 ? 32 : 0) }
                text += " \(id):\(offset)+\(count)\(hasMore ? "" : ".")"
                if let whole = fragments.insert(bytes, at: offset, hasMore: hasMore, id: UInt32(id)) {
                    text += "=\(String(decoding: whole, as: UTF8.self))"
                }
            }
            let counters = fragments.reassembler.counters
            text +=
                " \(counters.fragments) \(counters.datagrams) \(counters.overlapping) \(counters.conflicting) \(counters.overlong)"
            text +=
                " \(counters.evicted) \(counters.refused) \(fragments.reassembler.waitingDatagrams) \(fragments.reassembler.waitingBytes)"
            lines.append("\(number)\(text)")
        }
        #expect(
            lines
                == """
                0 4:16+8. 1:8+8 1:0+8 1:16+8.=abcdefghijklMnopqrstuvwx 1:24+8 3:0+8 1:16+8. 1:16+8. 8 1 0 0 0 1 0 2 \
                288
                1 1:24+8 1:16+8. 1:24+8 3 0 0 0 0 0 0 1 216
                2 2:16+8 1:0+8 3:8+8 1:24+8. 4 0 0 0 0 1 0 2 216
                3 1:16+8 3:8+8 1:24+8. 1:16+8. 4 0 0 0 0 0 0 2 288
                4 1:0+8.=abcdefgh 2:8+8 1:8+8 3 1 0 0 0 0 0 2 144
                5 1:24+8 2:24+1 1:0+8 1:24+8. 1:0+8 1:8+8 6 0 0 0 0 1 0 1 360
                6 1:16+7. 1:0+2 3:8+8 1:8+8 1:16+8. 1:24+8. 6 0 0 0 0 1 0 1 353
                7 1:0+7 1:8+8. 1:0+8=abcdefghijkLmnop 1:8+8 1:16+8. 1:8+8 6 1 1 0 0 0 0 1 216
                8 1:24+1 1:16+8. 1:8+18. 1:16+8. 4:0+8 1:16+8 1:8+8 6 0 0 0 0 1 1 1 363
                9 1:0+8 1:8+8 1:16+8.=abcdefghijklmnopqrstuvwX 3 1 0 0 0 0 0 0 0
                10 1:8+8 3:24+8. 4:24+15. 1:24+6 1:24+8 1:0+8 1:24+8. 4:16+8 8 0 0 0 0 3 0 1 151
                11 1:24+8. 1:0+8 1:8+8 3:16+8. 1:0+8. 5 0 0 0 0 0 0 2 360
                12 1:8+8 1:0+11.=abcdeFghijk 1:8+8 1:24+8 1:8+8 1:16+6 6 1 1 0 1 0 0 1 286
                13 1:0+8 1:24+8 1:24+8. 1:0+8 4:8+8 1:0+8. 6 0 0 0 0 1 0 1 360
                14 3:24+8. 1:16+8 1:24+7. 1:24+6 1:8+8 2:8+8. 1:0+19=aBcdefghijklmnopqrstuvwxyzabcde 7 1 1 0 0 2 0 0\
                 0
                15 1:16+8 4:0+8 1:0+8 1:24+4 4 0 0 0 0 0 0 2 284
                16 1:16+8. 1:16+0. 1:0+13 4:8+8 4:24+8. 1:0+8 5 0 0 0 0 0 0 2 365
                17 1:24+8. 1:0+8 1:8+7. 1:16+8. 1:24+8. 2:8+8 6 0 0 0 0 1 0 1 72
                18 1:8+8 2:16+8 4:0+8 3 0 0 0 0 1 0 2 144
                19 1:8+8 3:16+8 1:24+11. 1:8+8 4 0 0 0 0 0 0 2 291
                20 1:16+12. 1:16+8 1:16+8 1:16+8. 4 0 0 0 0 0 0 1 292
                21 1:8+8. 4:8+8 1:8+8 1:0+10.=abcdefghijklmnop 1:0+8 1:16+8. 1:0+8 1:24+3 8 1 1 1 1 0 0 2 355
                22 1:0+8 1:24+8. 1:24+17. 1:8+8 1:8+8 5 0 0 0 0 0 0 1 369
                23 4:16+8. 1:0+8 1:8+8 1:16+12 1:16+8.=abcDefghijklmnopqrstuvwx 1:16+8. 6 1 1 0 1 0 0 2 144
                24 1:8+8 1:0+6 1:8+8 1:0+8 1:8+8 1:8+15 2:0+8 1:16+8. 7 0 0 0 0 1 1 2 144
                25 4:24+8. 1:0+8 1:16+8. 3:24+8. 1:8+8=aBcdefghIjklmnopqrstuvwx 4:24+8. 1:8+1 7 1 0 0 0 2 0 2 137
                26 1:24+8 1:0+8 1:24+8. 1:0+8 1:0+8 5 0 0 0 0 0 0 1 360
                27 4:0+8 1:24+8 1:0+19 1:24+8. 1:0+9 1:24+8 1:8+15 6 0 0 0 0 1 1 1 372
                28 1:16+8. 1:24+8 1:0+8 1:24+2 1:8+8=abcdefghijklmnopqrstuvwx 1:0+8.=abcdefgh 2:16+8. 1:24+8 8 2 1 0\
                 1 0 0 2 144
                29 1:24+8 1:8+8 1:0+8 1:24+8. 4:16+8 1:0+8 1:24+8. 6 0 0 0 0 1 1 1 360
                30 2:0+8 3:8+8 2:16+8. 1:24+15. 1:16+8 1:24+18. 6 0 0 0 0 1 0 2 305
                31 1:16+8. 1:0+8 1:0+8 1:16+8. 1:8+8.=abcdefghijklmnopqrstuvwx 5 1 1 0 1 0 0 0 0
                32 1:0+8 1:16+8 1:24+8. 3 0 0 0 0 0 0 1 216
                33 1:24+8 1:24+11. 1:8+8 1:0+8 1:16+8=abcdefghijklmNopqrstuvwxyzabcdefghi 1:8+8 1:16+0. 1:24+14. 7 1\
                 1 0 0 0 0 1 150
                34 1:0+8 1:24+8 3:24+8. 3 0 0 0 0 0 0 2 216
                35 1:0+8 1:16+8 1:8+8 1:16+8.=abcdefghijklmnopqrstuvwx 2:8+8 1:0+8.=abcdefgh 1:8+8 1:8+8 8 2 1 1 0 0\
                 0 2 216
                36 1:8+8 4:24+8. 1:0+8.=abcdefgh 1:16+8 1:0+8 5 1 0 0 1 0 0 2 216
                37 1:8+8 2:0+8 4:16+8. 1:24+8. 1:0+8. 1:0+8 4:16+8. 7 0 0 0 0 2 0 2 360
                38 1:0+5 1:8+8 2:24+16. 4:0+8.=abcdefgh 4 1 0 0 0 1 0 1 80
                39 1:24+8 1:8+8 1:24+8. 1:16+8. 1:24+6 1:0+8 1:0+13 1:24+8 5 0 0 0 0 0 3 1 358
                40 4:16+8. 1:0+8 1:0+8 1:24+8. 4:24+4. 5 0 0 0 0 0 0 2 356
                41 1:8+8 1:0+8 3:8+8 1:24+8. 1:0+8 1:8+8 1:0+8 1:8+8 6 0 0 0 0 1 2 1 360
                42 1:8+8. 1:8+8 1:16+8 4:24+8 2:16+8. 1:8+8 1:8+8 2:0+8 8 0 0 0 0 2 0 2 288
                43 1:16+8. 1:8+8 1:8+8. 4:16+8 1:0+8=abcdefghiJklmnopqRsTUvwx 1:16+8. 1:8+8 7 1 1 1 1 0 0 2 216
                44 1:16+8. 1:0+8 1:0+8 1:24+8. 1:24+8. 1:0+8 1:8+8 1:24+16 5 0 0 0 0 0 3 1 360
                45 1:8+8 1:16+8. 1:8+8 1:24+8. 1:24+8. 5 0 0 0 0 0 0 1 360
                46 1:24+8 1:16+8. 1:0+8 3 0 0 0 0 0 0 1 216
                47 1:0+6 1:24+8. 1:16+8 1:0+8 1:0+8 1:16+8. 1:0+8 1:16+8. 5 0 0 0 0 0 3 1 358
                48 1:0+8 1:0+8 1:8+8 1:0+8 4:0+8 5 0 0 0 0 0 0 2 360
                49 1:16+8. 1:16+8. 1:0+8. 1:24+8. 1:16+8 5 0 0 0 0 0 0 1 360
                50 1:16+8. 1:16+8 1:16+7. 3 0 0 0 0 0 0 1 215
                51 3:8+8 1:16+8. 1:0+8 3 0 0 0 0 0 0 2 216
                52 1:24+8. 1:8+8 1:8+8 1:24+8. 4 0 0 0 0 0 0 1 288
                53 2:0+8 1:16+8. 1:8+8 1:0+8.=abcdefghijklmnopqrstuvwx 4 1 0 0 1 0 0 1 72
                54 1:0+8 1:8+8 1:16+8.=abcdEfghijklmnopqrstuvwx 1:16+8. 1:8+8. 5 1 0 0 0 0 0 1 144
                55 1:16+8. 1:16+8. 1:8+8 1:0+8=abcdefghijklmnopqrstuVwx 1:16+8 1:0+4 1:0+8 7 1 1 1 0 0 0 1 212
                56 1:0+8 1:0+8 1:0+8 3 0 0 0 0 0 0 1 216
                57 1:0+8.=abcdefgh 1:24+8. 1:8+8 1:16+8. 1:8+8 4:24+8. 1:8+8 7 1 0 0 0 1 0 1 360
                58 1:8+8 1:8+8 1:16+8. 3 0 0 0 0 0 0 1 216
                59 1:24+8. 1:24+17. 1:16+8 1:24+8. 4 0 0 0 0 0 0 1 297
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Is refused where it does not fit at all, at exactly the limit", arguments: [(72, true), (71, false)])
    func limit(bytes: Int, fits: Bool) {
        var fragments = Fragments(limits: .init(datagrams: 1, bytes: bytes))
        _ = fragments.insert([UInt8](repeating: 1, count: 8), at: 0)
        let counters = fragments.reassembler.counters
        #expect(counters.fragments == (fits ? 1 : 0) && counters.refused == (fits ? 0 : 1))
        #expect(fragments.reassembler.waitingBytes == (fits ? 72 : 0))
    }

    @Test("Takes 8,192 fragments of a datagram, and no more")
    func most() {
        var fragments = Fragments()
        for _ in 0..<8193 { _ = fragments.insert([1, 2, 3, 4, 5, 6, 7, 8], at: 8) }
        #expect(fragments.reassembler.counters.fragments == 8192 && fragments.reassembler.counters.refused == 1)
        _ = fragments.insert([1, 2, 3, 4, 5, 6, 7, 8], at: 8, id: 2)
        #expect(fragments.reassembler.counters.fragments == 8193)
    }
}
