import WeirDissect
import WeirEngine
public import WeirWire

/// The JSON form of flows, one object each.
///
/// A key keeps its meaning forever; new keys may follow the others.
///
/// Keys, in this order: `flow`, `transport`, `client`, `server`, `packets_up`, `packets_down`, `bytes_up`, `bytes_down`
/// (payload, as in a log), `frame_bytes_up`, `frame_bytes_down` (whole frames, original lengths), `start` (RFC 3339, UTC, ns), `duration_ns`, `close` (null for UDP; `refused` or
/// `unanswered` if Weir's own dial was, although Weir then reset the client's leg). A flow that Weir recorded has all
/// its endpoints: `listener`, `egress`, `leg` (the leg whose packets are counted: `client` or `server`), and, if both
/// legs were found, `server_leg` with the counts of the other one. A flow whose protocol was recognized has `protocol`,
/// and the names in its first messages: `sni`, `host`, `query`; `decrypted` is true if the protocol is that of what was
/// decrypted. Source: RFC 8259.
public struct FlowsJSON: Sendable {
    private var timestamp = Timestamp()

    /// Creates a renderer.
    public init() {}

    /// Appends one object and a line feed.
    public mutating func append(_ row: FlowRow, to output: inout ByteBuffer) {
        output.appendJSONLine { json in
            json.member("flow", row.number)
            json.member("transport", row.flow.transport)
            json.member("client", row.path?.client ?? row.flow.client)
            let isEcho = row.path.map { $0.server == nil } ?? false
            json.member("server", isEcho ? row.path?.listener : row.path?.server ?? row.flow.server)
            appendCounts(row.flow, row.close, to: &json)
            if let path = row.path {
                json.member("listener", path.listener)
                json.member("egress", path.egress)
                json.member("leg", (row.leg ?? .client).name)
            }
            if let leg = row.serverLeg {
                json.object("server_leg") { json in
                    json.member("flow", row.number)
                    appendCounts(leg.flow, leg.flow.close, to: &json)
                }
            }
            guard let found = row.found else { return }
            json.member("protocol", found.name)
            for finding in Finding.allCases {
                if let text = found.findings[finding] { json.member(named: finding.rawValue, text) }
            }
            if found.isDecrypted { json.member("decrypted", true) }
        }
    }

    private mutating func appendCounts(_ flow: ObservedFlow, _ close: FlowClose?, to json: inout JSONWriter) {
        json.member("packets_up", flow.packetsUp)
        json.member("packets_down", flow.packetsDown)
        json.member("bytes_up", flow.payloadUp)
        json.member("bytes_down", flow.payloadDown)
        json.member("frame_bytes_up", flow.bytesUp)
        json.member("frame_bytes_down", flow.bytesDown)
        json.member("start", flow.start, by: &timestamp)
        json.member("duration_ns", flow.duration)
        json.member("close", close?.rawValue)
    }
}
