import WeirEngine
import WeirWire

/// The rule by which a file ends and the next one begins, and how many are kept.
public struct FileRotation: Hashable, Sendable {
    /// The size in bytes at which a file ends.
    public var size: Int?
    /// The period: a file ends whenever the time of day is an exact multiple of it, counted from 1970 UTC.
    public var every: Duration?
    /// The number of files to keep, including the one being written; older ones of the same run are deleted.
    public var keep: Int?

    /// Makes a rotation; without a size and a period there is only one file.
    public init(size: Int? = nil, every: Duration? = nil, keep: Int? = nil) {
        self.size = size
        self.every = every
        self.keep = keep
    }

    /// Whether there can be more than one file.
    public var hasSeveralFiles: Bool { size != nil || every != nil }

    /// Returns the time at which a file that begins at a time ends, in nanoseconds since 1970 UTC; nil without a
    /// period.
    func boundary(after time: Int64) -> Int64? {
        guard let period = every?.inNanoseconds, period > 0 else { return nil }
        let rest = time % period
        let (boundary, overflow) = time.addingReportingOverflow(period - (rest < 0 ? rest + period : rest))
        return overflow ? nil : boundary
    }
}
