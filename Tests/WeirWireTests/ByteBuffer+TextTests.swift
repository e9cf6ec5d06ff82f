import Testing
import WeirWire

@Suite("Byte buffer: counts and durations")
struct ByteBufferTextTests {
    @Test(
        "A count has its noun, in the plural unless it is one",
        arguments: [
            (0, "0 bytes"), (1, "1 byte"), (2, "2 bytes"), (11, "11 bytes"),
            (.max, "18446744073709551615 bytes"),
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

    @Test(
        "A brief duration has two or three digits and its unit",
        arguments: [
            (0, "0.00 ms"), (-5, "0.00 ms"), (4_000, "0.00 ms"), (5_000, "0.01 ms"), (512_000, "0.51 ms"),
            (994_000, "0.99 ms"), (995_000, "1.0 ms"), (1_300_000, "1.3 ms"), (9_949_000, "9.9 ms"),
            (9_950_000, "10 ms"), (24_400_000, "24 ms"), (99_499_000, "99 ms"), (99_500_000, "0.10 s"),
            (240_000_000, "0.24 s"), (994_999_000, "0.99 s"), (995_000_000, "1.0 s"), (9_949_999_000, "9.9 s"),
            (9_950_000_000, "10 s"), (75_000_000_000, "75 s"), (599_499_999_000, "599 s"), (599_500_000_000, "10 min"),
            (5_969_999_999_000, "99 min"), (5_970_000_000_000, "1.7 h"), (9_000_000_000_000, "2.5 h"),
        ] as [(Int64, String)]
    )
    func briefDurations(nanoseconds: Int64, text: String) {
        #expect(rendered { $0.appendBrief(.nanoseconds(nanoseconds)) } == text)
    }
}
