import Testing
import WeirWire

@testable import WeirAnalysis

@Suite("Series of ports")
struct PortSeriesTests {
    private static func destination(_ number: Int) -> Endpoint {
        Endpoint(address: IPAddress(v4: 0x0a00_0000 + UInt32(number)), port: 443)
    }

    /// Adds choices for so many destinations in turn, three rounds.
    private static func series(_ count: Int) -> PortSeries {
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp, side: .direct))
        for choice in 0..<(3 * count) {
            series.add(UInt16(1000 + choice), to: destination(choice % count), at: Int64(choice))
        }
        return series
    }

    @Test("Each destination is held once, however many there are", arguments: 1...12)
    func destinations(_ count: Int) {
        let series = Self.series(count)
        #expect(series.destinations == (0..<count).map(Self.destination))
        #expect((0..<series.count).map { series.destination($0) } == (0..<(3 * count)).map { $0 % count })
        #expect(PortAnalysis.report(series, range: nil).statistics.destinations == count)
    }

    @Test("A destination that is known is found again whichever came last", arguments: 3...7)
    func known(_ count: Int) {
        for again in 0..<count {
            var series = Self.series(count)
            series.add(9, to: Self.destination(again), at: nil)
            series.add(9, to: Self.destination(count), at: nil)
            series.add(9, to: Self.destination(again), at: nil)
            let places = (series.count - 3..<series.count).map { series.destination($0) }
            #expect(places == [again, count, again] && series.destinations.count == count + 1)
        }
    }
}
