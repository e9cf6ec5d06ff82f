import Support
import Testing
import WeirWire

@testable import WeirAnalysis
@testable import WeirDissect

/// A prefix of a capture shows what its whole packets show, since a packet that is cut is never seen.
///
/// So the prefixes that end behind each packet are all there are. What the packets show comes once, and for each prefix what its end shows.
@Suite("Views of prefixes of the corpus", .tags(.slow), .timeLimit(.minutes(10)))
struct ViewPrefixTests {
    /// The largest captures that are shown in all their prefixes, in bytes.
    private static let limit = 64 << 10
    private static let tasks = 4

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
        var views = PrefixViews()
        var followed = OverlapPolicy.allCases.map { FollowedPrefixes($0) }
        var shown = 0
        while let item = try reader.next(in: file.span.bytes) {
            guard case .packet(let packet) = item else {
                if case .block(let block) = item { views.add(block) }
                continue
            }
            let bytes = file.span.bytes.extracting(packet.range)
            var output = ByteBuffer()
            flows.add(packet, bytes)
            views.joiner.add(reader.metadata(of: packet, in: file.span.bytes).options.comments, in: flows)
            views.show(packet, bytes, in: flows, to: &output)
            for index in followed.indices { followed[index].show(packet, bytes, in: flows, to: &output) }
            views.showEnd(of: flows, to: &output)
            shown += output.count
        }
        return shown
    }
}

/// Shows the views of packets and of flows, and of the summary.
private struct PrefixViews: ~Copyable {
    var summary = CaptureSummary()
    var joiner = FlowRows()
    private var text = PacketText(TerminalStyle(width: 80, color: true), hasHex: true)
    private var json = PacketJSON(hasBytes: true)
    private var probes = FlowProbes()
    private var dissector = CaptureDissector()

    mutating func add(_ block: CaptureBlock) {
        summary.add(block)
        joiner.add(block)
    }

    mutating func show(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        to output: inout ByteBuffer
    ) {
        summary.add(packet, flows)
        probes.add(packet, bytes, in: flows)
        text.append(packet, bytes, in: flows, digits: 6, numbers: joiner, to: &output)
        json.append(packet, bytes, in: flows, numbers: joiner, to: &output)
        var messages = MessagesText(TerminalStyle(width: 80, color: true), hasFields: true)
        var messagesJSON = MessagesJSON(hasFields: true)
        dissector.add(packet, bytes, in: flows) { flow, message in
            messages.append(message, flow: joiner.label(flow, isApart: true), to: &output)
            messagesJSON.append(message, flow: joiner.label(flow, isApart: true), to: &output)
        }
    }

    /// Shows what is known where the capture ends here.
    func showEnd(of flows: borrowing CaptureFlows, to output: inout ByteBuffer) {
        var rows = joiner.rows(of: flows.table)
        var probes = probes
        probes.finish()
        for index in rows.indices { rows[index].found = probes.found(rows[index].place) }
        var (text, json) = (FlowsText(rows, TerminalStyle(width: 80, color: true)), FlowsJSON())
        text.appendHeading(to: &output)
        for row in rows {
            text.append(row, to: &output)
            json.append(row, to: &output)
        }
        text.appendTotals(rows, among: joiner.count(in: flows.table), of: flows, to: &output)
        var (summaryText, summaryJSON) = (SummaryText(color: true), SummaryJSON())
        summaryText.append(summary, flows, joiner, damage: ["cut"], to: &output)
        summaryJSON.append(summary, flows, joiner, damage: ["cut"], to: &output)
    }
}

/// Follows every flow under one policy.
private struct FollowedPrefixes {
    private struct Followed {
        var reassembly = FlowReassembly()
        var hex = FollowText(.hex, color: true)
        var json = FollowJSON()

        mutating func show(_ piece: StreamPiece, _ bytes: RawSpan, to output: inout ByteBuffer) {
            hex.read(piece, bytes)
            hex.append(piece, bytes, to: &output)
            json.append(piece, bytes, to: &output)
        }
    }

    private var settings = ReassemblySettings()
    private var flows: [Int: Followed] = [:]

    init(_ policy: OverlapPolicy) { settings.overlap = policy }

    /// Shows what a segment gives, and what is left where the capture ends behind it.
    mutating func show(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        to output: inout ByteBuffer
    ) {
        guard let place = flows.tcp, let segment = flows.packet.tcp?.streamSegment else { return }
        let flow = flows.table[place.index]
        var followed = self.flows.removeValue(forKey: place.index) ?? Followed()
        if place.isNew { followed.hex.dissect(.tcp, client: flow.client, server: flow.server) }
        if place.hasTurned {
            followed.reassembly.turn()
            followed.hex.turn()
        }
        // Taken out, so that it gives pieces while the renderers change.
        var reassembly = followed.reassembly
        flows.withPayload(.tcp, of: bytes) { payload in
            reassembly.add(segment, payload, place.direction, at: packet.timestamp, settings) { piece, bytes in
                followed.show(piece, bytes, to: &output)
            }
        }
        followed.reassembly = reassembly
        self.flows[place.index] = followed
        reassembly.finish(settings) { piece, bytes in followed.show(piece, bytes, to: &output) }
        for (direction, side) in [(Direction.upstream, reassembly.upstream), (.downstream, reassembly.downstream)] {
            side.report.append(direction, flow: place.index + 1, prefix: "", to: &output)
            followed.json.append(side.report, flow: place.index + 1, direction, to: &output)
        }
    }
}
