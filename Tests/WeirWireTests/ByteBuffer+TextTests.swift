import Testing
import WeirWire

@Suite("Byte buffer: counts and durations")
struct ByteBufferTextTests {
    @Test(
        "A count has its noun, in the plural unless it is one",
        arguments: [
            (0, "(0 bytes)"), (1, "(1 byte)"), (2, "(2 bytes)"), (11, "(11 bytes)"),
            (.max, "(18446744073709551615 bytes)"),
        ] as [(UInt64, String)]
    )
    func counts(count: UInt64, text: String) { #expect(rendered { $0.appendCount(count, "byte") } == text) }

    @Test(
        "A duration is in milliseconds below a second and in seconds from there, rounded to the nearest",
        arguments: [
            (0, "0.000 ms"), (-1, "0.000 ms"), (-7_000_000, "0.000 ms"), (499, "0.000 ms"), (500, "0.001 ms"),
            (1_499, "0.001 ms"), (1_500, "0.002 ms"), (999_499, "0.999 ms"), (999_500, "1.000 ms"),
            (12_034_567, "12.035 ms"), (999_999_499, "999.999 ms"), (999_999_500, "1000.000 ms"),
            (999_999_999, "1000.000 ms"), (1_000_000_000, "1.0 s"), (1_049_999_999, "1.0 s"), (1_050_000_000, "1.1 s"),
            (9_949_999_999, "9.9 s"), (9_950_000_000, "10.0 s"), (3_725_260_000_000, "3725.3 s"),
        ] as [(Int64, String)]
    )
    func durations(nanoseconds: Int64, text: String) {
        #expect(rendered { $0.appendDuration(.nanoseconds(nanoseconds)) } == text)
    }
}
