public import WeirDissect
public import WeirWire

/// The JSON form of a capture's summary: one object on a line.
///
/// Keys, in this order: `packets`, `bytes`, `bytes_captured`, `first`, `last` (RFC 3339, UTC, ns), `duration_ns`,
/// `flows_tcp`, `flows_udp`, `link_types`, `applications`, `protocols`, `not_decoded`, `talkers`, `damage`.
public struct SummaryJSON: Sendable {
    private var timestamp = Timestamp()

    /// Creates a renderer.
    public init() {}

    /// Appends the object and a line feed.
    public mutating func append(
        _ summary: CaptureSummary,
        _ flows: borrowing CaptureFlows,
        damage: [String],
        to output: inout ByteBuffer
    ) {
        output.append("{\"packets\":\(summary.total.packets),\"bytes\":\(summary.total.bytes)")
        output.append(",\"bytes_captured\":\(summary.capturedBytes),\"first\":")
        appendTime(summary.earliest, &output)
        output.append(",\"last\":")
        appendTime(summary.latest, &output)
        output.append(",\"duration_ns\":")
        output.append(summary.duration.map { "\($0)" } ?? "null")
        var kinds = (tcp: 0, udp: 0)
        for place in 0..<flows.table.count {
            if flows.table[place].transport == .tcp { kinds.tcp += 1 } else { kinds.udp += 1 }
        }
        output.append(",\"flows_tcp\":\(kinds.tcp),\"flows_udp\":\(kinds.udp)")
        appendTexts("link_types", summary.linkTypes.map { "\($0)" }, &output)
        appendTexts("applications", summary.applications, &output)
        appendTable("protocols", summary.protocols.map { ("\($0.kind)", $0.count) }, &output)
        appendTable("not_decoded", summary.reasons.map { ($0.name, $0.count) }, &output)
        let talkers = summary.talkers(flows.table, most: 10).map { ("\($0.address)", $0.count) }
        appendTable("talkers", talkers, &output)
        appendTexts("damage", damage + summary.notes(flows), &output)
        output.append("}\n")
    }

    private mutating func appendTime(_ time: Int64?, _ output: inout ByteBuffer) {
        guard let time else { return output.append("null") }
        output.append("\"")
        timestamp.appendRFC3339(time, to: &output)
        output.append("\"")
    }

    private func appendTexts(_ name: StaticString, _ texts: [String], _ output: inout ByteBuffer) {
        output.append(",\"")
        output.append(name)
        output.append("\":[")
        for (index, text) in texts.enumerated() {
            if index > 0 { output.append(",") }
            output.appendJSON(text)
        }
        output.append("]")
    }

    private func appendTable(
        _ name: StaticString,
        _ rows: [(name: String, count: CaptureSummary.Count)],
        _ output: inout ByteBuffer
    ) {
        output.append(",\"")
        output.append(name)
        output.append("\":[")
        for (index, row) in rows.enumerated() {
            output.append(index > 0 ? ",{\"name\":" : "{\"name\":")
            output.appendJSON(row.name)
            output.append(",\"packets\":\(row.count.packets),\"bytes\":\(row.count.bytes)}")
        }
        output.append("]")
    }
}
