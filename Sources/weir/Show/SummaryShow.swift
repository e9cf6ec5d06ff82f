import WeirAnalysis
import WeirDissect
import WeirWire

/// The view of counts, times, rates, protocols, top talkers and damage.
struct SummaryShow: ShowView, ~Copyable {
    private let isJSON: Bool
    private let color: Bool
    private var summary = CaptureSummary()
    private var joiner = FlowRows()

    init(isJSON: Bool, color: Bool) {
        self.isJSON = isJSON
        self.color = color
    }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        summary.add(packet, flows)
    }

    mutating func take(_ block: CaptureBlock) {
        summary.add(block)
        joiner.add(block)
    }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        var damage = report.failures.map(\.message)
        if report.skippedBlocks > 0 { damage.append("\(report.skippedBlocks) blocks of a kind that is not known") }
        output.write { buffer in
            if isJSON {
                var view = SummaryJSON()
                view.append(summary, flows, joiner, damage: damage, to: &buffer)
            } else {
                var view = SummaryText(color: color, localOffset: Terminal.localOffset)
                view.append(summary, flows, joiner, damage: damage, to: &buffer)
            }
        }
    }
}
