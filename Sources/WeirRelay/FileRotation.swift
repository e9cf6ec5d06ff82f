import WeirFlow

/// Says when a file ends and the next one begins, and how many are kept.
public struct FileRotation: Hashable, Sendable {
    /// Ends a file once it has this many bytes.
    public var size: Int?
    /// Ends a file whenever the time of day is an exact multiple of this, counted from 1970 UTC.
    public var every: Duration?
    /// Keeps this many files, the one being written included; older ones of the same run are deleted.
    public var keep: Int?

    /// Makes a rotation; without a size and a time there is one file.
    public init(size: Int? = nil, every: Duration? = nil, keep: Int? = nil) {
        self.size = size
        self.every = every
        self.keep = keep
    }

    /// Says that there can be more than one file.
    public var hasSeveralFiles: Bool { size != nil || every != nil }

    /// Finds the time at which a file that is begun at a time ends, in nanoseconds since 1970 UTC; nil where none does.
    func boundary(after time: Int64) -> Int64? {
        guard let period = every?.inNanoseconds, period > 0 else { return nil }
        let rest = time % period
        let (boundary, overflow) = time.addingReportingOverflow(period - (rest < 0 ? rest + period : rest))
        return overflow ? nil : boundary
    }
}
