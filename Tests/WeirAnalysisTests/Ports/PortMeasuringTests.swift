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
}
