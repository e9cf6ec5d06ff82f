import Testing
import WeirWire

@Suite("Instants")
struct InstantTests {
    @Test("Stop at the last one, and measure both ways")
    func bounds() {
        let instant = Instant(nanoseconds: 1_000)
        #expect(instant.advanced(by: .seconds(300 * 366 * 86_400)) == Instant(nanoseconds: .max))
        #expect(instant.advanced(by: .nanoseconds(-400)) == Instant(nanoseconds: 600))
        #expect(instant.duration(to: Instant(nanoseconds: 400)) == .nanoseconds(-600))
        #expect(Instant(nanoseconds: 1) < Instant(nanoseconds: 2))
    }

    @Test("Count a duration's nanoseconds, cut and never trapping")
    func nanoseconds() {
        #expect(Duration.milliseconds(1.5).inNanoseconds == 1_500_000)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: 1_999_999_999).inNanoseconds == 1)
        #expect(Duration.seconds(Int64.max).inNanoseconds == .max)
    }
}
