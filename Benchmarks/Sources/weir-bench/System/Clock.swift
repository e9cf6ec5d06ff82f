import Glibc

/// Reads the monotonic clock without allocating.
enum Clock {
    /// Returns nanoseconds since an arbitrary start.
    @inline(__always)
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: time.tv_nsec)
    }

    /// Returns the seconds between two readings.
    static func seconds(from start: UInt64, to end: UInt64) -> Double {
        Double(end &- start) / 1e9
    }

    /// Returns a count of seconds in nanoseconds.
    static func nanoseconds(ofSeconds seconds: Double) -> UInt64 {
        UInt64(max(0, seconds) * 1e9)
    }

    /// Returns the processor time that this process has used, in seconds.
    static func ownProcessorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
