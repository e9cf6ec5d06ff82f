/// A point in time on a monotonic clock, in ns since an origin that only the clock knows.
///
/// The engine reads no clock: its caller passes instants in.
@frozen
public struct Instant: Hashable, Comparable, Sendable, InstantProtocol {
    /// The time since the clock's origin, in ns.
    public var nanoseconds: Int64

    /// Creates the instant a number of nanoseconds after the clock's origin.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Returns the instant a duration later; a sum out of range gives the last instant.
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

    /// Returns whether one instant comes before another.
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension Duration {
    /// The duration in whole nanoseconds, at most `Int64.max` (292 years).
    @inlinable
    public var inNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product &+ attoseconds / 1_000_000_000
    }
}

/// The time of day and the monotonic clock, read together.
@frozen
public struct Moment: Hashable, Sendable {
    /// The time of day, in ns since 1970-01-01 00:00 UTC.
    public var wallNanoseconds: Int64
    /// The same moment on the monotonic clock, which measures durations: setting the time of day while flows are open
    /// does not change them.
    public var instant: Instant

    /// Creates a moment from the readings of both clocks.
    @inlinable
    public init(wallNanoseconds: Int64, instant: Instant) {
        self.wallNanoseconds = wallNanoseconds
        self.instant = instant
    }
}
