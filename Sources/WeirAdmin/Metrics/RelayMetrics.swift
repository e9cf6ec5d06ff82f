import WeirFlow
import WeirRelay
import WeirWire

/// Describes a relay at one moment, as Prometheus reads it.
enum RelayMetrics {
    /// Holds what is known of one proxy.
    private struct Row {
        var transport: Transport
        var labels: PrometheusText.Labels
        var directions: [Direction]
        var tally: RouteTally
        var isEnabled: Bool
        var toxics: Int
    }

    /// Holds what the metrics of one direction are written with.
    private struct Direction {
        var labels: PrometheusText.Labels
        /// Are the labels of Toxiproxy's own metrics.
        var toxiproxy: PrometheusText.Labels
        var way: RouteTally.Way
    }

    static func text(_ parts: AdminParts) async -> [UInt8] {
        let tallies = await parts.relay.tallies()
        var rows: [Row] = []
        for route in parts.relay.routes {
            let proxy = parts.proxies.describe(route)
            let labels: PrometheusText.Labels = [("proxy", route.name), ("transport", "\(route.route.transport)")]
            let tally = tallies.indices.contains(route.number) ? tallies[route.number] : RouteTally()
            let ways = [("upstream", tally.upstream), ("downstream", tally.downstream)]
            rows.append(
                Row(
                    transport: route.route.transport,
                    labels: labels,
                    directions: ways.map { name, way in
                        Direction(
                            labels: labels.with("direction", name),
                            toxiproxy: [
                                ("direction", name), ("proxy", route.name), ("listener", proxy.listen),
                                ("upstream", proxy.upstream),
                            ],
                            way: way
                        )
                    },
                    tally: tally,
                    isEnabled: route.isEnabled,
                    toxics: proxy.toxics.count
                )
            )
        }
        var output = PrometheusText()
        output.begin("weir_info", .gauge, "Names the version that runs.")
        output.sample("weir_info", [("version", parts.settings.version)], 1)
        output.begin("weir_uptime_seconds", .gauge, "Counts how long the control API has answered.")
        let uptime = parts.started.instant.duration(to: SystemClock.instant())
        output.sample("weir_uptime_seconds", [], Double(uptime.inNanoseconds) / 1e9)
        writeFlows(rows, &output)
        writeWays(rows, &output)
        writeLatencies(rows, &output)
        writeToxiproxy(rows, &output)
        output.begin("weir_event_listeners", .gauge, "Counts the streams of events that are open.")
        output.sample("weir_event_listeners", [], parts.events.listeners)
        return output.bytes()
    }

    private static func writeFlows(_ rows: [Row], _ output: inout PrometheusText) {
        output.begin("weir_proxy_enabled", .gauge, "Is 1 while the proxy takes clients.")
        for row in rows { output.sample("weir_proxy_enabled", row.labels, row.isEnabled ? 1 : 0) }
        output.begin("weir_proxy_toxics", .gauge, "Counts the toxics of the proxy.")
        for row in rows { output.sample("weir_proxy_toxics", row.labels, row.toxics) }
        output.begin(
            "weir_flows_total",
            .counter,
            "Counts the flows that have begun: TCP connections and UDP sessions."
        )
        for row in rows { output.sample("weir_flows_total", row.labels, row.tally.flows) }
        output.begin("weir_flows_open", .gauge, "Counts the flows that are open.")
        for row in rows { output.sample("weir_flows_open", row.labels, row.tally.openFlows) }
        output.begin(
            "weir_refusals_total",
            .counter,
            "Counts the dials that failed, and the datagrams that an error answered."
        )
        for row in rows { output.sample("weir_refusals_total", row.labels, row.tally.refusals) }
    }

    private static func writeWays(_ rows: [Row], _ output: inout PrometheusText) {
        func write<Value: FixedWidthInteger>(
            _ name: StaticString,
            _ kind: PrometheusText.Kind,
            _ help: StaticString,
            _ transport: Transport? = nil,
            _ value: (RouteTally.Way) -> Value
        ) {
            output.begin(name, kind, help)
            for row in rows where transport == nil || row.transport == transport {
                for direction in row.directions { output.sample(name, direction.labels, value(direction.way)) }
            }
        }
        write("weir_bytes_total", .counter, "Counts the bytes that went on.") { $0.counters.bytes }
        write("weir_chunks_total", .counter, "Counts the chunks that went on: reads of a stream, or datagrams.") {
            $0.counters.chunks
        }
        write("weir_datagrams_total", .counter, "Counts the datagrams that went on.", .udp) { $0.counters.chunks }
        write("weir_dropped_bytes_total", .counter, "Counts the bytes that were read and did not go on.") {
            $0.counters.droppedBytes
        }
        write("weir_dropped_datagrams_total", .counter, "Counts the datagrams that did not go on.", .udp) {
            $0.counters.droppedDatagrams
        }
        write("weir_queued_bytes", .gauge, "Counts the bytes that wait in the relay.") { $0.queuedBytes }
    }

    private static func writeLatencies(_ rows: [Row], _ output: inout PrometheusText) {
        output.begin("weir_dial_seconds", .histogram, "Counts how long it took to reach the server.")
        for row in rows { output.histogram("weir_dial_seconds", row.labels, row.tally.dials) }
        output.begin(
            "weir_echo_seconds",
            .histogram,
            "Counts how long echoes took, where an output that shows chunks looks for them."
        )
        for row in rows { output.histogram("weir_echo_seconds", row.labels, row.tally.echoes) }
    }

    /// Writes the two metrics that Toxiproxy has.
    private static func writeToxiproxy(_ rows: [Row], _ output: inout PrometheusText) {
        let directions = rows.flatMap(\.directions)
        let received: StaticString = "toxiproxy_proxy_received_bytes_total"
        output.begin(received, .counter, "Counts the bytes that were read, those that were dropped too.")
        for direction in directions {
            let counters = direction.way.counters
            output.sample(received, direction.toxiproxy, counters.bytes + counters.droppedBytes)
        }
        let sent: StaticString = "toxiproxy_proxy_sent_bytes_total"
        output.begin(sent, .counter, "Counts the bytes that went on.")
        for direction in directions { output.sample(sent, direction.toxiproxy, direction.way.counters.bytes) }
    }
}
