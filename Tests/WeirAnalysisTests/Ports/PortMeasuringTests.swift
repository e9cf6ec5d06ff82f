import Testing
import WeirEngine
import WeirWire

@testable import WeirAnalysis

@Suite("Measuring ports")
struct PortMeasuringTests {
    @Test(
        "A step is the shorter way round the range: at each half, one under and one over",
        arguments: [10, 11, 28232]
    )
    func step(size: Int) {
        for from in [0, 1, size / 2 - 1, size / 2, size / 2 + 1, size - 2, size - 1] {
            for to in [0, 1, size / 2 - 1, size / 2, size / 2 + 1, size - 2, size - 1] {
                let step = PortMeasuring.step(UInt16(1024 + from), UInt16(1024 + to), size)
                // It leads there, modulo the range's size, and no other way is shorter.
                #expect((from + step - to) % size == 0, "\(from) to \(to)")
                #expect(step > -(size + 1) / 2 && step <= size / 2, "\(from) to \(to): \(step)")
            }
        }
        let last = UInt16(1024 + size - 1)
        #expect(PortMeasuring.step(last, 1024, size) == 1)
        #expect(PortMeasuring.step(1024, last, size) == -1)
    }

    @Test("A counter that wraps at the range's end has no jump", arguments: [1, 2, 3])
    func wrap(step: Int) {
        let range = PortRange(40_000, 40_099)
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp, side: .direct))
        let destination = Endpoint(address: .loopbackV4, port: 443)
        for choice in 0..<200 {
            series.add(UInt16(40_000 + (50 + choice * step) % 100), to: destination, at: Int64(choice))
        }
        let statistics = PortMeasuring.measure(series, in: range, .given, name: nil)
        #expect(statistics.steps == 199 && statistics.jumps == 0)
        #expect(statistics.stepCounts.indices.filter { statistics.stepCounts[$0] > 0 } == [step])
    }

    private func series(_ ports: [UInt16], to servers: [UInt16] = [], at times: [Int64?] = []) -> PortSeries {
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp))
        for (index, port) in ports.enumerated() {
            let server = index < servers.count ? servers[index] : 443
            let time = index < times.count ? times[index] : Int64(index) * 1_000_000_000
            series.add(port, to: Endpoint(address: .loopbackV4, port: server), at: time)
        }
        return series
    }

    private func measured(_ series: PortSeries, _ range: PortRange = PortRange(1000, 1999)) -> PortStatistics {
        PortMeasuring.measure(series, in: range, .given, name: nil)
    }

    @Test(
        "Small steps are those of up to an eighth of the range, 8 to 64 of them",
        arguments: [(1, 8), (64, 8), (71, 8), (72, 9), (511, 63), (512, 64), (520, 64), (65_535, 64)]
    )
    func smallBound(size: Int, bound: Int) {
        #expect(PortMeasuring.smallBound(size) == bound)
        #expect((-2...(bound + 2)).filter { PortMeasuring.isSmall($0, bound) } == Array(1...bound))
    }

    @Test("The range that the ports tell is as far beyond them as they are apart on average, and within what can be")
    func corrected() {
        #expect(PortMeasuring.corrected(series([130, 100, 110])) == PortRange(85, 145))
        #expect(PortMeasuring.corrected(series([50, 3])) == PortRange(1, 97))
        #expect(PortMeasuring.corrected(series([65_000, 65_500])) == PortRange(64_500, 65_535))
        #expect(PortMeasuring.corrected(series([700])) == PortRange(700, 700))
        #expect(PortMeasuring.seen(series([130, 100, 110])) == PortRange(100, 130))
        #expect(PortMeasuring.seen(series([])) == PortRange(0, 0))
    }

    @Test("A port falls into the bin of its part of the range, one beyond an end into the last bin there")
    func bins() {
        let range = PortRange(100, 109)
        #expect(
            [99, 100, 101, 102, 104, 105, 109, 110].map { PortMeasuring.bin($0, range, 5) } == [0, 0, 0, 1, 2, 2, 4, 4]
        )
    }

    @Test("A port goes on from one of the last four of its destination, not from the one before them")
    func chained() {
        let four = measured(series([1000, 1500, 1200, 1700, 1001]))
        #expect(four.steps == 4 && four.jumps == 4 && four.smallShare == 0 && four.chainedShare == 0.25)
        let five = measured(series([1000, 1500, 1200, 1700, 1900, 1001]))
        #expect(five.steps == 5 && five.jumps == 5 && five.smallShare == 0 && five.chainedShare == 0)
    }

    @Test("Steps are counted within each destination, and in the order of all")
    func steps() {
        let ports: [UInt16] = [1000, 1500, 1002, 1501, 1503, 1004, 1068, 1133]
        let found = measured(series(ports, to: [1, 2, 1, 2, 2, 1, 1, 1]))
        // 1000, 1002, 1004, 1068 and 1133, which is one too far; 1500, 1501 and 1503.
        #expect(found.samples == 8 && found.destinations == 2 && found.steps == 6 && found.jumps == 1)
        #expect(found.stepCounts.indices.filter { found.stepCounts[$0] > 0 } == [1, 2, 64])
        #expect(found.stepCounts[1] == 1 && found.stepCounts[2] == 3 && found.stepCounts[64] == 1)
        #expect(found.stepCounts.count == 65 && found.smallBound == 64)
        #expect(found.smallShare == 5.0 / 6 && found.mergedSmallShare == 2.0 / 7)
        #expect(found.evenShare == 5.0 / 8 && found.seconds == 7)
    }

    @Test("The spread is that of the numbers, and a port goes with the one before it")
    func spread() {
        let found = measured(series([1010, 1020, 1030, 1040]))
        #expect(abs(found.deviation - (500.0 / 3).squareRoot()) < 1e-9)
        #expect(abs(found.relativeDeviation - (500.0 / 3).squareRoot() / (1000 / 12.0.squareRoot())) < 1e-9)
        #expect(abs(found.serialCorrelation - 0.25) < 1e-9)
        #expect(found.chiSquare == (3.75 * 3.75 + 15 * 0.0625) / 0.25)
        let one = measured(series([1010]))
        #expect(one.deviation == 0 && one.serialCorrelation == 0 && one.steps == 0 && one.mergedSmallShare == 0)
    }

    @Test("Ports that come again are counted, with how many choices and seconds lay between")
    func reuse() {
        let found = measured(series([1001, 1001, 1002, 1001, 1002, 1002], at: [0, 5, 7, 8, 12, 13]))
        // 1001 after 1 and 2 choices, 1002 after 2 and 1.
        #expect(found.distinctPorts == 2 && found.reuse.count == 4)
        #expect(found.reuse.fewestBetween == 1 && found.reuse.medianBetween == 2)
        #expect(found.reuse.shortestSeconds == 1e-9)
        let never = measured(series([1001, 1002, 1003]))
        #expect(never.distinctPorts == 3 && never.reuse.count == 0 && never.reuse.fewestBetween == nil)
        #expect(never.reuse.medianBetween == nil && never.reuse.shortestSeconds == nil)
        let timeless = measured(series([1001, 1002, 1001], at: [nil, nil, nil]))
        #expect(timeless.reuse.fewestBetween == 2 && timeless.reuse.shortestSeconds == nil)
        #expect(timeless.seconds == nil)
    }

    @Test("Ports are found again among few and among many", arguments: [2047, 2048, 2049, 2050])
    func manyReuses(count: Int) {
        let found = measured(series((0..<count).map { UInt16(1000 + $0 % 500) }))
        #expect(found.distinctPorts == 500 && found.reuse.count == count - 500)
        #expect(found.reuse.fewestBetween == 500 && found.reuse.medianBetween == 500)
        #expect(found.reuse.shortestSeconds == 500)
    }
}

@Suite("Runs of used ports")
struct UsedRunsTests {
    @Test("A port behind a run is as likely as the run is long, and each that is used leaves fewer")
    func gain() {
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp))
        for port in [105, 106, 107, 105, 99, 110, 104, 108] as [UInt16] {
            series.add(port, to: Endpoint(address: .loopbackV4, port: 80), at: nil)
        }
        // Runs of 1 and 2, then of 4 as 104 joined them; 10, 9, 8, 7 and 6 of 10 ports were left.
        let expected = PortMath.ln(2 * 3 * 5 * 0.9 * 0.8 * 0.7 * 0.6)
        #expect(abs(UsedRuns.gain(series, in: PortRange(100, 109)) - expected) < 1e-9)
    }

    @Test("Runs that meet are one, from the first port to the last one that there is")
    func lengths() {
        var runs = UsedRuns()
        for port in [0, 2, 65_535, 3, 1] as [UInt16] {
            #expect(!runs.isUsed(port))
            runs.use(port)
            #expect(runs.isUsed(port))
        }
        #expect(runs.used == 5)
        let lengths = [0, 1, 2, 3, 4, 5, 65_535].map { runs.length(before: $0) }
        #expect(lengths == [0, 1, 2, 3, 4, 0, 0])
    }
}
