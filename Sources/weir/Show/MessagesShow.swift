import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// The view of what the bytes of the flows mean, message by message.
struct MessagesShow: ShowView, ~Copyable {
    private let query: FlowQuery?
    private var dissector: CaptureDissector
    private var legs: LegMessages
    private var renderer: Renderer
    private var joiner = FlowRows()
    /// The option for which the messages that a log has are not enough.
    let needsBytes: String?

    init(_ query: FlowQuery?, leg: FlowLeg? = nil, hasFields: Bool, isJSON: Bool, color: Bool) {
        self.query = query
        needsBytes = hasFields ? "--fields" : leg == .server ? "--leg server" : nil
        legs = LegMessages(only: leg)
        dissector = CaptureDissector(wantsFields: hasFields)
        renderer = Renderer(hasFields: hasFields, isJSON: isJSON, color: color)
    }

    var isLive: Bool { true }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        for place in [flows.tcp, flows.udp] {
            guard let place, let path = joiner.path(place.index) else { continue }
            let server = path.server ?? path.listener
            dissector.begin(leg: place.index, listener: path.listener.port, server: server.port)
        }
    }

    mutating func take(_ block: CaptureBlock) { joiner.add(block) }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        guard isWanted(flows) else { return }
        Self.add(packet, bytes, in: flows, to: &dissector, joiner, &legs, &renderer, output)
    }

    mutating func take(_ messages: [LoggedMessage], in flows: borrowing CaptureFlows, _ output: ShowOutput) {
        for message in messages {
            guard let place = flows.table.find(message.tuple) else { continue }
            guard query?.matches(joiner.row(place, of: flows.table)) ?? true else { continue }
            renderer.append(message.message, FlowLabel(number: joiner.number(place)), output)
        }
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        Self.finish(&dissector, joiner, &legs, &renderer, output)
    }

    /// Returns whether one of the packet's flows is wanted, a tunnel or one within it.
    private func isWanted(_ flows: borrowing CaptureFlows) -> Bool {
        guard let query else { return true }
        return flows.hasFlow { query.matches(joiner.row($0, of: flows.table)) }
    }

    private static func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        to dissector: inout CaptureDissector,
        _ joiner: FlowRows,
        _ legs: inout LegMessages,
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        dissector.add(packet, bytes, in: flows) { place, message in
            legs.add(message, of: joiner.number(place), joiner.comparedLeg(place)) { renderer.append($0, $1, output) }
        }
    }

    private static func finish(
        _ dissector: inout CaptureDissector,
        _ joiner: FlowRows,
        _ legs: inout LegMessages,
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        dissector.finish { place, message in
            legs.add(message, of: joiner.number(place), joiner.comparedLeg(place)) { renderer.append($0, $1, output) }
        }
        legs.finish { renderer.append($0, $1, output) }
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
