import WeirDissect
public import WeirWire

/// The JSON form of the messages of a capture, one object each.
///
/// A key keeps its meaning forever; new keys may follow the others.
///
/// Keys, in this order: `time` (of the last byte; RFC 3339, UTC, ns; null if it is not known), `flow`, `event`
/// (`message`), `direction`, `protocol`, `offset` and `length` (in the direction's stream, or in the datagram),
/// `complete`, `summary`; with an answer `answers` (the offset of its request) and `delay_ns`; with fields `fields`, a
/// list of `name`, `offset`, `length`, `value`, and `cut` (true) if the value is cut off, and `fields_left_out` if
/// there were too many; `leg` (`client` or `server`) if the
/// flow's legs have to be told apart; `decrypted` (true) if the message was encrypted. Source: RFC 8259.
public struct MessagesJSON: Sendable {
    private let hasFields: Bool
    private var timestamp = Timestamp()

    /// Creates a renderer, with or without fields.
    public init(hasFields: Bool) {
        self.hasFields = hasFields
    }

    /// Appends a message of a flow, and a line feed.
    public mutating func append(_ message: Message, flow: FlowLabel, to output: inout ByteBuffer) {
        output.appendJSONLine { json in
            json.member("time", message.time ?? message.firstTime, by: &timestamp)
            json.member("flow", flow.number)
            json.member("event", "message")
            json.member("direction", message.direction)
            json.member("protocol", message.name)
            appendRange(message.range, to: &json)
            json.member("complete", message.isComplete)
            json.member("summary", utf8: message.summary.utf8.span.bytes)
            if let answer = message.answer {
                json.member("answers", answer.request)
                json.member("delay_ns", answer.delay)
            }
            if hasFields { appendFields(message, to: &json) }
            if let leg = flow.leg { json.member("leg", leg.name) }
            if message.isDecrypted { json.member("decrypted", true) }
        }
    }

    private func appendRange(_ range: Range<Int>, to json: inout JSONWriter) {
        json.member("offset", range.lowerBound)
        json.member("length", range.count)
    }

    private func appendFields(_ message: Message, to json: inout JSONWriter) {
        json.array("fields") { json in
            for field in message.fields {
                json.object { json in
                    json.member("name", field.name.name)
                    appendRange(field.range, to: &json)
                    switch field.value {
                    case .text(let text): json.member("value", text)
                    case .number(let number): json.member("value", number)
                    case .address(let address): json.member("value", address)
                    }
                    if field.isCut { json.member("cut", true) }
                }
            }
        }
        if message.fieldsLeftOut > 0 { json.member("fields_left_out", message.fieldsLeftOut) }
    }
}
