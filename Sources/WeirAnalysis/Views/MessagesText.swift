import WeirDissect
public import WeirWire

/// The text form of the messages of a capture: a line each, and if requested a line for each field.
///
/// On a terminal lines fit, and how long an answer took stands at their right edge. In a pipe they are whole, and an answer
/// says where its request is.
public struct MessagesText: Sendable {
    private let hasFields: Bool
    private let style: TerminalStyle
    private var timestamp: Timestamp

    /// Creates a renderer.
    ///
    /// - Parameters:
    ///   - style: The reader.
    ///   - hasFields: Whether fields are shown.
    ///   - localOffset: How far local time is ahead of UTC.
    public init(
        _ style: TerminalStyle = TerminalStyle(),
        hasFields: Bool,
        localOffset: @escaping Timestamp.LocalOffset = { _ in 0 }
    ) {
        self.hasFields = hasFields
        self.style = style
        timestamp = Timestamp(localOffset: localOffset)
    }

    /// Appends a message of a flow.
    public mutating func append(_ message: Message, flow: FlowLabel, to output: inout ByteBuffer) {
        let start = begin(message, flow, &output)
        appendSummary(of: message, &output)
        end(message.answer, from: start, &output)
        if hasFields { appendFields(message, to: &output) }
    }

    /// Appends a request and its answer in one line, with the time of the request; the answer alone if its request is not
    /// known.
    public mutating func append(
        request: Message?,
        answer: Message,
        flow: FlowLabel,
        to output: inout ByteBuffer
    ) {
        guard let request else { return append(answer, flow: flow, to: &output) }
        let start = begin(request, flow, &output)
        let text = output.count
        appendSummary(of: request, &output)
        output.makeRoom(for: answer.summary, from: start, after: text, style, then: request.direction.color)
        output.append(" ")
        output.append(style.arrow)
        output.append(" ")
        appendSummary(of: answer, &output)
        end(answer.answer, from: start, &output)
        guard hasFields else { return }
        appendFields(request, to: &output)
        appendFields(answer, to: &output)
    }

    /// Begins a line: appends time, flow, direction and protocol; returns where it begins.
    private mutating func begin(_ message: Message, _ flow: FlowLabel, _ output: inout ByteBuffer) -> Int {
        let start = output.count
        if style.color { output.append(message.direction.color) }
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
        return start
    }

    private func appendSummary(of message: Message, _ output: inout ByteBuffer) {
        message.summary.append(to: &output)
        if !message.isComplete { output.append(" (incomplete)") }
    }

    /// Ends a line with what is known of an answer: its time, in a pipe also the place of its request.
    private func end(_ answer: MessageAnswer?, from start: Int, _ output: inout ByteBuffer) {
        if style.isTerminal {
            if style.color { output.append("\u{1B}[0m") }
            guard let delay = answer?.delay else { return output.endLine(from: start, style) }
            let right = output.beginRight(style)
            output.appendBrief(.nanoseconds(delay))
            return output.endLine(from: start, right: right, style)
        }
        if let answer {
            output.append("  answers @")
            output.appendDecimal(answer.request)
            if let delay = answer.delay {
                output.append(", ")
                output.appendDuration(.nanoseconds(delay))
            }
        }
        if style.color { output.append("\u{1B}[0m") }
        output.endLine(from: start, style)
    }

    private func appendFields(_ message: Message, to output: inout ByteBuffer) {
        for field in message.fields {
            let start = output.count
            output.append("    @")
            output.appendDecimal(field.range.lowerBound)
            output.append(" ")
            output.appendCount(UInt64(field.range.count), "byte")
            output.append(" ")
            output.append(field.name.name)
            output.append(": ")
            field.value.append(to: &output)
            if field.isCut { output.append(" (cut)") }
            output.endLine(from: start, style)
        }
        if message.fieldsLeftOut > 0 {
            output.append("    ")
            output.appendCount(UInt64(message.fieldsLeftOut), "field")
            output.append(" not kept\n")
        }
    }
}
