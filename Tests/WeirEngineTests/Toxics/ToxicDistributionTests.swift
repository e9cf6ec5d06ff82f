import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("What toxics draw")
struct ToxicDistributionTests {
    private let now = ManualClock.start.instant

    /// Asks a toxic about datagrams of one byte, and says of each how many came out.
    private func counts(_ toxic: any Toxic, _ number: Int, seed: UInt64 = 1) -> [Int] {
        var toxic = toxic
        var random = SplitMix64(seed: seed)
        return (0..<number).map { _ in
            toxic.process(.chunk(Chunk(bytes: [0x55], due: now)), at: now, random: &random).chunks.count
        }
    }

    @Test("A loss of 0.3 loses 0.3 of 100,000 datagrams, whatever the correlation", arguments: [0, 0.25, 0.5, 0.75])
    func loss(correlation: Double) {
        let counts = counts(LossToxic(BurstDraw(rate: 0.3, correlation: correlation)), 100_000)
        let lost = Double(counts.count { $0 == 0 }) / 100_000
        // Four standard deviations of a share of 0.3, which the correlation widens by sqrt((1 + c) / (1 - c)).
        let deviation = (0.3 * 0.7 / 100_000 * (1 + correlation) / (1 - correlation)).squareRoot()
        #expect(abs(lost - 0.3) < 4 * deviation, "\(lost)")
    }

    @Test("Losses come in bursts of the length that the correlation says", arguments: [0, 0.5, 0.8])
    func bursts(correlation: Double) {
        let counts = counts(LossToxic(BurstDraw(rate: 0.2, correlation: correlation)), 200_000)
        var bursts: [Int] = []
        for (index, count) in counts.enumerated() where count == 0 {
            if index > 0, counts[index - 1] == 0 { bursts[bursts.count - 1] += 1 } else { bursts.append(1) }
        }
        let mean = Double(bursts.reduce(0, +)) / Double(bursts.count)
        let expected = 1 / (0.8 * (1 - correlation))
        #expect(abs(mean - expected) < 0.05 * expected, "\(mean)")
    }

    @Test("A rate of 0 and one of 1 are exact")
    func bounds() {
        #expect(counts(LossToxic(BurstDraw(rate: 0, correlation: 0.9)), 1000).allSatisfy { $0 == 1 })
        #expect(counts(LossToxic(BurstDraw(rate: 1, correlation: 0)), 1000).allSatisfy { $0 == 0 })
        #expect(
            counts(DuplicateToxic(BurstDraw(rate: 1, correlation: 0), copies: 3), 10) == Array(repeating: 4, count: 10)
        )
    }

    @Test("Duplicates come at their rate")
    func duplicates() {
        let counts = counts(DuplicateToxic(BurstDraw(rate: 0.1, correlation: 0), copies: 1), 100_000)
        #expect(abs(counts.count { $0 == 2 } - 10_000) < 400)
    }

    @Test("Jitter stays within its bounds, and is spread evenly over them")
    func jitter() {
        var toxic = LatencyToxic(latency: .milliseconds(100), jitter: .milliseconds(20))
        var random = SplitMix64(seed: 3)
        var tenths = [Int](repeating: 0, count: 10)
        for _ in 0..<100_000 {
            let chunk = Chunk(bytes: [], due: now)
            let due = toxic.process(.chunk(chunk), at: now, random: &random).chunks[0].due
            let delay = now.duration(to: due)
            #expect(delay >= .milliseconds(80) && delay < .milliseconds(120))
            tenths[min(9, Int((delay - .milliseconds(80)) / .milliseconds(4)))] += 1
        }
        #expect(tenths.allSatisfy { abs($0 - 10_000) < 400 }, "\(tenths)")
    }

    @Test("Bits are flipped at the rate, at all eight places alike", arguments: [0.001, 0.1, 0.5])
    func corruption(rate: Double) {
        var toxic = CorruptToxic(rate: rate)
        var random = SplitMix64(seed: 5)
        let count = 1 << 18
        let chunk = Chunk(bytes: [UInt8](repeating: 0, count: count), due: now)
        let verdict = toxic.process(.chunk(chunk), at: now, random: &random)
        let bytes = verdict.chunks[0].bytes
        for bit in 0..<8 {
            let flips = Double(bytes.count { $0 & 1 << UInt8(bit) != 0 })
            let deviation = (Double(count) * rate * (1 - rate)).squareRoot()
            #expect(abs(flips - Double(count) * rate) < 5 * deviation, "bit \(bit): \(flips)")
        }
        #expect(verdict.chunks[0].changes.first?.count == bytes.reduce(0) { $0 + $1.nonzeroBitCount })
    }

    @Test("Says how many bits were flipped and where the first is, and nothing if none were", arguments: 1...20)
    func flips(seed: UInt64) throws {
        var toxic = CorruptToxic(rate: 0.002)
        var random = SplitMix64(seed: seed)
        for _ in 0..<20 {
            let chunk = Chunk(bytes: [UInt8](repeating: 0, count: 100), due: now)
            let changed = toxic.process(.chunk(chunk), at: now, random: &random).chunks[0]
            let flips = changed.bytes.reduce(0) { $0 + $1.nonzeroBitCount }
            let first = changed.bytes.firstIndex { $0 != 0 }
            #expect(changed.changes == (first.map { [ToxicChange(.flipped, count: flips, offset: $0)] } ?? []))
        }
    }

    @Test("Where bits are flipped does not depend on how the stream was read")
    func corruptionOfPieces() {
        let bytes = [UInt8](repeating: 0, count: 10_000)
        func corrupted(_ size: Int) -> [UInt8] {
            var toxic = CorruptToxic(rate: 0.01)
            var random = SplitMix64(seed: 5)
            return stride(from: 0, to: bytes.count, by: size).flatMap { start in
                let chunk = Chunk(bytes: Array(bytes[start..<min(start + size, bytes.count)]), due: now)
                return toxic.process(.chunk(chunk), at: now, random: &random).chunks[0].bytes
            }
        }
        #expect(corrupted(10_000) == corrupted(7))
    }

    @Test("A toxicity of 0.3 acts on 0.3 of the flows, and each flow draws for itself")
    func toxicity() throws {
        var configuration = ToxicSamples.configuration("latency")
        configuration.toxicity = 0.3
        let acting = try (0..<10_000).count { seed in
            try ChainRun([configuration], over: .tcp, seed: UInt64(seed)).chain.stages[0].meeting == .acts
        }
        #expect(abs(acting - 3000) < 200, "\(acting)")
    }

    @Test("The pieces of a slicer have the size on average, and never one beyond its bounds")
    func slices() {
        var toxic = SlicerToxic(average: 100, variation: 40, pause: .zero)
        var random = SplitMix64(seed: 2)
        let chunk = Chunk(bytes: [UInt8](repeating: 1, count: 1 << 20), due: now)
        let sizes = toxic.process(.chunk(chunk), at: now, random: &random).chunks.map(\.bytes.count).dropLast()
        #expect(sizes.allSatisfy { (60...140).contains($0) })
        #expect(abs(Double(sizes.reduce(0, +)) / Double(sizes.count) - 100) < 2)
    }
}
