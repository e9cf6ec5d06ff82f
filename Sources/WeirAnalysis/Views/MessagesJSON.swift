public import WeirDissect
public import WeirWire

/// The JSON form of the messages of a capture, one object each.
///
/// A key keeps its meaning forever; new keys may follow the others.
///
/// Keys, in this order: `time` (of the last byte; RFC 3339, UTC, ns; null if it is not known), `flow`, `event`
/// (`message`), `direction`, `protocol`, `offset` and `length` (in the direction's stream, or in the datagram),
/// `complete`, `summary`; with an answer `answers` (the offset of its request) and `delay_ns`; with fields `fields`, a
/// list of `name`, `offset`, `length`, `value`, and `cut` (true) if the value is cut off, and `fields_left_out` if
/// there were too many. Source: RFC 8259.
public struct MessagesJSON: Sendable {
    private let hasFields: Bool
    private var timestamp = Timestamp()

    /// Creates a renderer, with or without fields.
    public init(hasFields: Bool) {
        self.hasFields = hasFields
    }

    /// Appends a message of a flow, and a line feed.
    public mutating func append(_ message: DissectedMessage, flow: Int, to output: inout ByteBuffer) {
        output.append("{\"time\":")
        if let time = message.time ?? message.firstTime {
            output.append("\"")
            timestamp.appendRFC3339(time, to: &output)
            output.append("\"")
        } else {
            output.append("null")
        }
        output.append(",\"flow\":")
        output.appendDecimal(flow)
        output.append(",\"event\":\"message\",\"direction\":\"")
        output.append(message.direction == .upstream ? "upstream" : "downstream")
        output.append("\",\"protocol\":\"")
        output.append(message.name)
        output.append("\"")
        appendRange(message.range, to: &output)
        output.append(message.isComplete ? ",\"complete\":true,\"summary\":" : ",\"complete\":false,\"summary\":")
        output.appendJSON(message.summary.string)
        if let answer = message.answer {
            output.append(",\"answers\":")
            output.appendDecimal(answer.request)
            output.append(",\"delay_ns\":")
            if let delay = answer.delay { output.appendDecimal(delay) } else { output.append("null") }
        }
        if hasFields { appendFields(message, to: &output) }
        output.append("}\n")
    }

    private func appendRange(_ range: Range<Int>, to output: inout ByteBuffer) {
        output.append(",\"offset\":")
        output.appendDecimal(range.lowerBound)
        output.append(",\"length\":")
        output.appendDecimal(range.count)
    }

    private func appendFields(_ message: DissectedMessage, to output: inout ByteBuffer) {
        output.append(",\"fields\":[")
        for (index, field) in message.fields.enumerated() {
            output.append(index == 0 ? "{\"name\":\"" : ",{\"name\":\"")
            output.append(field.name.name)
            output.append("\"")
            appendRange(field.range, to: &output)
            output.append(",\"value\":")
            switch field.value {
            case .text(let text): output.appendJSON(text)
            case .number(let number): output.appendDecimal(number)
            case .address(let address):
                output.append("\"")
                address.write(to: &output)
                output.append("\"")
            }
            output.append(field.isCut ? ",\"cut\":true}" : "}")
        }
        output.append("]")
        if message.fieldsLeftOut > 0 {
            output.append(",\"fields_left_out\":")
            output.appendDecimal(message.fieldsLeftOut)
        }
    }
}
