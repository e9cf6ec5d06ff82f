extension ByteBuffer {
    /// Appends a number and its noun, with an s unless the number is one: `(1 byte)`, `(14 bytes)`.
    ///
    /// The parentheses are needed: `text2pcap` takes a bare number for an offset, and discards what it read before it.
    package mutating func appendCount(_ count: UInt64, _ noun: StaticString) {
        append(UInt8(ascii: "("))
        appendDecimal(count)
        append(UInt8(ascii: " "))
        append(noun)
        append(count == 1 ? ")" : "s)")
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
}
