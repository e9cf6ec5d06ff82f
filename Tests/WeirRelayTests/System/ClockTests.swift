import Glibc
import Testing
import WeirWire

@testable import WeirRelay

@Suite("The system's clocks")
struct ClockTests {
    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    @Test("They are the kernel's, to the nanosecond")
    func reads() {
        for _ in 0..<100 {
            let before = Self.read(CLOCK_MONOTONIC)
            let instants = [SystemClock.instant(), SystemClock.now().instant]
            let after = Self.read(CLOCK_MONOTONIC)
            #expect(before <= instants[0].nanoseconds && instants[0] <= instants[1] && instants[1].nanoseconds <= after)
        }
        let before = Self.read(CLOCK_REALTIME)
        let wall = SystemClock.now().wallNanoseconds
        #expect((before...max(before, Self.read(CLOCK_REALTIME))).contains(wall))
    }
}
