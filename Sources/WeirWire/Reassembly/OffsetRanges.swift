/// Counts ranges of a stream, and keeps the first of them.
public struct OffsetRanges: Hashable, Sendable {
    /// Gives how many ranges are kept at most.
    public static let limit = 256

    /// Holds the first ranges, in bytes from the start of the stream, in the order that they were found in.
    public private(set) var ranges: [Range<Int>] = []
    /// Counts all ranges.
    public private(set) var count = 0
    /// Counts the bytes of all ranges.
    public private(set) var bytes = 0

    /// Creates no ranges.
    public init() {}

    /// Says whether there are none.
    public var isEmpty: Bool { count == 0 }

    /// Adds a range; one that begins where the last one ends makes that longer.
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

    /// Counts the bytes of a range that are in a kept one.
    func overlap(with range: Range<Int>) -> Int {
        ranges.reduce(0) { $0 &+ $1.clamped(to: range).count }
    }
}
