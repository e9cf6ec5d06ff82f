import WeirDissect
public import WeirWire

/// The text form of the messages of a capture: a line each, and if requested a line for each field.
public struct MessagesText: Sendable {
    private let hasFields: Bool
    private let color: Bool
    private var timestamp: Timestamp

    /// Creates a renderer.
    ///
    /// - Parameters:
    ///   - hasFields: whether fields are shown.
    ///   - color: whether lines are colored with ANSI sequences.
    ///   - localOffset: how far local time is ahead of UTC.
    public init(hasFields: Bool, color: Bool, localOffset: @escaping Timestamp.LocalOffset = { _ in 0 }) {
        self.hasFields = hasFields
        self.color = color
        timestamp = Timestamp(localOffset: localOffset)
    }

    /// Appends a message of a flow.
    public mutating func append(_ message: Message, flow: FlowLabel, to output: inout ByteBuffer) {
        if color { output.append(message.direction == .upstream ? "\u{1B}[36m" : "\u{1B}[33m") }
        if let time = message.time ?? message.firstTime {
            timestamp.appendTimeOfDay(time, to: &output)
        } else {
            output.append("no time        ")
        }
        output.append(" ")
        flow.append(to: &output)
        output.append(message.direction == .upstream ? " up    " : " down  ")
        output.append(message.name)
        output.append(" ")
        message.summary.append(to: &output)
        if !message.isComplete { output.append(" (incomplete)") }
        if let answer = message.answer {
            output.append("  answers @")
            output.appendDecimal(answer.request)
            if let delay = answer.delay {
                output.append(", ")
                output.appendDuration(.nanoseconds(delay))
            }
        }
        if color { output.append("\u{1B}[0m") }
        output.append("\n")
        if hasFields { appendFields(message, to: &output) }
    }

    private func appendFields(_ message: Message, to output: inout ByteBuffer) {
        for field in message.fields {
            output.append("    @")
            output.appendDecimal(field.range.lowerBound)
            output.append(" ")
            output.appendCount(UInt64(field.range.count), "byte")
            output.append(" ")
            output.append(field.name.name)
            output.append(": ")
            field.value.append(to: &output)
            if field.isCut { output.append(" (cut)") }
            output.append("\n")
        }
        if message.fieldsLeftOut > 0 {
            output.append("    ")
            output.appendCount(UInt64(message.fieldsLeftOut), "field")
            output.append(" not kept\n")
        }
    }
}
