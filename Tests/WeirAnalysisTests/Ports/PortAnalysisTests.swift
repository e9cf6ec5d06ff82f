import Testing
import WeirAnalysis
import WeirEngine
import WeirWire

@Suite("Verdicts on ports from stated models")
struct PortAnalysisTests {
    /// Counts verdicts.
    struct Tally: CustomStringConvertible {
        var right = 0
        var refused = 0
        var wrong: [PortAllocator] = []
        var description: String { "\(right) right, \(refused) refused, wrong: \(wrong)" }

        mutating func add(_ verdict: PortVerdict, _ model: SyntheticPorts.Model) {
            if verdict.allocator == model.right {
                right += 1
            } else if verdict.allocator == .tooFew || verdict.allocator == model.alsoTrue {
                refused += 1
            } else {
                wrong.append(verdict.allocator)
            }
        }
    }

    static let seeds = 20

    private func tally(_ model: SyntheticPorts.Model, _ count: Int, knowsRange: Bool) -> Tally {
        var tally = Tally()
        for seed in 1...Self.seeds {
            let series = SyntheticPorts.series(model, count: count, seed: UInt64(seed))
            tally.add(PortAnalysis.report(series, range: knowsRange ? model.range : nil).verdict, model)
        }
        return tally
    }

    /// Lists the models whose 50 choices tell the class; a busy FreeBSD needs the range to fill.
    static let clear = SyntheticPorts.Model.allCases.filter { $0 != .freeBSDBusy }

    @Test("With 50 samples at least 95 in 100 verdicts are right, and none is wrong", arguments: clear)
    func fifty(_ model: SyntheticPorts.Model) {
        for knowsRange in [true, false] {
            // The lower half of a range that nobody knows is a range of its own; so is one with an odd first port.
            let tally = tally(model, 50, knowsRange: knowsRange)
            #expect(tally.wrong.isEmpty, "\(model), range known: \(knowsRange): \(tally)")
            #expect(tally.right * 100 >= 95 * Self.seeds, "\(model), range known: \(knowsRange): \(tally)")
        }
    }

    @Test("With 8, 12 and 20 samples none is wrong", arguments: SyntheticPorts.Model.allCases, [8, 12, 20])
    func few(_ model: SyntheticPorts.Model, _ count: Int) {
        // Up to here a busy allocator that searches linearly is as random as any.
        let isRandom = model == .freeBSDBusy
        for knowsRange in [true, false] {
            let tally = tally(model, count, knowsRange: knowsRange)
            #expect(tally.wrong.allSatisfy { isRandom && $0 == .uniformRandom }, "\(knowsRange): \(tally)")
        }
    }

    @Test("Under 8 samples no class is ever named", arguments: SyntheticPorts.Model.allCases)
    func tooFew(_ model: SyntheticPorts.Model) {
        for count in 0..<PortAnalysis.fewest {
            let report = PortAnalysis.report(SyntheticPorts.series(model, count: count, seed: 1))
            #expect(report.verdict.allocator == .tooFew)
            #expect(report.verdict.confidence == 0)
        }
    }

    @Test("A linear search from a random start is told once it has met many used ports")
    func busyFreeBSD() {
        for seed in 1...3 {
            let series = SyntheticPorts.series(.freeBSDBusy, count: 8000, seed: UInt64(seed))
            #expect(PortAnalysis.report(series).verdict.allocator == .sequentialRandomStart)
            let uniform = SyntheticPorts.series(.uniform, count: 8000, seed: UInt64(seed))
            #expect(PortAnalysis.report(uniform).verdict.allocator == .uniformRandom)
        }
    }

    @Test("A counter with one destination may be one for all or one for each: no class is named")
    func oneDestination() {
        for model in [SyntheticPorts.Model.macOS, .windows] {
            let series = SyntheticPorts.series(model, count: 200, seed: 7, destinations: 1)
            let verdict = PortAnalysis.report(series).verdict
            #expect(verdict.allocator == .tooFew)
            #expect(Set(verdict.candidates.prefix(2)) == [.sequential, .sequentialPerDestination])
            #expect(verdict.caveats.contains(.oneDestination))
        }
    }

    @Test("Destinations that are used once each tell a counter of their own from chance by nothing but parity")
    func onceEach() {
        for seed in 1...20 {
            let random = SyntheticPorts.series(.uniform, count: 50, seed: UInt64(seed), destinations: 100_000)
            let verdict = PortAnalysis.report(random).verdict
            #expect(verdict.allocator == .tooFew)
            #expect(verdict.candidates.contains(.uniformRandom))
            let linux = SyntheticPorts.series(.linuxConnect, count: 50, seed: UInt64(seed), destinations: 100_000)
            let known = PortAnalysis.report(linux, range: PortRange(32_768, 60_999)).verdict
            #expect(known.allocator == .linuxConnect)
            #expect(known.caveats.contains(.parityAlone))
        }
    }

    @Test("Choices more than 10 s apart do not tell Linux's local range from chance")
    func slow() {
        let series = SyntheticPorts.series(.linuxLocalRange, count: 60, seed: 3, interval: 11)
        #expect(
            PortAnalysis.report(series, range: SyntheticPorts.Model.linuxLocalRange.range).verdict.allocator == .tooFew
        )
    }

    @Test("Jumps of Linux's connect keep to 10 s, and the phase is found")
    func rekeying() throws {
        let series = SyntheticPorts.series(.linuxConnect, count: 1000, seed: 5, interval: 0.05)
        let statistics = PortAnalysis.report(series).statistics
        let found = try #require(statistics.rekeying)
        #expect(found.explained == found.jumps)
        #expect(found.contradicting == 0)
        // The model begins anew at multiples of 10 s.
        #expect(found.phase < 0.1 || found.phase > 9.9)
        #expect(found.log10P < -6)
    }

    @Test("Two hosts behind one address are suspected")
    func nat() {
        let verdict = PortAnalysis.report(SyntheticPorts.series(.twoHosts, count: 100, seed: 2)).verdict
        #expect(verdict.allocator == .mixed)
        #expect(verdict.caveats.contains(.natSuspected))
    }

    @Test("Choices that come in another order than they were made in are sorted by time")
    func unsorted() {
        let series = SyntheticPorts.series(.linuxConnect, count: 50, seed: 9)
        var shuffled = PortSeries(series.key)
        for index in stride(from: 49, through: 0, by: -1) {
            shuffled.add(
                series.ports[index],
                to: series.destinations[series.destination(index)],
                at: series.time(index)
            )
        }
        #expect(PortAnalysis.report(shuffled).verdict == PortAnalysis.report(series).verdict)
    }

    @Test("A verdict through a relay says so")
    func throughARelay() {
        let plain = SyntheticPorts.series(.linuxConnect, count: 50, seed: 1)
        var series = PortSeries(PortSeriesKey(client: plain.key.client, transport: .tcp, side: .client))
        for index in 0..<50 { series.add(plain.ports[index], to: plain.destinations[0], at: plain.time(index)) }
        #expect(PortAnalysis.report(series).verdict.caveats.contains(.throughARelay))
    }
}
