import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirSinks

@Suite("Terminal sink: durations and losses")
struct TerminalDurationTests {
    @Test(
        "A duration has few digits, and the unit that they need",
        arguments: [
            (0, "0.00 ms"), (499, "0.00 ms"), (999_500, "1.0 ms"), (12_345_678, "12 ms"), (100_000_000, "0.10 s"),
            (999_999_999, "1.0 s"), (1_049_999_999, "1.0 s"), (9_950_000_000, "10 s"), (61_230_000_000, "61 s"),
        ] as [(Int64, String)]
    )
    func durations(nanoseconds: Int64, expected: String) {
        let close = CloseRecord(
            reason: .idle,
            upstream: Counters(),
            downstream: Counters(),
            duration: .nanoseconds(nanoseconds)
        )
        var sink = TerminalSink(show: .summary)
        #expect(sink.rendered(record(.closed(close))).hasSuffix(" closed, idle after \(expected)   ▲ 0 B  ▼ 0 B\n"))
    }

    @Test(
        "A loss says its datagrams and its bytes",
        arguments: [
            (0, 0, "0 B"), (1, 0, "1 B"), (0, 1, "1 datagram"), (0, 2, "2 datagrams"), (2, 1, "1 datagram, 2 B"),
        ] as [(UInt64, UInt64, String)]
    )
    func losses(bytes: UInt64, datagrams: UInt64, expected: String) {
        var sink = TerminalSink(show: .summary)
        #expect(sink.rendered(record(Sample.loss(bytes, datagrams, .reset))).hasSuffix(" dropped \(expected), reset\n"))
    }
}
