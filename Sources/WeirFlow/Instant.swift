/// Names a point of a monotonic clock, in nanoseconds since an origin that only the clock knows.
///
/// The engine reads no clock: whoever drives it passes instants in.
@frozen
public struct Instant: Hashable, Comparable, Sendable, InstantProtocol {
    /// Counts nanoseconds since the clock's origin.
    public var nanoseconds: Int64

    /// Makes the instant at a number of nanoseconds after the clock's origin.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Returns the instant that comes a duration later; a sum out of range stops at the last instant.
    @inlinable
    public func advanced(by duration: Duration) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.inNanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// Returns the time from this instant to another one.
    @inlinable
    public func duration(to other: Instant) -> Duration {
        .nanoseconds(other.nanoseconds - nanoseconds)
    }

    /// Tells whether one instant comes before another.
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension Duration {
    /// Counts whole nanoseconds, at most `Int64.max` (292 years).
    @inlinable
    public var inNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product &+ attoseconds / 1_000_000_000
    }
}

/// Pairs the time of day with the monotonic clock, read together.
@frozen
public struct Moment: Hashable, Sendable {
    /// Counts nanoseconds since 1970-01-01 00:00 UTC.
    public var wallNanoseconds: Int64
    /// Names the same point on the monotonic clock: durations are measured with it, so that a clock that is set
    /// while flows are open changes none.
    public var instant: Instant

    /// Makes a moment from both clocks' readings.
    @inlinable
    public init(wallNanoseconds: Int64, instant: Instant) {
        self.wallNanoseconds = wallNanoseconds
        self.instant = instant
    }
}
