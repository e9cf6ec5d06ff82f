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

    @Test("Asks for the local time once in each quarter of an hour")
    func quarters() {
        // The offset is the second that was asked about, so that a time of day tells when that was.
        var timestamp = Timestamp(localOffset: { Int($0) })
        var output = ByteBuffer()
        for second in [0, 1, 899, 900, 901, 1799, 1800, 899, 898, -1, -2, -900, -901] as [Int64] {
            timestamp.appendTimeOfDay(second * 1_000_000_000, to: &output)
            output.append(" ")
        }
        #expect(
            output.string.replacing(".000000", with: "") == "00:00:00 00:00:01 00:14:59 00:30:00 00:30:01 00:44:59 "
                + "01:00:00 00:29:58 00:29:57 23:59:58 23:59:57 23:44:59 23:29:58 "
        )
    }

    @Test("Renders the local date, which may be the day before or after, and the short form in UTC")
    func dates() {
        var output = ByteBuffer()
        for offset in [-3600, 0, 3600] {
            var timestamp = Timestamp(localOffset: { _ in offset })
            for second in [1_767_225_599, 1_767_225_600] as [Int64] {
                timestamp.appendDateAndTime(second * 1_000_000_000 + 123_456_789, to: &output)
                output.append("|")
                timestamp.appendRFC3339(second * 1_000_000_000, to: &output)
                output.append("|")
                timestamp.appendCompact(second * 1_000_000_000 + 999_999_999, to: &output)
                output.append("\n")
            }
        }
        #expect(
            output.string == """
                2025-12-31 22:59:59.123456|2025-12-31T23:59:59.000000000Z|20251231T235959Z
                2025-12-31 23:00:00.123456|2026-01-01T00:00:00.000000000Z|20260101T000000Z
                2025-12-31 23:59:59.123456|2025-12-31T23:59:59.000000000Z|20251231T235959Z
                2026-01-01 00:00:00.123456|2026-01-01T00:00:00.000000000Z|20260101T000000Z
                2026-01-01 00:59:59.123456|2025-12-31T23:59:59.000000000Z|20251231T235959Z
                2026-01-01 01:00:00.123456|2026-01-01T00:00:00.000000000Z|20260101T000000Z

                """
        )
        var compact = ByteBuffer()
        Timestamp().appendCompact(-1, to: &compact)
        Timestamp().appendCompact(951_782_400_000_000_000, to: &compact)
        #expect(compact.string == "19691231T235959Z20000229T000000Z")
    }

    @Test("Each day of four hundred years follows the one before it")
    func days() throws {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var (year, month, day) = (1900, 1, 1)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        for days in -25_567..<106_500 as Range<Int64> {
            let text = rfc3339(days * 86_400_000_000_000)
            guard text.hasPrefix("\(year)-\(two(month))-\(two(day))T00:00:00.") else {
                Issue.record("\(text) is not \(year)-\(month)-\(day)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            guard day > lengths[month - 1] + (isLeap && month == 2 ? 1 : 0) else { continue }
            (month, day) = (month + 1, 1)
            if month == 13 { (year, month) = (year + 1, 1) }
        }
        #expect(year == 2261)
    }
}
