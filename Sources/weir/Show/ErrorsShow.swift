import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// The view of what went wrong.
struct ErrorsShow: ShowView, ~Copyable {
    private let isJSON: Bool
    private let style: TerminalStyle
    private var reading: MessageReading
    private var problems = FlowProblems()

    init(_ query: FlowQuery?, isJSON: Bool, _ style: TerminalStyle) {
        reading = MessageReading(query)
        self.isJSON = isJSON
        self.style = style
    }

    var needsBytes: String? { reading.needsBytes }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        reading.begin(metadata, in: flows)
    }

    mutating func take(_ block: CaptureBlock) { reading.take(block) }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        Self.read(packet, bytes, in: flows, &reading, &problems)
    }

    mutating func take(_ messages: [LoggedMessage], in flows: borrowing CaptureFlows, _ output: ShowOutput) {
        Self.read(messages, in: flows, &reading, &problems)
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        Self.finish(in: flows, &reading, &problems)
        let rows = reading.rows(of: flows)
        let found = problems.problems(of: rows, failing: reading.failing(rows))
        if isJSON {
            var view = ProblemsJSON()
            for problem in found { output.write { view.append(problem, to: &$0) } }
            return
        }
        var view = ProblemsText(style, localOffset: Terminal.localOffset)
        for problem in found { output.write { view.append(problem, to: &$0) } }
        output.write { view.append(leftOut: problems.leftOut, to: &$0) }
    }

    private static func read(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ reading: inout MessageReading,
        _ problems: inout FlowProblems
    ) {
        reading.add(packet, bytes, in: flows) { problems.add($1, of: $0) }
    }

    private static func read(
        _ messages: [LoggedMessage],
        in flows: borrowing CaptureFlows,
        _ reading: inout MessageReading,
        _ problems: inout FlowProblems
    ) {
        reading.add(messages, in: flows) { problems.add($1, of: $0) }
    }

    private static func finish(
        in flows: borrowing CaptureFlows,
        _ reading: inout MessageReading,
        _ problems: inout FlowProblems
    ) {
        reading.finish(in: flows) { problems.add($1, of: $0) }
    }
}
