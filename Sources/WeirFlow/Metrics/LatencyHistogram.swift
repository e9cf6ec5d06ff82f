/// Counts latencies by their size, in buckets that are fixed, so that histograms of several places can be added.
public struct LatencyHistogram: Hashable, Sendable {
    /// Lists the upper bounds of the buckets, in nanoseconds; a last bucket takes what is longer.
    public static let bounds: [Int64] = [
        50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000,
        100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    /// Counts the latencies of each bucket, those of the last one behind them.
    public private(set) var counts = [UInt64](repeating: 0, count: Self.bounds.count + 1)
    /// Adds the latencies up, in nanoseconds.
    public private(set) var sum: Int64 = 0

    /// Makes an empty histogram.
    public init() {}

    /// Counts all latencies.
    public var count: UInt64 { counts.reduce(0, +) }

    /// Counts one latency.
    public mutating func add(_ latency: Duration) {
        let nanoseconds = max(0, latency.inNanoseconds)
        counts[Self.bounds.firstIndex { nanoseconds <= $0 } ?? Self.bounds.count] += 1
        sum &+= nanoseconds
    }

    /// Adds another histogram's counts.
    public mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum &+= other.sum
    }
}
