import WeirDissect
import WeirEngine
public import WeirWire

/// The JSON form of statistics: an object for each flow, and one for each kind of request.
///
/// A key keeps its meaning forever; new keys may follow the others. Durations are in nanoseconds, and null if they are
/// not known.
///
/// Of a flow: `event` (`flow_stats`), `flow`, `transport`, `client`, `server`, `protocol`, `dial_ns`, `first_byte_ns`,
/// `answers`, `p50_ns`, `p90_ns`, `p99_ns`, `longest_ns`, `payload_up`, `payload_down`, `duration_ns`. Of a kind of
/// request: `event` (`request_stats`), `protocol`, `request`, `requests`, `failures`, `answers`, `p50_ns`, `p90_ns`,
/// `p99_ns`, `longest_ns`, `bytes_up`, `bytes_down`. Source: RFC 8259.
public struct StatsJSON: Sendable {
    /// Creates a renderer.
    public init() {}

    /// Appends all objects, a line each.
    public func append(_ rows: StatsRows, to output: inout ByteBuffer) {
        for flow in rows.flows { append(flow, to: &output) }
        for kind in rows.kinds { append(kind, to: &output) }
    }

    private func append(_ flow: StatsRows.Flow, to output: inout ByteBuffer) {
        output.appendJSONLine { json in
            json.member("event", "flow_stats" as StaticString)
            json.member("flow", flow.row.number)
            json.member("transport", flow.row.flow.transport)
            json.member("client", flow.row.path?.client ?? flow.row.flow.client)
            json.member("server", flow.row.path.map { $0.server ?? $0.listener } ?? flow.row.flow.server)
            json.member("protocol", flow.stats.name)
            json.member("dial_ns", flow.dial)
            json.member("first_byte_ns", flow.firstByte)
            appendDelays(flow.stats.answers, to: &json)
            json.member("payload_up", flow.stats.payloadUp)
            json.member("payload_down", flow.stats.payloadDown)
            json.member("duration_ns", flow.row.flow.duration)
        }
    }

    private func append(_ kind: StatsRows.Kind, to output: inout ByteBuffer) {
        output.appendJSONLine { json in
            json.member("event", "request_stats" as StaticString)
            json.member("protocol", kind.kind.name)
            json.member("request", kind.kind.request)
            json.member("requests", kind.stats.requests)
            json.member("failures", kind.stats.failures)
            appendDelays(kind.stats.answers, to: &json)
            json.member("bytes_up", kind.stats.bytesUp)
            json.member("bytes_down", kind.stats.bytesDown)
        }
    }

    private func appendDelays(_ delays: DelayDistribution, to json: inout JSONWriter) {
        json.member("answers", delays.count)
        let percentiles = delays.percentiles([50, 90, 99])
        for (key, value) in zip(["p50_ns", "p90_ns", "p99_ns"] as [StaticString], percentiles) {
            json.member(key, value)
        }
        json.member("longest_ns", delays.count > 0 ? delays.longest : nil)
    }
}
