/// The median of some figures, and their spread.
struct Summary: Sendable, Codable, Equatable {
    let median: Double
    let minimum: Double
    let maximum: Double
    let count: Int

    /// Summarises; nil when there is nothing to summarise.
    init?(_ values: [Double]) {
        let sorted = values.filter(\.isFinite).sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        minimum = first
        maximum = last
        count = sorted.count
    }

    /// Divides one median by another; nil when either is missing or the divisor is 0.
    static func ratio(_ dividend: Summary?, to divisor: Summary?) -> Double? {
        guard let dividend, let divisor, divisor.median != 0 else { return nil }
        return dividend.median / divisor.median
    }
}
