import WeirEngine
import WeirRelay
import WeirWire

/// The metrics of a relay at one moment, for Prometheus.
enum RelayMetrics {
    /// The state of one proxy; a class, because each metric reads all of them without copies.
    private final class Row {
        let route: RouteStatus
        let tally: RouteTally
        let labels: PrometheusText.Labels
        let directions: [Direction]

        init(_ route: RouteStatus, _ proxy: ProxyBook.Proxy, _ tally: RouteTally) {
            let labels: PrometheusText.Labels = [("proxy", route.name), ("transport", "\(route.route.transport)")]
            self.route = route
            self.tally = tally
            self.labels = labels
            directions = [("upstream", tally.upstream), ("downstream", tally.downstream)].map { name, way in
                Direction(
                    way,
                    labels.with("direction", name),
                    [
                        ("direction", name), ("proxy", route.name), ("listener", proxy.listen),
                        ("upstream", proxy.upstream),
                    ]
                )
            }
        }
    }

    /// The counts and labels of one direction.
    private final class Direction {
        let way: RouteTally.Way
        let labels: PrometheusText.Labels
        /// The labels of Toxiproxy's own metrics.
        let toxiproxy: PrometheusText.Labels

        init(_ way: RouteTally.Way, _ labels: PrometheusText.Labels, _ toxiproxy: PrometheusText.Labels) {
            self.way = way
            self.labels = labels
            self.toxiproxy = toxiproxy
        }
    }

    static func text(_ parts: AdminParts) async -> [UInt8] {
        let tallies = await parts.relay.tallies()
        let rows = parts.relay.routes.map { route in
            let isCounted = tallies.indices.contains(route.number)
            return Row(route, parts.proxies.describe(route), isCounted ? tallies[route.number] : RouteTally())
        }
        var output = PrometheusText()
        output.begin(info)
        output.sample(info, [("version", parts.settings.version)], 1)
        output.begin(uptime)
        let running = parts.started.instant.duration(to: SystemClock.instant())
        output.sample(uptime, [], Double(running.inNanoseconds) / 1e9)
        writeProxies(rows, &output)
        writeWays(rows, &output)
        writeLatencies(rows, &output)
        writeToxiproxy(rows, &output)
        output.begin(listeners)
        output.sample(listeners, [], parts.events.listeners)
        return output.bytes()
    }

    private typealias Metric = PrometheusText.Metric

    private static let info = Metric("weir_info", .gauge, "Names the version that runs.")
    private static let uptime = Metric(
        "weir_uptime_seconds",
        .gauge,
        "Counts how long the control API has answered."
    )
    private static let listeners = Metric(
        "weir_event_listeners",
        .gauge,
        "Counts the streams of events that are open."
    )

    /// The metrics of each proxy.
    private static let ofProxies: [(Metric, @Sendable (Row) -> Int)] = [
        (Metric("weir_proxy_enabled", .gauge, "Is 1 while the proxy takes clients."), { $0.route.isEnabled ? 1 : 0 }),
        (Metric("weir_proxy_toxics", .gauge, "Counts the toxics of the proxy."), { $0.route.toxics.count }),
        (
            Metric(
                "weir_flows_total",
                .counter,
                "Counts the flows that have begun: TCP connections and UDP sessions."
            ), { Int($0.tally.flows) }
        ), (Metric("weir_flows_open", .gauge, "Counts the flows that are open."), { $0.tally.openFlows }),
        (
            Metric(
                "weir_refusals_total",
                .counter,
                "Counts the dials that failed, and the datagrams that an error answered."
            ), { Int($0.tally.refusals) }
        ),
    ]

    /// The metrics of each direction of a proxy, some only for one transport.
    private static let ofWays: [(Metric, Transport?, @Sendable (RouteTally.Way) -> UInt64)] = [
        (Metric("weir_bytes_total", .counter, "Counts the bytes that went on."), nil, { $0.counters.bytes }),
        (
            Metric("weir_chunks_total", .counter, "Counts the chunks that went on: reads of a stream, or datagrams."),
            nil, { $0.counters.chunks }
        ),
        (
            Metric("weir_datagrams_total", .counter, "Counts the datagrams that went on."), .udp,
            { $0.counters.chunks }
        ),
        (
            Metric("weir_dropped_bytes_total", .counter, "Counts the bytes that were read and did not go on."), nil,
            { $0.counters.droppedBytes }
        ),
        (
            Metric("weir_dropped_datagrams_total", .counter, "Counts the datagrams that did not go on."), .udp,
            { $0.counters.droppedDatagrams }
        ),
        (
            Metric("weir_queued_bytes", .gauge, "Counts the bytes that wait in the relay."), nil,
            { UInt64($0.queuedBytes) }
        ),
    ]

    /// The histograms of each proxy.
    private static let ofLatencies: [(Metric, @Sendable (RouteTally) -> LatencyHistogram)] = [
        (Metric("weir_dial_seconds", .histogram, "Counts how long it took to reach the server."), { $0.dials }),
        (
            Metric(
                "weir_echo_seconds",
                .histogram,
                "Counts how long echoes took, where an output that shows chunks looks for them."
            ), { $0.echoes }
        ),
    ]

    /// The two metrics that Toxiproxy has.
    private static let ofToxiproxy: [(Metric, @Sendable (Counters) -> UInt64)] = [
        (
            Metric(
                "toxiproxy_proxy_received_bytes_total",
                .counter,
                "Counts the bytes that were read, those that were dropped too."
            ), { $0.bytes + $0.droppedBytes }
        ),
        (
            Metric("toxiproxy_proxy_sent_bytes_total", .counter, "Counts the bytes that went on."), { $0.bytes }
        ),
    ]

    private static func writeProxies(_ rows: [Row], _ output: inout PrometheusText) {
        for (metric, value) in ofProxies {
            output.begin(metric)
            for row in rows { output.sample(metric, row.labels, value(row)) }
        }
    }

    private static func writeWays(_ rows: [Row], _ output: inout PrometheusText) {
        for (metric, transport, value) in ofWays {
            output.begin(metric)
            for row in rows where transport == nil || row.route.route.transport == transport {
                for direction in row.directions { output.sample(metric, direction.labels, value(direction.way)) }
            }
        }
    }

    private static func writeLatencies(_ rows: [Row], _ output: inout PrometheusText) {
        for (metric, histogram) in ofLatencies {
            output.begin(metric)
            for row in rows { output.histogram(metric, row.labels, histogram(row.tally)) }
        }
    }

    private static func writeToxiproxy(_ rows: [Row], _ output: inout PrometheusText) {
        for (metric, value) in ofToxiproxy {
            output.begin(metric)
            for direction in rows.lazy.flatMap(\.directions) {
                output.sample(metric, direction.toxiproxy, value(direction.way.counters))
            }
        }
    }
}
