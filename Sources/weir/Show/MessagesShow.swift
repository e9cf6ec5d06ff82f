import WeirAnalysis
import WeirDissect
import WeirWire

/// The view of what the bytes of the flows mean, message by message.
struct MessagesShow: ShowView, ~Copyable {
    private let query: FlowQuery?
    private var dissector: CaptureDissector
    private var renderer: Renderer
    private var joiner = FlowRows()

    init(_ query: FlowQuery?, hasFields: Bool, isJSON: Bool, color: Bool) {
        self.query = query
        dissector = CaptureDissector(wantsFields: hasFields)
        renderer = Renderer(hasFields: hasFields, isJSON: isJSON, color: color)
    }

    var isLive: Bool { true }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
    }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        guard isWanted(flows) else { return }
        Self.add(packet, bytes, in: flows, to: &dissector, &renderer, output)
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        Self.finish(&dissector, &renderer, output)
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
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        dissector.add(packet, bytes, in: flows) { flow, message in renderer.append(message, flow, output) }
    }

    private static func finish(
        _ dissector: inout CaptureDissector,
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        dissector.finish { flow, message in renderer.append(message, flow, output) }
    }

    /// A renderer of messages in the requested form.
    private struct Renderer {
        private var text: MessagesText
        private var json: MessagesJSON?

        init(hasFields: Bool, isJSON: Bool, color: Bool) {
            text = MessagesText(hasFields: hasFields, color: color, localOffset: Terminal.localOffset)
            json = isJSON ? MessagesJSON(hasFields: hasFields) : nil
        }

        mutating func append(_ message: Message, _ flow: Int, _ output: ShowOutput) {
            output.write { buffer in
                if json != nil {
                    json?.append(message, flow: flow + 1, to: &buffer)
                } else {
                    text.append(message, flow: flow + 1, to: &buffer)
                }
            }
        }
    }
}
