import Testing

@testable import weir_bench

@Suite("The content of a soak's streams")
struct FramesTests {
    /// Copies a stream's first bytes, in pieces.
    private func stream(_ seed: UInt64, _ count: Int, pieces: Int = 10_000) -> [UInt8] {
        let frames = Frames(seed: seed, length: UInt64(count))
        var bytes: [UInt8] = []
        while bytes.count < count {
            let wanted = min(pieces, count - bytes.count)
            frames.withBytes(from: UInt64(bytes.count)) { bytes += $0.prefix(wanted) }
        }
        return bytes
    }

    @Test("Is the same for a seed however it is cut, and another one for another seed")
    func isDeterministic() {
        let whole = stream(1, 200_000)
        #expect(stream(1, 200_000, pieces: 70_000) == whole)
        #expect(stream(1, 200_000, pieces: 333) == whole)
        #expect(stream(2, 200_000) != whole)
        #expect(stream(1, 100) == Array(whole[..<100]))
    }

    @Test("A whole frame checks itself, and no other and no changed one")
    func wholeFrames() {
        var bytes = stream(3, 2 * Frames.size)
        func isWhole(_ number: UInt64, at offset: Int) -> Bool {
            bytes.withUnsafeBytes {
                Frames.isWhole(UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + Frames.size)]), number: number)
            }
        }
        #expect(isWhole(0, at: 0) && isWhole(1, at: Frames.size))
        #expect(!isWhole(1, at: 0) && !isWhole(0, at: Frames.size))
        for index in [0, 8, 40_000, Frames.size - 9, Frames.size - 1] {
            bytes[index] ^= 0x10
            #expect(!isWhole(0, at: 0))
            bytes[index] ^= 0x10
        }
        #expect(isWhole(0, at: 0))
    }

    @Test("A part of a frame is compared byte for byte", arguments: [1, 9, 5000, 65_535])
    func part(count: Int) {
        var bytes = Array(stream(4, 3 * Frames.size)[(2 * Frames.size)...].prefix(count))
        func begins() -> Bool {
            bytes.withUnsafeBytes { Frames(seed: 4, length: UInt64(count)).begins(2, with: $0) }
        }
        #expect(begins())
        bytes[count - 1] ^= 1
        #expect(!begins())
    }

    @Test("A plan comes back from its bytes, and nothing else does")
    func plans() throws {
        var random = SplitMix(state: 5)
        var manners: Set<TalkPlan.Manner> = []
        for epoch in 0..<200 {
            let plan = TalkPlan(random: &random, epoch: UInt64(epoch))
            manners.insert(plan.manner)
            #expect(TalkPlan(plan.bytes) == plan)
            let length = plan.manner == .clientResets ? plan.upstream : plan.downstream
            #expect(plan.resetAfter <= length)
        }
        #expect(manners == Set(TalkPlan.Manner.allCases))
        let flow = TalkPlan(flow: 7, upstream: 1 << 40, downstream: 0, seed: 1, epoch: 2)
        #expect(TalkPlan(flow.bytes) == flow)
        var bytes = flow.bytes
        #expect(TalkPlan(bytes.dropLast()) == nil)
        bytes[0] ^= 1
        #expect(TalkPlan(bytes) == nil)
    }
}

extension TalkPlan {
    fileprivate init?(_ bytes: ArraySlice<UInt8>) { self.init(Array(bytes)) }
}
