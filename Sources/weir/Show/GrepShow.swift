import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirWire

/// The view of where a pattern is in what the flows carried.
struct GrepShow: ShowView, ~Copyable {
    /// The query, if the flows decide before they have ended.
    private let query: FlowQuery?
    /// The query, if what is known only at the end decides; until then the matches wait.
    private var late: FlowsQuery?
    private var search: GrepSearch
    private var legs: LegMatches
    private var renderer: Renderer
    private var joiner = FlowRows()
    /// The maximum number of matches that wait for the end.
    private static let mostWaiting = 1 << 18

    init(_ pattern: SearchPattern, _ query: FlowQuery?, leg: FlowLeg?, isJSON: Bool, _ style: TerminalStyle) {
        let isLate = query.map { $0.asksForMessages || $0.needsWholeFlow } ?? false
        self.query = isLate ? nil : query
        late = isLate ? FlowsQuery(query) : nil
        legs = LegMatches(only: leg)
        renderer = Renderer(style, isJSON: isJSON, waits: isLate ? Self.mostWaiting : 0)
        search = GrepSearch(pattern, context: renderer.context)
    }

    var isLive: Bool { late == nil }

    var needsBytes: String? { "--grep" }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        late?.begin(metadata, in: flows, joiner)
    }

    mutating func take(_ block: CaptureBlock) { joiner.add(block) }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        late?.add(packet, bytes, in: flows)
        if let query, !flows.hasFlow({ query.matches(joiner.row($0, of: flows.table)) }) { return }
        Self.add(packet, bytes, in: flows, &search, joiner, &legs, &renderer, output)
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        Self.finish(&search, joiner, &legs, &renderer, output)
        guard late != nil else { return }
        late?.finish()
        var numbers: Set<Int> = []
        for row in joiner.rows(of: flows.table) where late?.matches(row) ?? false { numbers.insert(row.number) }
        renderer.showWaiting(of: numbers, output)
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
        /// The number of matches that can wait; 0 if none have to.
        private let room: Int
        private var waiting: [(match: GrepMatch, flow: FlowLabel)] = []
        private var leftOut = 0

        init(_ style: TerminalStyle, isJSON: Bool, waits room: Int) {
            text = GrepText(style, localOffset: Terminal.localOffset)
            json = isJSON ? GrepJSON() : nil
            self.room = room
        }

        var context: Int { json == nil ? text.context : GrepJSON.context }

        mutating func append(_ match: GrepMatch, _ flow: FlowLabel, _ output: ShowOutput) {
            guard room == 0 else {
                if waiting.count < room { waiting.append((match, flow)) } else { leftOut += 1 }
                return
            }
            show(match, flow, output)
        }

        /// Shows the matches that waited, if they are in flows with one of these numbers.
        mutating func showWaiting(of numbers: Set<Int>, _ output: ShowOutput) {
            for (match, flow) in waiting where numbers.contains(flow.number) { show(match, flow, output) }
            waiting = []
            guard leftOut > 0 else { return }
            Diagnostics.print("\(leftOut) more matches were not kept until the end, when the query is answered")
        }

        private mutating func show(_ match: GrepMatch, _ flow: FlowLabel, _ output: ShowOutput) {
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
