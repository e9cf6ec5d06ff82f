import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// The view of what went wrong.
struct ErrorsShow: ShowView, ~Copyable {
    private var query: FlowsQuery
    private let isJSON: Bool
    private let style: TerminalStyle
    private var dissector = CaptureDissector(wantsFields: true)
    private var problems = FlowProblems()
    private var joiner = FlowRows()

    init(_ query: FlowQuery?, isJSON: Bool, _ style: TerminalStyle) {
        self.query = FlowsQuery(query)
        self.isJSON = isJSON
        self.style = style
    }

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
        if query.needsPackets { query.add(packet, bytes, in: flows) }
        // The messages of a second leg are those of the first.
        guard flows.hasFlow({ joiner.stands($0) }) else { return }
        Self.read(packet, bytes, in: flows, &dissector, &problems)
    }

    mutating func take(_ messages: [LoggedMessage], in flows: borrowing CaptureFlows, _ output: ShowOutput) {
        for message in messages {
            guard let place = flows.table.find(message.tuple) else { continue }
            problems.add(message.message, of: place)
        }
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        Self.finish(&dissector, &problems)
        query.finish()
        var rows: [FlowRow] = []
        for row in joiner.rows(of: flows.table) where query.matches(row) { rows.append(row) }
        if isJSON {
            var view = ProblemsJSON()
            for problem in problems.problems(of: rows) { output.write { view.append(problem, to: &$0) } }
            return
        }
        var view = ProblemsText(style, localOffset: Terminal.localOffset)
        for problem in problems.problems(of: rows) { output.write { view.append(problem, to: &$0) } }
        output.write { view.append(leftOut: problems.leftOut, to: &$0) }
    }

    private static func read(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ dissector: inout CaptureDissector,
        _ problems: inout FlowProblems
    ) {
        dissector.add(packet, bytes, in: flows) { problems.add($1, of: $0) }
    }

    private static func finish(_ dissector: inout CaptureDissector, _ problems: inout FlowProblems) {
        dissector.finish { problems.add($1, of: $0) }
    }
}
