import WeirWire

/// A histogram of latencies with fixed buckets, so that histograms of several places can be added.
public struct LatencyHistogram: Hashable, Sendable {
    /// The upper bounds of the buckets, in ns; one more bucket takes longer latencies.
    public static let bounds: [Int64] = [
        50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000,
        100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    /// The number of latencies in each bucket; the last one is for those above all bounds.
    public private(set) var counts = [UInt64](repeating: 0, count: Self.bounds.count + 1)
    /// The sum of the latencies, in ns.
    public private(set) var sum: Int64 = 0

    /// Creates an empty histogram.
    public init() {}

    /// The number of all latencies.
    public var count: UInt64 { counts.reduce(0, +) }

    /// Adds one latency.
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
