package import WeirWire

extension ByteBuffer {
    /// Appends the summary of a message, in the form of the terminal's lines: `http: GET /  answers up @0, 0.512 ms`.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - isOfStream: whether its offsets are those of a stream; those of datagrams have no meaning.
    package mutating func appendMessage(_ message: borrowing Message, isOfStream: Bool) {
        append(message.name)
        append(": ")
        appendGuarded(message.summary.utf8)
        if !message.isComplete { append("  (incomplete)") }
        guard let answer = message.answer else { return }
        append(message.direction == .upstream ? "  answers down" : "  answers up")
        if isOfStream {
            append(" @")
            appendDecimal(answer.request)
        }
        guard let delay = answer.delay else { return }
        append(", ")
        appendDuration(.nanoseconds(delay))
    }

    /// Appends a text without bare words of hex digits: `200` becomes `(200)`, `14 bytes` becomes `(14 bytes)`.
    ///
    /// `text2pcap` takes such a word for an offset, even after `>` and before a colon.
    mutating func appendGuarded(_ text: [UInt8]) {
        let text = text.span.bytes
        var at = 0
        while at < text.byteCount {
            let end = Self.wordEnd(text, at)
            let word = text.extracting(at..<end)
            if Self.isHex(word) {
                let unit = Self.unitEnd(text, word, end)
                append("(")
                append(text.extracting(at..<unit))
                append(")")
                at = unit
            } else {
                append(word)
                at = end
            }
            if at < text.byteCount, text.unsafeLoad(fromByteOffset: at, as: UInt8.self) == UInt8(ascii: " ") {
                append(" ")
                at += 1
            }
        }
    }

    private static func wordEnd(_ text: RawSpan, _ start: Int) -> Int {
        var index = start
        while index < text.byteCount, text.unsafeLoad(fromByteOffset: index, as: UInt8.self) != UInt8(ascii: " ") {
            index += 1
        }
        return index
    }

    private static func isHex(_ word: RawSpan) -> Bool {
        var (first, end) = (0, word.byteCount)
        let byte = { (word: RawSpan, index: Int) in word.unsafeLoad(fromByteOffset: index, as: UInt8.self) }
        while first < end, byte(word, first) == UInt8(ascii: ">") { first += 1 }
        if first < end, byte(word, end - 1) == UInt8(ascii: ":") { end -= 1 }
        guard first < end else { return false }
        for index in first..<end {
            let value = byte(word, index)
            guard value >= 0x30 && value <= 0x39 || value | 0x20 >= 0x61 && value | 0x20 <= 0x66 else { return false }
        }
        return true
    }

    /// Returns the end of `14 bytes`, given its number; the end of the number if no unit follows.
    private static func unitEnd(_ text: RawSpan, _ number: RawSpan, _ end: Int) -> Int {
        for unit in [" bytes", " byte"] as [StaticString] {
            let count = unit.utf8CodeUnitCount
            guard text.byteCount - end >= count else { continue }
            let isUnit = unit.withUTF8Buffer { unit in
                unit.indices.allSatisfy { text.unsafeLoad(fromByteOffset: end + $0, as: UInt8.self) == unit[$0] }
            }
            if isUnit { return end + count }
        }
        return end
    }
}
