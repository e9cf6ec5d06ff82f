import Support
import Testing
import WeirWire

@testable import WeirRelay

@Suite("The processor time of the search for processes")
struct ThreadTimeBudgetTests {
    private static let millisecond: Int64 = 1_000_000

    private static func instant(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

    @Test(
        "A quarter of a second at once costs no rest; beyond it five times the excess, and 25 ms at most",
        arguments: [
            (0, 0), (249_999_999, 0), (250_000_000, 0), (250_000_001, 5), (251_000_000, 5_000_000),
            (254_999_999, 24_999_995), (255_000_000, 25_000_000), (255_000_001, 25_000_000), (900_000_000, 25_000_000),
        ] as [(Int64, Int64)]
    )
    func rests(used: Int64, rest: Int64) {
        // What the thread used before the first call does not count.
        var budget = ThreadTimeBudget(used: 7, at: Self.instant(3))
        #expect(budget.rest(used: 7 + used, at: Self.instant(3)) == rest)
        #expect(!budget.isExceeded == (used <= 500 * Self.millisecond))
    }

    @Test(
        "Half a second more than a fifth exceeds the budget",
        arguments: [(500_000_000, false), (500_000_001, true)] as [(Int64, Bool)]
    )
    func exceeds(used: Int64, isExceeded: Bool) {
        var budget = ThreadTimeBudget(used: 0, at: Self.instant(0))
        _ = budget.rest(used: used, at: Self.instant(0))
        #expect(budget.isExceeded == isExceeded)
        // Five nanoseconds pay for one; time that was not used is not saved up.
        _ = budget.rest(used: used, at: Self.instant(5))
        #expect(!budget.isExceeded)
        _ = budget.rest(used: used, at: Self.instant(10_000_000_000))
        #expect(budget.rest(used: used + 250_000_000, at: Self.instant(10_000_000_000)) == 0)
        #expect(budget.rest(used: used + 250_000_001, at: Self.instant(10_000_000_000)) == 5)
    }

    @Test("A thread that rests when it should uses a fifth of the time in the long run", arguments: 1...10)
    func longRun(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var (used, now): (Int64, Int64) = (0, 0)
        var budget = ThreadTimeBudget(used: 0, at: Self.instant(0))
        while now < 60_000 * Self.millisecond {
            // Each question costs a few milliseconds, and the next one waits already.
            let cost = Int64.random(in: Self.millisecond...5 * Self.millisecond, using: &generator)
            (used, now) = (used + cost, now + cost)
            now += budget.rest(used: used, at: Self.instant(now))
            #expect(!budget.isExceeded)
        }
        // The quarter of a second comes once; one question may go over it.
        #expect(used <= now / 5 + 255 * Self.millisecond)
        #expect(used >= now / 5 + 200 * Self.millisecond)
    }
}
