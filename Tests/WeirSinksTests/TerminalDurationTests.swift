import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirSinks

@Suite("Terminal sink: durations and losses")
struct TerminalDurationTests {
    @Test(
        "A duration has microseconds below a second, and tenths from there",
        arguments: [
            (0, "0.000 ms"), (499, "0.000 ms"), (500, "0.001 ms"), (1_499, "0.001 ms"), (999_500, "1.000 ms"),
            (12_345_678, "12.346 ms"), (100_000_000, "100.000 ms"),
            (999_999_499, "999.999 ms"), (999_999_500, "1000.000 ms"), (1_000_000_000, "1.0 s"),
            (1_049_999_999, "1.0 s"), (1_050_000_000, "1.1 s"),
            (9_949_999_999, "9.9 s"), (9_950_000_000, "10.0 s"), (61_230_000_000, "61.2 s"),
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
        #expect(sink.rendered(record(.closed(close))).hasSuffix(" down (0 bytes) (0 chunks) \(expected), idle\n"))
    }

    @Test(
        "A loss says its datagrams and its bytes",
        arguments: [
            (0, 0, "(0 bytes)"), (1, 0, "(1 byte)"), (0, 1, "(1 datagram)"), (0, 2, "(2 datagrams)"),
            (2, 1, "(1 datagram) (2 bytes)"),
        ] as [(UInt64, UInt64, String)]
    )
    func losses(bytes: UInt64, datagrams: UInt64, expected: String) {
        var sink = TerminalSink(show: .summary)
        #expect(sink.rendered(record(Sample.loss(bytes, datagrams, .reset))).hasSuffix(" dropped \(expected), reset\n"))
    }
}
