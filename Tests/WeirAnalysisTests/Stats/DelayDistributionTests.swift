import Support
import Testing

@testable import WeirAnalysis

@Suite("Distributions of delays")
struct DelayDistributionTests {
    @Test("Percentiles are values that were added: the nearest rank")
    func exact() {
        var delays = DelayDistribution()
        #expect(delays.percentile(50) == nil && delays.count == 0)
        for value in [50, 10, 40, 20, 30] as [Int64] { delays.add(value) }
        #expect(delays.percentiles([0, 1, 20, 21, 50, 90, 99, 100]) == [10, 10, 10, 20, 30, 50, 50, 50])
        #expect(delays.count == 5 && delays.longest == 50)
        delays.add(-7)
        #expect(delays.percentile(0) == 0)
    }

    @Test("Many are within 1 % of what they are, however they are added", arguments: 0..<4)
    func buckets(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let values = (0..<(DelayDistribution.exactLimit * 2)).map { _ in
            Int64.random(in: 0...(1 << Int64.random(in: 0...40, using: &random)), using: &random)
        }
        var one = DelayDistribution()
        for value in values { one.add(value) }
        // The second is in buckets before it is added.
        var parts = [DelayDistribution(), DelayDistribution()]
        for (index, value) in values.enumerated() { parts[index % 10 == 0 ? 0 : 1].add(value) }
        var sum = DelayDistribution()
        for part in parts { sum.add(part) }
        #expect(one.count == values.count && sum.count == values.count)
        #expect(one.longest == values.max() && sum.longest == values.max())
        let sorted = values.sorted()
        for percent in 1...100 {
            let right = sorted[(values.count * percent + 99) / 100 - 1]
            let found = try #require(one.percentile(percent))
            #expect(abs(found - right) <= right / 100 + 1, "\(percent): \(found) for \(right)")
            #expect(sum.percentile(percent) == found)
        }
    }

    @Test("The largest values have a bucket")
    func extremes() {
        var delays = DelayDistribution()
        for _ in 0...DelayDistribution.exactLimit { delays.add(.max) }
        #expect(delays.percentile(50).map { $0 > .max / 100 * 98 } == true)
        for _ in 0...(2 * DelayDistribution.exactLimit) { delays.add(0) }
        #expect(delays.percentile(50) == 0)
    }
}
