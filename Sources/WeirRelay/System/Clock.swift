import Glibc
public import WeirWire

/// The system's clocks.
public enum SystemClock {
    /// Reads the time of day and the monotonic clock.
    public static func now() -> Moment {
        Moment(wallNanoseconds: read(CLOCK_REALTIME), instant: instant())
    }

    /// Reads the monotonic clock.
    public static func instant() -> Instant { Instant(nanoseconds: read(CLOCK_MONOTONIC)) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
