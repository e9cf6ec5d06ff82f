import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// The view of what the bytes of the flows mean, message by message.
struct MessagesShow: ShowView, ~Copyable {
    private var query: MessagesQuery
    private var dissector: CaptureDissector
    private var legs: LegMessages
    private var renderer: Renderer
    private var joiner = FlowRows()
    /// The option for which the messages that a log has are not enough.
    let needsBytes: String?
    /// The maximum number of answers that are sorted, if none is given.
    static let defaultLimit = 1000

    /// Creates the view.
    ///
    /// - Parameters:
    ///   - query: What is wanted; nil for all.
    ///   - leg: The leg whose messages alone are wanted.
    ///   - hasFields: Whether fields are shown.
    ///   - isJSON: Whether JSON is shown.
    ///   - slowest: The number of answers to show, the slowest first; nil for all messages in their order.
    ///   - style: What the reader of the text can show.
    init(
        _ query: FlowQuery?,
        leg: FlowLeg? = nil,
        hasFields: Bool,
        isJSON: Bool,
        slowest: Int? = nil,
        _ style: TerminalStyle
    ) {
        let query = MessagesQuery(query)
        needsBytes = hasFields ? "--fields" : leg == .server ? "--leg server" : query.needsBytes
        legs = LegMessages(only: leg)
        dissector = CaptureDissector(wantsFields: hasFields)
        self.query = query
        renderer = Renderer(hasFields: hasFields, isJSON: isJSON, slowest: slowest, style)
    }

    var isLive: Bool { !renderer.isSorted }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        query.begin(metadata, in: flows, joiner)
        dissector.begin(in: flows, joiner)
    }

    mutating func take(_ block: CaptureBlock) { joiner.add(block) }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        if query.isGiven, !query.add(packet, bytes, in: flows, joiner) { return }
        Self.add(packet, bytes, in: flows, to: &dissector, &query, joiner, &legs, &renderer, output)
    }

    mutating func take(_ messages: [LoggedMessage], in flows: borrowing CaptureFlows, _ output: ShowOutput) {
        for message in messages {
            guard let place = flows.table.find(message.tuple) else { continue }
            let label = FlowLabel(number: joiner.number(place))
            Self.take(message.message, of: joiner.row(place, of: flows.table), label, &query, &renderer, output)
        }
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        Self.finish(in: flows, &dissector, &query, joiner, &legs, &renderer, output)
        renderer.finish(output)
    }

    private static func take(
        _ message: Message,
        of row: @autoclosure () -> FlowRow,
        _ label: FlowLabel,
        _ query: inout MessagesQuery,
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        query.take(message, of: row()) { renderer.append($0, label, output) }
    }

    private static func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        to dissector: inout CaptureDissector,
        _ query: inout MessagesQuery,
        _ joiner: FlowRows,
        _ legs: inout LegMessages,
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        // Before the query: it must not see both legs' requests, of which each has an answer.
        dissector.add(packet, bytes, in: flows) { place, message in
            legs.add(message, of: joiner.number(place), joiner.comparedLeg(place)) { message, label in
                // A message of the other leg may have waited for this one.
                take(
                    message,
                    of: joiner.row(
                        joiner.place(label.number, label.leg, count: flows.table.count) ?? place,
                        of: flows.table
                    ),
                    label,
                    &query,
                    &renderer,
                    output
                )
            }
        }
    }

    private static func finish(
        in flows: borrowing CaptureFlows,
        _ dissector: inout CaptureDissector,
        _ query: inout MessagesQuery,
        _ joiner: FlowRows,
        _ legs: inout LegMessages,
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        dissector.finish { place, message in
            legs.add(message, of: joiner.number(place), joiner.comparedLeg(place)) { message, label in
                // A message of the other leg may have waited for this one.
                take(
                    message,
                    of: joiner.row(
                        joiner.place(label.number, label.leg, count: flows.table.count) ?? place,
                        of: flows.table
                    ),
                    label,
                    &query,
                    &renderer,
                    output
                )
            }
        }
        legs.finish { message, label in
            guard let place = joiner.place(label.number, label.leg, count: flows.table.count) else { return }
            take(message, of: joiner.row(place, of: flows.table), label, &query, &renderer, output)
        }
        query.finish({ joiner.row($0, of: flows.table) }) { place, message in
            renderer.append(message, FlowLabel(number: joiner.number(place), leg: joiner.secondLeg(place)), output)
        }
    }

    /// A renderer of messages in the requested form.
    private struct Renderer {
        private var text: MessagesText
        private var json: MessagesJSON?
        private var slowest: SlowestAnswers?
        private let style: TerminalStyle

        init(hasFields: Bool, isJSON: Bool, slowest: Int?, _ style: TerminalStyle) {
            self.style = style
            text = MessagesText(style, hasFields: hasFields, localOffset: Terminal.localOffset)
            json = isJSON ? MessagesJSON(hasFields: hasFields) : nil
            self.slowest = slowest.map { SlowestAnswers(limit: $0) }
        }

        /// Whether messages are sorted, and shown at the end.
        var isSorted: Bool { slowest != nil }

        /// Shows the messages that were sorted, and how many were left out.
        mutating func finish(_ output: ShowOutput) {
            guard let slowest else { return }
            let answers = slowest.answers
            for answer in answers {
                output.write { buffer in
                    if json != nil {
                        if let request = answer.request { json?.append(request, flow: answer.flow, to: &buffer) }
                        json?.append(answer.answer, flow: answer.flow, to: &buffer)
                    } else {
                        text.append(request: answer.request, answer: answer.answer, flow: answer.flow, to: &buffer)
                    }
                }
            }
            guard json == nil, answers.count < slowest.count else { return }
            output.write { buffer in
                let start = buffer.count
                buffer.append("the \(answers.count) slowest of \(slowest.count) answers")
                buffer.endLine(from: start, style)
            }
        }

        mutating func append(_ message: Message, _ flow: FlowLabel, _ output: ShowOutput) {
            guard slowest == nil else {
                slowest?.add(message, of: flow)
                return
            }
            output.write { buffer in
                if json != nil {
                    json?.append(message, flow: flow, to: &buffer)
                } else {
                    text.append(message, flow: flow, to: &buffer)
                }
            }
        }
    }
}
