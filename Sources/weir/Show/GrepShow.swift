import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirWire

/// The view of where a pattern is in what the flows carried.
struct GrepShow: ShowView, ~Copyable {
    private let query: FlowQuery?
    private var search: GrepSearch
    private var legs: LegMatches
    private var renderer: Renderer
    private var joiner = FlowRows()

    init(_ pattern: SearchPattern, _ query: FlowQuery?, leg: FlowLeg?, isJSON: Bool, _ style: TerminalStyle) {
        self.query = query
        legs = LegMatches(only: leg)
        renderer = Renderer(style, isJSON: isJSON)
        search = GrepSearch(pattern, context: renderer.context)
    }

    var isLive: Bool { true }

    var needsBytes: String? { "--grep" }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
    }

    mutating func take(_ block: CaptureBlock) { joiner.add(block) }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        if let query, !flows.hasFlow({ query.matches(joiner.row($0, of: flows.table)) }) { return }
        Self.add(packet, bytes, in: flows, &search, joiner, &legs, &renderer, output)
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        Self.finish(&search, joiner, &legs, &renderer, output)
    }

    private static func add(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ search: inout GrepSearch,
        _ joiner: FlowRows,
        _ legs: inout LegMatches,
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        search.add(packet, bytes, in: flows) { match in
            legs.add(match, of: joiner.number(match.place), joiner.comparedLeg(match.place)) {
                renderer.append($0, $1, output)
            }
        }
    }

    private static func finish(
        _ search: inout GrepSearch,
        _ joiner: FlowRows,
        _ legs: inout LegMatches,
        _ renderer: inout Renderer,
        _ output: ShowOutput
    ) {
        search.finish { match in
            legs.add(match, of: joiner.number(match.place), joiner.comparedLeg(match.place)) {
                renderer.append($0, $1, output)
            }
        }
        legs.finish { renderer.append($0, $1, output) }
    }

    /// A renderer of matches in the requested form.
    private struct Renderer {
        private var text: GrepText
        private var json: GrepJSON?

        init(_ style: TerminalStyle, isJSON: Bool) {
            text = GrepText(style, localOffset: Terminal.localOffset)
            json = isJSON ? GrepJSON() : nil
        }

        var context: Int { json == nil ? text.context : GrepJSON.context }

        mutating func append(_ match: GrepMatch, _ flow: FlowLabel, _ output: ShowOutput) {
            output.write { buffer in
                if json != nil {
                    json?.append(match, flow: flow, to: &buffer)
                } else {
                    text.append(match, flow: flow, to: &buffer)
                }
            }
        }
    }
}
