/// A count of ranges of a stream, with the first of them.
public struct OffsetRanges: Hashable, Sendable {
    /// The maximum number of kept ranges.
    public static let limit = 256

    /// The first ranges, in bytes from the start of the stream, in the order in which they were found.
    public private(set) var ranges: [Range<Int>] = []
    /// The number of all ranges.
    public private(set) var count = 0
    /// The number of bytes in all ranges.
    public private(set) var bytes = 0

    /// Creates an empty value.
    public init() {}

    /// Whether there are no ranges.
    public var isEmpty: Bool { count == 0 }

    /// Adds a range; if it begins at the end of the last one, it extends that.
    mutating func add(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        bytes &+= range.count
        if count == ranges.count, let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
            return
        }
        count &+= 1
        if ranges.count < Self.limit { ranges.append(range) }
    }

    /// Returns the number of bytes of a range that are in a kept one.
    func overlap(with range: Range<Int>) -> Int {
        ranges.reduce(0) { $0 &+ $1.clamped(to: range).count }
    }
}
