/// A reader of times in UTC, `2026-11-22T12:31:07.104218394Z`, in ns since 1970.
///
/// It remembers the last second, because most lines of a log are of the same second as the line before.
///
/// Source: RFC 3339 section 5.6; H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
package struct TimestampReader: Sendable {
    private struct Second: Equatable {
        // The 19 bytes of date and time; the last word overlaps the second one by one byte.
        var first: UInt64
        var second: UInt64
        var third: UInt32
    }

    private var text: Second?
    private var nanoseconds: Int64 = 0

    /// Creates a reader.
    package init() {}

    /// Reads a time; returns nil if the text is not one.
    package mutating func read(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count >= 20, text[text.count - 1] == UInt8(ascii: "Z") else { return nil }
        let second = Second(
            first: text.loadUnaligned(as: UInt64.self),
            second: text.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            third: text.loadUnaligned(fromByteOffset: 15, as: UInt32.self)
        )
        if second != self.text {
            guard let found = Self.seconds(text) else { return nil }
            let (product, overflows) = found.multipliedReportingOverflow(by: 1_000_000_000)
            // The years 1677 to 2262 fit; a second less leaves room for its fraction.
            guard !overflows, product < .max - 1_000_000_000 else { return nil }
            (self.text, nanoseconds) = (second, product)
        }
        let digits = text.count - 21
        guard digits <= 9 else { return nil }
        guard digits > 0 else { return text.count == 20 ? nanoseconds : nil }
        guard text[19] == UInt8(ascii: "."), var fraction = Self.field(text, 20, digits) else { return nil }
        for _ in digits..<9 { fraction *= 10 }
        return nanoseconds + fraction
    }

    private static func field(_ text: UnsafeRawBufferPointer, _ offset: Int, _ digits: Int) -> Int64? {
        var value: Int64 = 0
        for byte in text[offset..<(offset + digits)] {
            guard byte &- 0x30 <= 9 else { return nil }
            value = value * 10 + Int64(byte & 0xf)
        }
        return value
    }

    private static func seconds(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard let year = field(text, 0, 4), let month = field(text, 5, 2), let day = field(text, 8, 2),
            let hour = field(text, 11, 2), let minute = field(text, 14, 2), let second = field(text, 17, 2),
            (1...12).contains(month)
        else { return nil }
        let (shifted, monthFromMarch) = (month <= 2 ? year - 1 : year, (month + 9) % 12)
        let yearOfEra = shifted % 400
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + (153 * monthFromMarch + 2) / 5 + day - 1
        let days = shifted / 400 * 146_097 + dayOfEra - 719_468
        return ((days * 24 + hour) * 60 + minute) * 60 + second
    }
}
