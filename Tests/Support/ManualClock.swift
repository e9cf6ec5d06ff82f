import Synchronization
public import WeirWire

/// A clock that stands still until a test moves it.
public struct ManualClock: Sendable {
    /// The time at which every such clock starts: 2026-11-22 12:31:07.104218394 UTC, and some monotonic instant.
    public static let start = Moment(
        wallNanoseconds: 1_795_350_667_104_218_394,
        instant: Instant(nanoseconds: 5_000_000_000_000)
    )

    /// The time of both clocks.
    public private(set) var now = ManualClock.start

    /// Creates a clock at `start`.
    public init() {}

    /// Advances both clocks by a duration.
    public mutating func advance(by duration: Duration) {
        now.wallNanoseconds += duration.inNanoseconds
        now.instant = now.instant.advanced(by: duration)
    }

    /// Moves only the time of day, forward or back.
    public mutating func setWall(ahead duration: Duration) {
        now.wallNanoseconds += duration.inNanoseconds
    }

    /// Returns the instant at a duration after `start`.
    public static func instant(_ duration: Duration) -> Instant { start.instant.advanced(by: duration) }

    /// Returns the moment at a duration after `start`.
    public static func moment(_ duration: Duration) -> Moment {
        var clock = ManualClock()
        clock.advance(by: duration)
        return clock.now
    }
}

/// A monotonic clock that a test sets, for what reads it on other threads.
package final class ManualTime: Sendable {
    private let nanoseconds = Atomic<Int64>(ManualClock.start.instant.nanoseconds)

    /// Makes a clock that stands at `ManualClock.start`.
    package init() {}

    /// The instant that it shows.
    package var now: Instant { Instant(nanoseconds: nanoseconds.load(ordering: .relaxed)) }

    /// Sets it to a duration after its start.
    package func set(_ duration: Duration) {
        nanoseconds.store(ManualClock.instant(duration).nanoseconds, ordering: .relaxed)
    }
}
