package import WeirWire

extension JSONWriter {
    /// Appends the members of a message, as in `MessagesJSON`: `protocol`, `offset` (in a stream), `length`, `complete`,
    /// `summary`, and for an answer `answers` (the request's offset, in a stream) and `delay_ns`.
    package mutating func appendMembers(of message: borrowing Message, isOfStream: Bool) {
        member("protocol", message.name)
        if isOfStream { member("offset", message.range.lowerBound) }
        member("length", message.range.count)
        member("complete", message.isComplete)
        member("summary", utf8: message.summary.utf8.span.bytes)
        guard let answer = message.answer else { return }
        if isOfStream { member("answers", answer.request) }
        if let delay = answer.delay { member("delay_ns", delay) }
    }

    /// Appends what queries ask of a message, as far as it has it: `request` (true if an answer is expected), `method`, `path`
    /// (the request's target), `status`, `host`, `sni` and `error` (true).
    package mutating func appendFacts(of message: borrowing Message) {
        if message.isRequest { member("request", true) }
        let facts = message.facts
        if let method = facts.method { member("method", method) }
        if let target = facts.target { member("path", target) }
        if let status = facts.status { member("status", status) }
        if let host = facts.host { member("host", host) }
        if let name = facts.serverName { member("sni", name) }
        if facts.isError { member("error", true) }
    }
}
