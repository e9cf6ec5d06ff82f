import WeirWire

extension ByteBuffer {
    /// Appends the keys of a message: `protocol`, `offset` (in a stream), `length`, `summary`; `complete`, where it is not;
    /// `answers` (the request's offset, in a stream) and `answer_ns`, where it answers.
    mutating func appendMessageKeys(_ message: borrowing DissectedMessage, isOfStream: Bool) {
        append(",\"protocol\":\"")
        append(message.name)
        append("\"")
        if isOfStream {
            append(",\"offset\":")
            appendDecimal(message.range.lowerBound)
        }
        append(",\"length\":")
        appendDecimal(message.range.count)
        append(",\"summary\":\"")
        appendJSONEscaped(message.summary.utf8)
        append("\"")
        if !message.isComplete { append(",\"complete\":false") }
        guard let answer = message.answer else { return }
        if isOfStream {
            append(",\"answers\":")
            appendDecimal(answer.request)
        }
        guard let delay = answer.delay else { return }
        append(",\"answer_ns\":")
        appendDecimal(delay)
    }

    /// Appends text in which there are no control characters. Source: RFC 8259 section 7.
    private mutating func appendJSONEscaped(_ text: [UInt8]) {
        for byte in text {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append("\\") }
            append(byte)
        }
    }
}
