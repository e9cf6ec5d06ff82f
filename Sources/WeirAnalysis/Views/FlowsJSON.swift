import WeirDissect
import WeirEngine
public import WeirWire

/// The JSON form of flows, one object each.
///
/// A key keeps its meaning forever; new keys may follow the others.
///
/// Keys, in this order: `flow`, `transport`, `client`, `server`, `packets_up`, `packets_down`, `bytes_up`, `bytes_down`
/// (whole frames, original lengths), `start` (RFC 3339, UTC, ns), `duration_ns`, `close` (null for UDP; `refused` or
/// `unanswered` if Weir's own dial was, although Weir then reset the client's leg). A flow that Weir recorded has all
/// its endpoints: `listener`, `egress`, `leg` (the leg whose packets are counted: `client` or `server`), and, if both
/// legs were found, `server_leg` with the counts of the other one. A flow whose protocol was recognized has `protocol`,
/// and the names in its first messages: `sni`, `host`, `query`. Source: RFC 8259.
public struct FlowsJSON: Sendable {
    private var timestamp = Timestamp()

    /// Creates a renderer.
    public init() {}

    /// Appends one object and a line feed.
    public mutating func append(_ row: FlowRow, to output: inout ByteBuffer) {
        output.append("{\"flow\":")
        output.appendDecimal(row.number)
        output.append(row.flow.transport == .tcp ? ",\"transport\":\"tcp\"" : ",\"transport\":\"udp\"")
        output.append(",\"client\":")
        output.appendQuoted(row.path?.client ?? row.flow.client)
        output.append(",\"server\":")
        let isEcho = row.path.map { $0.server == nil } ?? false
        output.appendQuoted(isEcho ? row.path?.listener : row.path?.server ?? row.flow.server)
        appendCounts(row.flow, row.close, to: &output)
        if let path = row.path {
            output.append(",\"listener\":")
            output.appendQuoted(path.listener)
            output.append(",\"egress\":")
            output.appendQuoted(path.egress)
            let isClient = Set([row.flow.client, row.flow.server]) == [path.client, path.listener]
            output.append(isClient ? ",\"leg\":\"client\"" : ",\"leg\":\"server\"")
        }
        if let leg = row.serverLeg {
            output.append(",\"server_leg\":{\"flow\":")
            output.appendDecimal(leg.number)
            appendCounts(leg.flow, leg.flow.close, to: &output)
            output.append("}")
        }
        if let found = row.found { appendFound(found, to: &output) }
        output.append("}\n")
    }

    private func appendFound(_ found: FlowProbes.Found, to output: inout ByteBuffer) {
        output.append(",\"protocol\":")
        output.appendJSON(found.name)
        for finding in Finding.allCases {
            guard let text = found.findings[finding] else { continue }
            output.append(",\"")
            output.append(finding.rawValue)
            output.append("\":")
            output.appendJSON(text)
        }
    }

    private mutating func appendCounts(_ flow: ObservedFlow, _ close: FlowClose?, to output: inout ByteBuffer) {
        output.append(",\"packets_up\":")
        output.appendDecimal(flow.packetsUp)
        output.append(",\"packets_down\":")
        output.appendDecimal(flow.packetsDown)
        output.append(",\"bytes_up\":")
        output.appendDecimal(flow.bytesUp)
        output.append(",\"bytes_down\":")
        output.appendDecimal(flow.bytesDown)
        output.append(",\"start\":")
        if let start = flow.start {
            output.append("\"")
            timestamp.appendRFC3339(start, to: &output)
            output.append("\"")
        } else {
            output.append("null")
        }
        output.append(",\"duration_ns\":")
        if let duration = flow.duration { output.appendDecimal(duration) } else { output.append("null") }
        output.append(",\"close\":")
        if let close {
            output.append("\"")
            output.append(close.rawValue)
            output.append("\"")
        } else {
            output.append("null")
        }
    }
}
