/// The distribution of durations, in nanoseconds: exact for a while, then within 1 % of each value, in bounded memory.
public struct DelayDistribution: Sendable {
    /// The maximum number of durations that are kept as they are.
    static let exactLimit = 1 << 16
    /// Each power of two is divided into so many buckets.
    private static let parts = 128

    private var values: [Int64] = []
    /// The number of values in each bucket; empty while all values are kept.
    private var buckets: [UInt32] = []
    /// The number of durations.
    public private(set) var count = 0
    /// The longest duration.
    public private(set) var longest: Int64 = 0

    /// Creates an empty distribution.
    public init() {}

    /// Adds a duration; a negative one counts as none at all.
    public mutating func add(_ duration: Int64) {
        let duration = max(duration, 0)
        count += 1
        longest = max(longest, duration)
        guard buckets.isEmpty else { return countBucket(duration) }
        values.append(duration)
        guard values.count > Self.exactLimit else { return }
        useBuckets()
    }

    /// Adds the durations of another distribution.
    public mutating func add(_ other: DelayDistribution) {
        guard !other.buckets.isEmpty else {
            for value in other.values { add(value) }
            return
        }
        if buckets.isEmpty { useBuckets() }
        for index in buckets.indices {
            buckets[index] = UInt32(clamping: UInt64(buckets[index]) + UInt64(other.buckets[index]))
        }
        count += other.count
        longest = max(longest, other.longest)
    }

    private mutating func useBuckets() {
        buckets = Array(repeating: 0, count: Self.bucket(.max) + 1)
        for value in values { countBucket(value) }
        values = []
    }

    /// Returns the shortest duration that is not exceeded by a share of the durations, in percent; nil if there is none.
    public func percentile(_ percent: Int) -> Int64? { percentiles([percent]).first ?? nil }

    /// Returns several percentiles at the cost of one.
    ///
    /// - Complexity: O(n log n) in the number of durations that are kept.
    public func percentiles(_ percents: [Int]) -> [Int64?] {
        guard count > 0 else { return percents.map { _ in nil } }
        let ranks = percents.map { max((count * min(max($0, 0), 100) + 99) / 100, 1) }
        guard buckets.isEmpty else { return ranks.map { rank in value(at: rank) } }
        let sorted = values.sorted()
        return ranks.map { sorted[$0 - 1] }
    }

    private func value(at rank: Int) -> Int64 {
        var seen = 0
        for (bucket, count) in buckets.enumerated() {
            seen += Int(count)
            // No value of the bucket is longer than the longest of all.
            if seen >= rank { return min(Self.middle(of: bucket), longest) }
        }
        return longest
    }

    private mutating func countBucket(_ value: Int64) {
        let bucket = Self.bucket(value)
        if buckets[bucket] < .max { buckets[bucket] += 1 }
    }

    /// Returns the bucket of a value: up to 255 there is one for each.
    private static func bucket(_ value: Int64) -> Int {
        let value = UInt64(max(value, 0))
        let power = max(63 - value.leadingZeroBitCount, 7)
        return (power - 7) * parts + Int(value >> UInt64(power - 7))
    }

    /// Returns the value in the middle of a bucket.
    private static func middle(of bucket: Int) -> Int64 {
        guard bucket >= 2 * parts else { return Int64(bucket) }
        let power = bucket / parts + 6
        let start = Int64(bucket - (power - 7) * parts) << Int64(power - 7)
        return start + (Int64(1) << Int64(power - 7)) / 2
    }
}
