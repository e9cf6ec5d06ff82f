/// A renderer of times of day and RFC 3339 times, which keeps the fields of the last second.
public struct Timestamp: Sendable {
    /// A function that returns how many seconds local time is ahead of UTC at a time, in seconds since 1970 UTC.
    public typealias LocalOffset = @Sendable (_ secondsSince1970: Int64) -> Int

    private let localOffset: LocalOffset
    private var second = Int64.min
    private var isLocal = false
    private var hour = Int64.min
    private var offset = 0
    private var date = CivilDate(secondsSince1970: 0)

    /// Creates a renderer; the default is UTC.
    public init(localOffset: @escaping LocalOffset = { _ in 0 }) {
        self.localOffset = localOffset
    }

    /// Appends the local date and time of day with microseconds: `2026-11-22 12:31:07.104218`.
    public mutating func appendDateAndTime(_ nanoseconds: Int64, to output: inout ByteBuffer) {
        setLocal(nanoseconds)
        appendDate(to: &output)
        output.append(UInt8(ascii: " "))
        appendTimeOfDay(nanoseconds, to: &output)
    }

    /// Appends the local time of day with microseconds: `12:31:07.104218`.
    public mutating func appendTimeOfDay(_ nanoseconds: Int64, to output: inout ByteBuffer) {
        let second = setLocal(nanoseconds)
        appendSeconds(to: &output)
        output.appendDecimal(Int(nanoseconds &- second &* 1_000_000_000) / 1000, width: 6)
    }

    /// Sets the local fields for a time, and returns its second.
    @discardableResult
    private mutating func setLocal(_ nanoseconds: Int64) -> Int64 {
        let second = nanoseconds.floorDivided(by: 1_000_000_000)
        if second != self.second || !isLocal {
            isLocal = true
            let hour = second.floorDivided(by: 900)
            if hour != self.hour { offset = localOffset(second) }
            self.hour = hour
            self.second = second
            date = CivilDate(secondsSince1970: second + Int64(offset))
        }
        return second
    }

    /// Appends the time in UTC with nanoseconds: `2026-11-22T12:31:07.104218394Z`.
    ///
    /// Source: RFC 3339 section 5.6.
    public mutating func appendRFC3339(_ nanoseconds: Int64, to output: inout ByteBuffer) {
        let second = nanoseconds.floorDivided(by: 1_000_000_000)
        if second != self.second || isLocal {
            isLocal = false
            self.second = second
            date = CivilDate(secondsSince1970: second)
        }
        appendDate(to: &output)
        output.append(UInt8(ascii: "T"))
        appendSeconds(to: &output)
        output.appendDecimal(Int(nanoseconds &- second &* 1_000_000_000), width: 9)
        output.append(UInt8(ascii: "Z"))
    }

    /// Appends `2026-11-22`.
    private func appendDate(to output: inout ByteBuffer) {
        output.appendDecimal(date.year, width: 4)
        output.append(UInt8(ascii: "-"))
        output.appendDecimal(date.month, width: 2)
        output.append(UInt8(ascii: "-"))
        output.appendDecimal(date.day, width: 2)
    }

    /// Appends the time in UTC to the second, in the form for a file's name: `20261122T123107Z`.
    ///
    /// Source: ISO 8601-1, basic format.
    public func appendCompact(_ nanoseconds: Int64, to output: inout ByteBuffer) {
        let date = CivilDate(secondsSince1970: nanoseconds.floorDivided(by: 1_000_000_000))
        output.appendDecimal(date.year, width: 4)
        output.appendDecimal(date.month, width: 2)
        output.appendDecimal(date.day, width: 2)
        output.append(UInt8(ascii: "T"))
        output.appendDecimal(date.hour, width: 2)
        output.appendDecimal(date.minute, width: 2)
        output.appendDecimal(date.second, width: 2)
        output.append(UInt8(ascii: "Z"))
    }

    /// Appends `12:31:07.`.
    private func appendSeconds(to output: inout ByteBuffer) {
        output.appendDecimal(date.hour, width: 2)
        output.append(UInt8(ascii: ":"))
        output.appendDecimal(date.minute, width: 2)
        output.append(UInt8(ascii: ":"))
        output.appendDecimal(date.second, width: 2)
        output.append(UInt8(ascii: "."))
    }
}

/// A time in the fields of the Gregorian calendar.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
private struct CivilDate {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int

    init(secondsSince1970 seconds: Int64) {
        let days = seconds.floorDivided(by: 86_400)
        let rest = Int(seconds - days * 86_400)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        // Years start in March, so that the leap day is the last of its year; an era is 400 years.
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = Int(shifted - era * 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + Int(era) * 400 + (month <= 2 ? 1 : 0)
    }
}

extension Int64 {
    /// Divides, rounding toward negative infinity.
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
