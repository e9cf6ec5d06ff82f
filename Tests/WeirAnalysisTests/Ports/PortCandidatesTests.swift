import Testing
import WeirEngine
import WeirWire

@testable import WeirAnalysis

@Suite("Ranges that ports may be from")
struct PortCandidatesTests {
    /// A series of ports of a range, of which so many are below it.
    private func series(_ count: Int, within range: PortRange, outside: Int = 0) -> PortSeries {
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp))
        for number in 0..<count {
            let port = number < outside ? 1030 : range.low + number * (range.size - 1) / max(1, count - 1)
            series.add(UInt16(port), to: Endpoint(address: .loopbackV4, port: 80), at: nil)
        }
        return series
    }

    private func names(_ series: PortSeries, given: PortRange? = nil) -> [String] {
        PortAnalysis.ranges(for: series, given: given, named: "mine").map { $0.name ?? $0.source.rawValue }
    }

    @Test(
        "A range that is given is the only one if 98 in 100 ports are in it",
        arguments: [(50, 1, true), (50, 2, false), (100, 2, true), (100, 3, false), (1, 0, true)]
    )
    func given(count: Int, outside: Int, isAlone: Bool) {
        let range = PortRange(40_000, 49_999)
        let series = series(count, within: range, outside: outside)
        #expect(names(series, given: range) == (isAlone ? ["mine"] : ["mine", "estimated"]))
        let candidates = PortAnalysis.ranges(for: series, given: range)
        #expect(candidates[0].range == range && candidates[0].source == .given && candidates[0].prior == 0)
    }

    @Test(
        "A known range is possible if 99 in 100 ports are in it",
        arguments: [(99, 0, true), (100, 1, true), (100, 2, false), (200, 2, true), (200, 3, false)]
    )
    func known(count: Int, outside: Int, isPossible: Bool) {
        let names = names(series(count, within: PortRange(49_500, 60_000), outside: outside))
        #expect(names.contains("Linux since 4.2") == isPossible)
        #expect(names.last == "estimated")
    }

    @Test("Of 64 ports and more, a known range that holds another one is not possible; of fewer it is")
    func tight() {
        let (linux, iana) = ("Linux since 4.2", "IANA's: macOS, Windows since Vista")
        let range = PortRange(49_500, 60_000)
        let all = [linux, iana, "FreeBSD", "all above the privileged", "estimated"]
        #expect(names(series(63, within: range)) == all)
        #expect(names(series(64, within: range)) == [linux, iana, "estimated"])
        #expect(names(series(64, within: PortRange(2000, 4000))) == ["Windows before Vista, old BSD", "estimated"])
    }

    @Test("The range that the ports tell is as likely as one of all pairs of ports from 1,024 on")
    func estimated() throws {
        let series = series(3, within: PortRange(2000, 2100))
        let own = try #require(PortAnalysis.ranges(for: series, given: nil).last)
        #expect(own.range == PortRange(1950, 2150) && own.source == .estimated && own.name == nil)
        #expect(abs(own.prior + 2 * PortMath.ln(64_512)) < 1e-9)
    }
}
