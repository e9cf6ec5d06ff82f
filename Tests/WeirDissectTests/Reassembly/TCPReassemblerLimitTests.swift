import Support
import Testing
import WeirDissect
import WeirWire

@Suite("Limits of TCP reassembly")
struct TCPReassemblerLimitTests {
    @Test("A flow that keeps too much gives up its gap, and says that it was for the limit")
    func flowLimit() {
        let result = reassemble(
            [.up(99, "", .syn)] + (1...50).map { .up(100 + $0 * 100, String(repeating: "x", count: 100)) }
        ) {
            $0.flowLimit = 2000
        }
        #expect(result.up.gapsOfLimit == 1)
        #expect(result.up.gaps.ranges == [0..<100])
        #expect(result.up.bytes == 5000)
    }

    @Test("With the last bytes winning, the oldest bytes are given when a flow keeps too much")
    func flowLimitLast() {
        let text = String(repeating: "x", count: 100)
        let result = reassemble([.up(99, "", .syn)] + (0..<50).map { .up(100 + $0 * 100, text) } + [.up(100, "y")]) {
            $0.overlap = .last
            $0.flowLimit = 2000
        }
        #expect(result.streams.upText == String(repeating: text, count: 50))
        #expect(result.up.gapsOfLimit == 0)
        #expect(result.up.uncompared == 1)
        #expect(!result.up.isWhole)
    }

    @Test("What is kept for all flows is bounded: the flow that was idle for the longest makes room")
    func totalLimit() {
        var settings = ReassemblySettings()
        settings.totalLimit = 10_000
        settings.window = 0
        var reassembler = TCPReassembler(settings)
        var given: [Int: Int] = [:]
        let text = String(repeating: "x", count: 904)
        for flow in 0..<100 {
            Segment.up(99, "", .syn).add(to: &reassembler, flow: flow) { _, _ in }
            Segment.up(101, text).add(to: &reassembler, flow: flow) { piece, _ in
                if piece.content == .bytes { given[piece.flow, default: 0] += piece.count }
            }
            let memory = reassembler.memory
            #expect(memory <= 10_000)
        }
        #expect(given.keys.sorted() == Array(0..<90))
        let first = reassembler.report(flow: 0, .upstream)
        #expect(first.gapsOfLimit == 1)
        reassembler.finish { piece, _ in if piece.content == .bytes { given[piece.flow, default: 0] += piece.count } }
        #expect(given.count == 100)
        #expect(given.values.allSatisfy { $0 == 904 })
        let (last, memory) = (reassembler.report(flow: 99, .upstream), reassembler.memory)
        #expect(last.gapsOfLimit == 0)
        #expect(memory == 0)
    }

    @Test("Bytes that are no longer kept are not compared, and that is reported")
    func window() {
        let text = String(repeating: "x", count: 100)
        let other = String(repeating: "y", count: 100)
        let segments: [Segment] = [.up(99, "", .syn), .up(100, text), .up(200, text), .up(150, other)]
        let kept = reassemble(segments) { $0.window = 120 }
        #expect(kept.up.conflicts.ranges == [80..<150])
        #expect(kept.up.uncompared == 30)
        let short = reassemble(segments) { $0.window = 100 }
        #expect(short.up.conflicts.ranges == [100..<150])
        #expect(short.up.uncompared == 50)
        let none = reassemble(segments) { $0.window = 0 }
        #expect(none.up.conflicts.isEmpty)
        #expect(none.up.uncompared == 100)
    }

    @Test("Of many ranges the first are kept and all are counted")
    func manyRanges() {
        let result = reassemble([.up(99, "", .syn)] + (0..<1000).map { .up(101 + $0 * 2, "x") })
        #expect(result.up.gaps.ranges.count == OffsetRanges.limit)
        #expect((result.up.gaps.count, result.up.gaps.bytes) == (1000, 1000))
    }

    @Test("More gaps than are kept are given up")
    func manyGaps() {
        let result = reassemble([.up(99, "", .syn)] + (0..<10_000).map { .up(101 + $0 * 2, "x") }) {
            $0.flowLimit = .max
        }
        #expect(result.up.bytes == 10_000)
        // 4,096 segments wait behind the first gap; each one more gives up one.
        #expect(result.up.gapsOfLimit == 10_000 - 4096)
    }

    @Test("Has these limits unless it is told others")
    func defaults() {
        let settings = ReassemblySettings()
        #expect(settings.flowLimit == 4_194_304 && settings.totalLimit == 268_435_456 && settings.window == 65_536)
        #expect(settings.patience == 32 && settings.startPatience == 3 && settings.overlap == .first)
        #expect(FlowTable.defaultLimit == 4_194_304 && OffsetRanges.limit == 256)
    }

    @Test("Any order, cut and repetition of segments gives the bytes that were sent", arguments: OverlapPolicy.allCases)
    func anyOrder(_ policy: OverlapPolicy) {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            let sent = (0..<Int.random(in: 1...3000, using: &generator)).map { _ in
                UInt8.random(in: 97...122, using: &generator)
            }
            let first = UInt32.random(in: .min ... .max, using: &generator)
            var segments: [Segment] = []
            var start = 0
            while start < sent.count {
                let end = min(start + Int.random(in: 1...200, using: &generator), sent.count)
                let back = Int.random(in: 0...min(start, 40), using: &generator)
                let text = String(decoding: sent[(start - back)..<end], as: UTF8.self)
                segments.append(.up(first &+ UInt32(start - back), text))
                if Int.random(in: 0..<5, using: &generator) == 0, let any = segments.randomElement(using: &generator) {
                    segments.append(any)
                }
                start = end
            }
            for index in segments.indices.dropFirst() where Int.random(in: 0..<3, using: &generator) == 0 {
                segments.swapAt(index, Int.random(in: 0...index, using: &generator))
            }
            let result = reassemble([.up(first &- 1, "", .syn)] + segments) { $0.overlap = policy }
            #expect(result.streams.up == sent)
            #expect(result.up.isWhole)
            #expect(result.up.bytes == sent.count)
        }
    }
}
