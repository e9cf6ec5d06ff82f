import Testing
import WeirEngine
import WeirWire

@testable import WeirAnalysis

@Suite("New keys of an allocator")
struct PortRekeyingTests {
    private static let period: Int64 = 10_000_000_000

    /// Counts the steps that a period of a phase begins in, as it is defined.
    private func crossings(_ steps: [(from: Int64, to: Int64)], _ phase: Int64) -> Int {
        steps.count { ($0.to - phase) / Self.period != ($0.from - phase) / Self.period }
    }

    @Test("The phase found is the first one that explains the most jumps for the least small steps", arguments: 1...5)
    func phase(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var time: Int64 = 1_700_000_000_000_000_000
        var port: UInt16 = 33_000
        let destination = Endpoint(address: .loopbackV4, port: 80)
        let (first, second) = (UInt16.random(in: 0...1, using: &random), Int64.random(in: 1...4, using: &random))
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp))
        series.add(port, to: destination, at: time)
        var (jumps, smalls): ([(from: Int64, to: Int64)], [(from: Int64, to: Int64)]) = ([], [])
        for _ in 0..<200 {
            // Some steps take longer than a period; those are no jumps that tell anything.
            let next = time + Int64.random(in: 1...(second * 4_000_000_000), using: &random)
            let isJump = Int.random(in: 0..<10, using: &random) == 0
            let step: UInt16 = isJump ? 1000 + first : 2
            if !isJump {
                smalls.append((time, next))
            } else if next - time < Self.period {
                jumps.append((time, next))
            }
            port &+= step
            series.add(port, to: destination, at: next)
            time = next
        }
        let found = PortRekeying.find(series, size: 28_232, bound: 64)
        guard jumps.count >= 2, jumps.count < smalls.count else {
            #expect(found == nil)
            return
        }
        let best = try #require(found)
        let scores = (0..<10_000).map { number in
            let phase = Int64(number) * Self.period / 10_000
            return crossings(jumps, phase) - crossings(smalls, phase)
        }
        let most = try #require(scores.max())
        let phase = Int64(try #require(scores.firstIndex(of: most))) * Self.period / 10_000
        #expect(best.phase == Double(phase) / 1e9)
        #expect(best.explained == crossings(jumps, phase) && best.contradicting == crossings(smalls, phase))
        #expect(best.jumps == jumps.count)
    }

    @Test(
        "Is looked for among two jumps at least, that are fewer than the small steps",
        arguments: [(1, 9, false), (2, 2, false), (2, 3, true), (3, 3, false), (3, 4, true)]
    )
    func fewest(jumps: Int, smalls: Int, isFound: Bool) {
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp))
        let steps = [Int](repeating: 1000, count: jumps) + [Int](repeating: 64, count: smalls)
        var (port, time) = (33_000, Int64(0))
        for step in [0] + steps {
            port += step
            time += 1_000_000_000
            series.add(UInt16(port), to: Endpoint(address: .loopbackV4, port: 80), at: time)
        }
        let found = PortRekeying.find(series, size: 28_232, bound: 64)
        #expect((found != nil) == isFound)
        #expect(found?.jumps == (isFound ? jumps : nil))
    }

    @Test("A jump counts if it took less than the period; a step that took no time, or has none, does not count")
    func times() {
        func jumps(_ seconds: [Int64?]) -> Int? {
            var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp))
            var port: UInt16 = 33_000
            for second in seconds {
                series.add(port, to: Endpoint(address: .loopbackV4, port: 80), at: second)
                port += 1000
            }
            for small in Int64(0)..<9 {
                series.add(40_000 + UInt16(small), to: Endpoint(address: .loopbackV4, port: 81), at: 100 + small)
            }
            return PortRekeying.find(series, size: 28_232, bound: 64)?.jumps
        }
        #expect(jumps([0, 9_999_999_999, 19_999_999_998]) == 2)
        #expect(jumps([0, 10_000_000_000, 19_999_999_999, 20_000_000_000]) == 2)
        #expect(jumps([0, 5, 5, 6]) == 2)
        #expect(jumps([0, 5, nil, 6]) == nil)
    }
}
