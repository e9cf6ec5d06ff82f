import Testing
import WeirWire

@Suite("Timestamp")
struct TimestampTests {
    private func rfc3339(_ nanoseconds: Int64) -> String {
        var timestamp = Timestamp()
        var output = ByteBuffer()
        timestamp.appendRFC3339(nanoseconds, to: &output)
        return output.string
    }

    /// Compares with what `date -u -d @SECONDS` of GNU coreutils says.
    @Test(
        "Renders UTC with nanoseconds",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000000000Z"),
            (1_795_350_667, 104_218_394, "2026-11-22T12:31:07.104218394Z"),
            (951_782_399, 999_999_999, "2000-02-28T23:59:59.999999999Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000000Z"),
            (951_868_800, 0, "2000-03-01T00:00:00.000000000Z"),
            (1_709_164_800, 0, "2024-02-29T00:00:00.000000000Z"),
            (1_735_689_599, 1, "2024-12-31T23:59:59.000000001Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59.000000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"),
            (-1, 0, "1969-12-31T23:59:59.000000000Z"),
            (-86_400, 0, "1969-12-31T00:00:00.000000000Z"),
            (-2_203_891_200, 5, "1900-03-01T00:00:00.000000005Z"),
            (-2_203_891_201, 0, "1900-02-28T23:59:59.000000000Z"),
        ] as [(Int64, Int64, String)]
    )
    func utc(_ seconds: Int64, _ nanoseconds: Int64, _ expected: String) {
        #expect(rfc3339(seconds * 1_000_000_000 + nanoseconds) == expected)
    }

    @Test("Renders the nanosecond before 1970 and the ends of its range")
    func ends() {
        #expect(rfc3339(-1) == "1969-12-31T23:59:59.999999999Z")
        #expect(rfc3339(.max) == "2262-04-11T23:47:16.854775807Z")
        #expect(rfc3339(.min) == "1677-09-21T00:12:43.145224192Z")
    }

    @Test("Renders the local time of day with microseconds, cut and not rounded")
    func local() {
        var timestamp = Timestamp(localOffset: { _ in -(3600 + 1800) })
        var output = ByteBuffer()
        timestamp.appendTimeOfDay(1_795_350_667_104_218_999, to: &output)
        output.append(" ")
        timestamp.appendTimeOfDay(-1, to: &output)
        #expect(output.string == "11:01:07.104218 22:29:59.999999")
    }

    @Test("Follows the change to summer time, and asks no more often than each quarter of an hour")
    func summerTime() {
        // Central Europe, 2026-03-29 01:00 UTC.
        let change: Int64 = 1_774_746_000
        var timestamp = Timestamp(localOffset: { $0 < change ? 3600 : 7200 })
        var output = ByteBuffer()
        timestamp.appendTimeOfDay((change - 1) * 1_000_000_000, to: &output)
        output.append(" ")
        timestamp.appendTimeOfDay(change * 1_000_000_000, to: &output)
        #expect(output.string == "01:59:59.000000 03:00:00.000000")
    }

    @Test("Renders both kinds of one time without mixing them up")
    func both() {
        var timestamp = Timestamp(localOffset: { _ in 7200 })
        var output = ByteBuffer()
        for _ in 0..<2 {
            timestamp.appendTimeOfDay(0, to: &output)
            output.append(" ")
            timestamp.appendRFC3339(0, to: &output)
            output.append(" ")
        }
        #expect(
            output.string == "02:00:00.000000 1970-01-01T00:00:00.000000000Z "
                + "02:00:00.000000 1970-01-01T00:00:00.000000000Z "
        )
    }
}
