extension ByteBuffer {
    /// Appends a number and its noun, with an s unless the number is one: `1 byte`, `14 bytes`.
    package mutating func appendCount(_ count: UInt64, _ noun: StaticString) {
        appendDecimal(count)
        append(UInt8(ascii: " "))
        append(noun)
        if count != 1 { append(UInt8(ascii: "s")) }
    }

    /// Appends a duration for people: `0.512 ms`, from one second on `9.9 s`.
    package mutating func appendDuration(_ duration: Duration) {
        guard duration < .milliseconds(1000) else {
            let tenths = (duration.inNanoseconds + 50_000_000) / 100_000_000
            appendDecimal(tenths / 10)
            append(UInt8(ascii: "."))
            appendDecimal(Int(tenths % 10), width: 1)
            return append(" s")
        }
        let microseconds = max(0, (duration.inNanoseconds + 500) / 1000)
        appendDecimal(microseconds / 1000)
        append(UInt8(ascii: "."))
        appendDecimal(Int(microseconds % 1000), width: 3)
        append(" ms")
    }

    /// Appends a duration in few digits: `0.51 ms`, `1.3 ms`, `24 ms`, `0.24 s`, `9.9 s`, `75 s`, `12 min`, `2.5 h`.
    package mutating func appendBrief(_ duration: Duration) {
        // Rounded once, from the nanoseconds: 1.0499999 s is 1.0 s.
        let nanoseconds = max(0, duration.inNanoseconds)
        switch nanoseconds {
        case ..<995_000: appendFixed(nanoseconds, unit: 1_000_000, decimals: 2, " ms")
        case ..<9_950_000: appendFixed(nanoseconds, unit: 1_000_000, decimals: 1, " ms")
        case ..<99_500_000: appendFixed(nanoseconds, unit: 1_000_000, decimals: 0, " ms")
        case ..<995_000_000: appendFixed(nanoseconds, unit: 1_000_000_000, decimals: 2, " s")
        case ..<9_950_000_000: appendFixed(nanoseconds, unit: 1_000_000_000, decimals: 1, " s")
        case ..<599_500_000_000: appendFixed(nanoseconds, unit: 1_000_000_000, decimals: 0, " s")
        case ..<5_970_000_000_000: appendFixed(nanoseconds, unit: 60_000_000_000, decimals: 0, " min")
        default: appendFixed(nanoseconds, unit: 3_600_000_000_000, decimals: 1, " h")
        }
    }

    /// Appends a rounded part of a unit with a number of decimal places, up to two, and the unit's name.
    private mutating func appendFixed(_ value: Int64, unit: Int64, decimals: Int, _ name: StaticString) {
        let scale: Int64 = decimals == 0 ? 1 : decimals == 1 ? 10 : 100
        // The remainder is less than an hour, so that no value is too large.
        let rounded = value / unit * scale + (value % unit * scale + unit / 2) / unit
        appendDecimal(rounded / scale)
        if decimals > 0 {
            append(UInt8(ascii: "."))
            appendDecimal(Int(rounded % scale), width: decimals)
        }
        append(name)
    }
}
