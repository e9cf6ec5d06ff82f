import Testing

@testable import weir_bench

@Suite("Summary")
struct SummaryTests {
    @Test(
        "The median, the lowest and the highest do not depend on the order",
        arguments: [
            ([3.0], 3.0, 3.0, 3.0),
            ([9.0, 1.0, 4.0], 4.0, 1.0, 9.0),
            ([4.0, 1.0, 2.0, 100.0], 3.0, 1.0, 100.0),
            ([-1.0, -3.0, 0.0], -1.0, -3.0, 0.0),
        ]
    )
    func medianAndSpread(_ values: [Double], _ median: Double, _ minimum: Double, _ maximum: Double) throws {
        let summary = try #require(Summary(values))
        #expect(summary.median == median)
        #expect(summary.minimum == minimum)
        #expect(summary.maximum == maximum)
        #expect(summary.count == values.count)
    }

    @Test("Nothing has no summary, and what is not finite does not count")
    func nothing() throws {
        #expect(Summary([]) == nil)
        #expect(Summary([.nan, .infinity]) == nil)
        #expect(try #require(Summary([.nan, 2])).count == 1)
    }

    @Test("A ratio divides medians, and is missing where it has no meaning")
    func ratio() {
        let six = Summary([6])
        #expect(Summary.ratio(six, to: Summary([3, 4, 5])) == 1.5)
        #expect(Summary.ratio(six, to: Summary([0])) == nil)
        #expect(Summary.ratio(six, to: nil) == nil)
        #expect(Summary.ratio(nil, to: six) == nil)
    }
}
