import Testing
import WeirEngine

@Suite("A histogram of latencies")
struct LatencyHistogramTests {
    @Test(
        "Counts a latency in the first bucket whose bound it does not exceed",
        arguments: LatencyHistogram.bounds.indices
    )
    func bound(_ bucket: Int) {
        let bound = LatencyHistogram.bounds[bucket]
        for (latency, expected) in [(bound - 1, bucket), (bound, bucket), (bound + 1, bucket + 1)] {
            var histogram = LatencyHistogram()
            histogram.add(.nanoseconds(latency))
            #expect(histogram.counts.indices.filter { histogram.counts[$0] > 0 } == [expected])
            #expect(histogram.sum == latency && histogram.count == 1)
        }
    }

    @Test("A latency before its time counts as none; histograms of several places add up")
    func sums() {
        var (first, second) = (LatencyHistogram(), LatencyHistogram())
        first.add(.nanoseconds(-5))
        first.add(.seconds(100))
        second.add(.milliseconds(3))
        second.add(.milliseconds(3))
        first.add(second)
        #expect(first.count == 4 && first.sum == 100_006_000_000)
        #expect(first.counts.first == 1 && first.counts.last == 1 && first.counts.max() == 2)
    }
}
