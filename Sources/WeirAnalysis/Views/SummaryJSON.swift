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
        _ numbers: FlowRows = FlowRows(),
        damage: [String],
        to output: inout ByteBuffer
    ) {
        let kinds = numbers.kinds(in: flows.table)
        let talkers = summary.talkers(flows.table, most: 10).map { ("\($0.address)", $0.count) }
        let notes = summary.notes(flows)
        output.appendJSONLine { json in
            json.member("packets", summary.total.packets)
            json.member("bytes", summary.total.bytes)
            json.member("bytes_captured", summary.capturedBytes)
            json.member("first", summary.earliest, by: &timestamp)
            json.member("last", summary.latest, by: &timestamp)
            json.member("duration_ns", summary.duration)
            json.member("flows_tcp", kinds.tcp)
            json.member("flows_udp", kinds.udp)
            json.member("link_types", summary.linkTypes.map { "\($0)" })
            json.member("applications", summary.applications)
            appendTable("protocols", summary.protocols.map { ("\($0.kind)", $0.count) }, &json)
            appendTable("not_decoded", summary.reasons.map { ($0.name, $0.count) }, &json)
            appendTable("talkers", talkers, &json)
            json.member("damage", damage + notes)
        }
    }

    private func appendTable(
        _ key: StaticString,
        _ rows: [(name: String, count: CaptureSummary.Count)],
        _ json: inout JSONWriter
    ) {
        json.array(key) { json in
            for row in rows {
                json.object { json in
                    json.member("name", row.name)
                    json.member("packets", row.count.packets)
                    json.member("bytes", row.count.bytes)
                }
            }
        }
    }
}
