import Testing
import WeirEngine

@testable import WeirAdmin

@Suite("Prometheus's text")
struct PrometheusTextTests {
    private static func text(_ write: (inout PrometheusText) -> Void) -> String {
        var output = PrometheusText()
        write(&output)
        return String(decoding: output.bytes(), as: UTF8.self)
    }

    @Test("A metric has a head, and samples with their labels, in which what is special is escaped")
    func writesSamples() {
        let metric = PrometheusText.Metric("m_total", .counter, "Counts.")
        let gauge = PrometheusText.Metric("g", .gauge, "Shows.")
        let labels: PrometheusText.Labels = [("a", "x"), ("b", "\"\\\n")]
        let none: PrometheusText.Labels = []
        let text = Self.text { output in
            output.begin(metric)
            output.sample(metric, [], 7)
            output.sample(metric, labels, UInt64.max)
            output.sample(metric, labels.with("c", "z"), -1)
            output.begin(gauge)
            output.sample(gauge, none.with("only", ""), 0.5)
        }
        let expected = #"""
            # HELP m_total Counts.
            # TYPE m_total counter
            m_total 7
            m_total{a="x",b="\"\\\n"} 18446744073709551615
            m_total{a="x",b="\"\\\n",c="z"} -1
            # HELP g Shows.
            # TYPE g gauge
            g{only=""} 0.5

            """#
        #expect(text == expected)
    }

    @Test("A histogram has a bucket for each bound, with what is below it, their sum in seconds and their count")
    func writesHistograms() {
        let metric = PrometheusText.Metric("h", .histogram, "Shows.")
        var histogram = LatencyHistogram()
        for time in [Duration.microseconds(50), .nanoseconds(50_001), .milliseconds(3), .seconds(11), .seconds(12)] {
            histogram.add(time)
        }
        let text = Self.text { $0.histogram(metric, [("p", "q")], histogram) }
        let bounds = [
            "5e-05 1", "0.0001 2", "0.00025 2", "0.0005 2", "0.001 2", "0.0025 2", "0.005 3", "0.01 3", "0.025 3",
            "0.05 3", "0.1 3", "0.25 3", "0.5 3", "1.0 3", "2.5 3", "5.0 3", "10.0 3", "+Inf 5",
        ]
        let buckets = bounds.map { line in
            let parts = line.split(separator: " ")
            return "h_bucket{p=\"q\",le=\"\(parts[0])\"} \(parts[1])\n"
        }
        #expect(text == buckets.joined() + "h_sum{p=\"q\"} 23.003100001\nh_count{p=\"q\"} 5\n")
        #expect(Self.text { $0.histogram(metric, [], histogram) }.hasPrefix("h_bucket{le=\"5e-05\"} 1\n"))
    }
}
