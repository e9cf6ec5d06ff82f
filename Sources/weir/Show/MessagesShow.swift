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

    init(_ query: FlowQuery?, leg: FlowLeg? = nil, hasFields: Bool, isJSON: Bool, color: Bool) {
        let query = MessagesQuery(query)
        needsBytes = hasFields ? "--fields" : leg == .server ? "--leg server" : query.needsBytes
        legs = LegMessages(only: leg)
        dissector = CaptureDissector(wantsFields: hasFields)
        self.query = query
        renderer = Renderer(hasFields: hasFields, isJSON: isJSON, color: color)
    }

    var isLive: Bool { true }

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

        init(hasFields: Bool, isJSON: Bool, color: Bool) {
            text = MessagesText(hasFields: hasFields, color: color, localOffset: Terminal.localOffset)
            json = isJSON ? MessagesJSON(hasFields: hasFields) : nil
        }

        mutating func append(_ message: Message, _ flow: FlowLabel, _ output: ShowOutput) {
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
