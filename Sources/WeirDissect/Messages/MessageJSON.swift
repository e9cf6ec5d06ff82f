package import WeirWire

extension ByteBuffer {
    /// Appends the keys of a message, as in `MessagesJSON`: `protocol`, `offset` (in a stream), `length`, `complete`,
    /// `summary`, and for an answer `answers` (the request's offset, in a stream) and `delay_ns`.
    package mutating func appendMessageKeys(_ message: borrowing DissectedMessage, isOfStream: Bool) {
        append(",\"protocol\":\"")
        append(message.name)
        append("\"")
        if isOfStream {
            append(",\"offset\":")
            appendDecimal(message.range.lowerBound)
        }
        append(",\"length\":")
        appendDecimal(message.range.count)
        append(message.isComplete ? ",\"complete\":true,\"summary\":\"" : ",\"complete\":false,\"summary\":\"")
        appendJSONEscaped(message.summary.utf8)
        append("\"")
        guard let answer = message.answer else { return }
        if isOfStream {
            append(",\"answers\":")
            appendDecimal(answer.request)
        }
        guard let delay = answer.delay else { return }
        append(",\"delay_ns\":")
        appendDecimal(delay)
    }

    /// Appends text without control characters.
    ///
    /// Source: RFC 8259 section 7.
    private mutating func appendJSONEscaped(_ text: [UInt8]) {
        for byte in text {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append("\\") }
            append(byte)
        }
    }
}
