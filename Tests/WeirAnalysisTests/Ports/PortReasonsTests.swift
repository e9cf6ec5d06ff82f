import Testing
import WeirEngine
import WeirWire

@testable import WeirAnalysis

@Suite("Reasons and caveats of a verdict, at their bounds")
struct PortReasonsTests {
    private func reasons(_ change: (inout PortStatistics) -> Void) -> [String] {
        var statistics = PortStatistics()
        statistics.evenShare = 0.25
        change(&statistics)
        return PortReasons.reasons(PortVerdict(.sequential, confidence: 1), statistics)
    }

    @Test("A share of even ports is told from chance beyond 1 in 1,000")
    func parity() {
        #expect(reasons { $0.evenLog10P = -3 }[0] == "both parities, 25% even")
        #expect(reasons { $0.evenLog10P = -3.01 }[0] == "75% of ports are odd, by chance 1 in 10^3")
        #expect(
            reasons { ($0.evenLog10P, $0.evenShare) = (-7.6, 0.75) }[0] == "75% of ports are even, by chance 1 in 10^8"
        )
    }

    @Test("Small steps are listed if they are more than a tenth of all, the nine most frequent ones")
    func steps() {
        func listed(_ steps: Int, _ counts: [Int]) -> String? {
            let lines = reasons {
                $0.steps = steps
                $0.jumps = steps - counts.reduce(0, +)
                $0.stepCounts = counts
            }
            return lines.first { $0.hasPrefix("small steps: ") }
        }
        #expect(listed(10, [0, 1]) == nil)
        #expect(listed(9, [0, 1]) == "small steps: 1 (100%)")
        #expect(listed(8, [0, 3, 0, 5]) == "small steps: 1 (38%), 3 (63%)")
        let nine = [0] + [Int](repeating: 10, count: 9)
        #expect(listed(90, nine)?.hasSuffix("8 (11%), 9 (11%)") == true)
        // The first of those that are equally frequent stay, the one that is rarer goes.
        #expect(listed(199, [0, 9] + [Int](repeating: 19, count: 10))?.hasPrefix("small steps: 2 (10%)") == true)
        #expect(listed(199, [0, 9] + [Int](repeating: 19, count: 10))?.hasSuffix("10 (10%), and others") == true)
    }

    @Test("Jumps that keep to the period are a reason if chance makes them less than once in 1,000")
    func rekeying() {
        func line(_ log: Double) -> String? {
            reasons {
                $0.rekeying = PortStatistics.Rekeying(phase: 1.25, jumps: 7, explained: 5, log10P: log)
            }.first { $0.contains("period") }
        }
        #expect(line(-3) == nil)
        #expect(line(-3.1) == "5 of 7 jumps keep to a period of 10 s, at 1.25 s of it")
    }

    private func caveats(
        _ allocator: PortAllocator,
        seconds: [Double] = [0, 1, 2],
        _ change: (inout PortStatistics) -> Void = { _ in }
    ) -> [PortCaveat] {
        var statistics = PortStatistics()
        (statistics.rangeSource, statistics.destinations, statistics.seconds) = (.given, 2, 1)
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp))
        for second in seconds {
            series.add(2000, to: Endpoint(address: .loopbackV4, port: 80), at: Int64(second * 1e9))
        }
        statistics.steps = max(0, seconds.count - 1)
        change(&statistics)
        return PortReasons.caveats(PortVerdict(allocator, confidence: 1), statistics, series)
    }

    @Test("Each has its cause")
    func causes() {
        #expect(caveats(.sequential).isEmpty)
        #expect(caveats(.sequential) { $0.destinations = 1 } == [.oneDestination])
        #expect(caveats(.sequential) { $0.rangeSource = .assumed } == [.rangeAssumed])
        #expect(caveats(.sequential) { $0.rangeSource = .estimated } == [.rangeEstimated])
        #expect(caveats(.sequential) { $0.seconds = nil } == [.noTimes])
        #expect(caveats(.mixed) == [.natSuspected])
        #expect(caveats(.uniformRandom) == [.randomStartPossible])
        for allocator in [PortAllocator.oddBind, .lowerHalfBind] { #expect(caveats(allocator) == [.boundByCaller]) }
        for allocator in [PortAllocator.linuxConnect, .linuxLocalRange] { #expect(caveats(allocator).isEmpty) }
    }

    @Test("Several hosts are suspected of 8 steps and more, a fifth of which go on from another port than the last")
    func shared() {
        for (steps, chained, isShared) in [(7, 0.9, false), (8, 0.9, true), (8, 0.44, false), (8, 0.46, true)] {
            let found = caveats(.sequential) { ($0.steps, $0.smallShare, $0.chainedShare) = (steps, 0.25, chained) }
            #expect(found.contains(.natSuspected) == isShared, "\(steps), \(chained)")
        }
    }

    @Test("Steps are quick if they take less than 10 s, and slow if fewer than half of them are quick")
    func quick() {
        #expect(caveats(.linuxConnect, seconds: [0, 10]) == [.parityAlone])
        #expect(caveats(.linuxConnect, seconds: [0, 9.999_999_999]).isEmpty)
        #expect(caveats(.linuxConnect, seconds: [0, 1, 20, 40]) == [.slowSteps])
        #expect(caveats(.linuxConnect, seconds: [0, 1, 20, 21, 40]).isEmpty)
        #expect(caveats(.sequential, seconds: [0, 10]).isEmpty)
    }
}
