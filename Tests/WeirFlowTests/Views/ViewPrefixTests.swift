import Support
import Testing
import WeirFlow
import WeirWire

/// A prefix of a capture shows what its whole packets show, since a packet that is cut is never seen: so the prefixes that
/// end behind each packet are all there are.
@Suite("Views of prefixes of the corpus", .tags(.slow), .timeLimit(.minutes(10)))
struct ViewPrefixTests {
    /// Are the largest captures that are shown in all their prefixes, in bytes.
    private static let limit = 64 << 10
    private static let tasks = 4

    /// Is a segment as the reassembler takes it.
    private struct Segment {
        var segment: StreamSegment
        var payload: [UInt8]
        var flow: Int
        var direction: Direction
        var time: Int64?
        var hasTurned: Bool
    }

    @Test("Each is shown in every view, and nothing traps", .needsCorpus, arguments: 0..<tasks)
    func views(part: Int) throws {
        var shown = 0
        for (index, name) in try Corpus.files().enumerated() where index % Self.tasks == part {
            let file = try Corpus.read(name)
            guard file.count <= Self.limit else { continue }
            shown += try Self.show(file)
        }
        #expect(shown > 1_000_000)
    }

    /// Shows every prefix; returns how many bytes that gave.
    private static func show(_ file: [UInt8]) throws -> Int {
        var reader = CaptureReader()
        var flows = CaptureFlows()
        var (summary, joiner, segments) = (CaptureSummary(), FlowRows(), [Segment]())
        var text = PacketText(hasHex: true, color: true)
        var json = PacketJSON(hasBytes: true)
        var output = ByteBuffer()
        var shown = 0
        while let item = try reader.next(in: file.span.bytes) {
            guard case .packet(let packet) = item else {
                if case .block(let block) = item { summary.add(block) }
                continue
            }
            let bytes = file.span.bytes.extracting(packet.range)
            flows.add(packet, bytes)
            joiner.add(reader.metadata(of: packet, in: file.span.bytes).options.comments, in: flows)
            summary.add(packet, flows)
            text.append(packet, bytes, in: flows, digits: 6, to: &output)
            json.append(packet, bytes, in: flows, to: &output)
            if let place = flows.tcp, let segment = flows.packet.tcp?.streamSegment {
                let payload = flows.withPayload(.tcp, of: bytes) { $0.withUnsafeBytes { Array($0) } }
                segments.append(
                    Segment(
                        segment: segment,
                        payload: payload,
                        flow: place.index,
                        direction: place.direction,
                        time: packet.timestamp,
                        hasTurned: place.hasTurned
                    )
                )
                follow(segments, to: &output)
            }
            showEnd(flows, summary, joiner, to: &output)
            shown += output.count
            output.removeAll()
        }
        return shown
    }

    /// Shows what is known where the capture ends here.
    private static func showEnd(
        _ flows: borrowing CaptureFlows,
        _ summary: CaptureSummary,
        _ joiner: FlowRows,
        to output: inout ByteBuffer
    ) {
        let rows = joiner.rows(of: flows.table)
        var (text, json) = (FlowsText(rows, color: true), FlowsJSON())
        text.appendHeading(to: &output)
        for row in rows {
            text.append(row, to: &output)
            json.append(row, to: &output)
        }
        text.appendTotals(rows, of: flows, to: &output)
        var (summaryText, summaryJSON) = (SummaryText(color: true), SummaryJSON())
        summaryText.append(summary, flows, damage: ["cut"], to: &output)
        summaryJSON.append(summary, flows, damage: ["cut"], to: &output)
    }

    /// Follows the flow of the last segment, from the first one on.
    private static func follow(_ segments: [Segment], to output: inout ByteBuffer) {
        guard let flow = segments.last?.flow else { return }
        for policy in OverlapPolicy.allCases {
            var settings = ReassemblySettings()
            settings.overlap = policy
            var reassembler = TCPReassembler(settings)
            var hex = FollowText(.hex, color: true)
            var json = FollowJSON()
            var lines = ByteBuffer()
            func receive(_ piece: StreamPiece, _ bytes: RawSpan) {
                hex.append(piece, bytes, to: &lines)
                json.append(piece, bytes, to: &lines)
            }
            for segment in segments where segment.flow == flow {
                if segment.hasTurned { reassembler.turn(flow: flow) }
                reassembler.add(
                    segment.segment,
                    segment.payload.span.bytes,
                    flow: flow,
                    segment.direction,
                    at: segment.time,
                    to: receive
                )
            }
            reassembler.finish(to: receive)
            for direction in Direction.allCases {
                let report = reassembler.report(flow: flow, direction)
                report.append(direction, flow: flow, prefix: "", to: &lines)
                json.append(report, flow: flow, direction, to: &lines)
            }
            lines.withUnsafeBytes { output.append($0.bytes) }
        }
    }
}
