import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("The metrics of a relay", .tags(.network), .timeLimit(.minutes(1)))
struct RelayMetricsTests {
    @Test("Every metric is there, with its head and the values of each proxy, for the directions and transports it has")
    func writesAll() async throws {
        let server = try TCPServer()
        try await withAdmin([server.route, "udp:0"]) { admin in
            let (tcp, udp) = (admin.relay.routes[0], admin.relay.routes[1])
            let limit = #"{"type":"limit_data","stream":"upstream","attributes":{"bytes":3}}"#
            #expect(try await admin.call("POST", "/proxies/\(tcp.name)/toxics", limit).status == 200)
            let client = try await runThread {
                let (peer, other) = (try TCPPeer(to: tcp.endpoints[0]), try server.accept())
                try other.send("welcome")
                #expect(try peer.receive(7) == Array("welcome".utf8))
                try peer.send("12345")
                #expect(try other.receiveToEnd().bytes == Array("123".utf8))
                other.finish()
                _ = try peer.receiveToEnd()
                let client = try UDPPeer(to: udp.endpoints[0])
                try client.send("ab")
                #expect(try client.receiveText() == "ab")
                return client
            }
            let loss = #"{"type":"loss","stream":"upstream","attributes":{"rate":1}}"#
            #expect(try await admin.call("POST", "/proxies/\(udp.name)/toxics", loss).status == 200)
            try await runThread { try client.send("lost") }
            while try await admin.call("GET", "/v1/flows?transport=tcp").json()["flows"] != [] {}
            while await admin.relay.tallies()[udp.number].upstream.counters.droppedDatagrams == 0 { await Task.yield() }
            let text = try await admin.call("GET", "/metrics").text
            let lines = text.split(separator: "\n").filter { !$0.contains("_bucket{") }.map { line in
                let line = line.replacing(tcp.name, with: "TCP").replacing(udp.name, with: "UDP")
                    .replacing("127.0.0.1:\(tcp.endpoints[0].port)", with: "T")
                    .replacing("127.0.0.1:\(udp.endpoints[0].port)", with: "U").replacing(
                        "\(server.endpoint)",
                        with: "S"
                    )
                let isTime =
                    line.hasPrefix("weir_uptime_seconds ") || line.hasPrefix("weir_dial_seconds_sum{proxy=\"TCP\"")
                return isTime ? line.split(separator: " ")[0] + " TIME" : line
            }
            #expect(lines.joined(separator: "\n") + "\n" == Self.expected)
            let uptime = text.split(separator: "\n").first { $0.hasPrefix("weir_uptime_seconds ") }
            let seconds = try #require(uptime.flatMap { Double($0.split(separator: " ")[1]) })
            #expect(seconds > 0 && seconds < 60)
            withExtendedLifetime(client) {}
        }
    }

    private static let expected = #"""
        # HELP weir_info Names the version that runs.
        # TYPE weir_info gauge
        weir_info{version="0.0.0"} 1
        # HELP weir_uptime_seconds Counts how long the control API has answered.
        # TYPE weir_uptime_seconds gauge
        weir_uptime_seconds TIME
        # HELP weir_proxy_enabled Is 1 while the proxy takes clients.
        # TYPE weir_proxy_enabled gauge
        weir_proxy_enabled{proxy="TCP",transport="tcp"} 1
        weir_proxy_enabled{proxy="UDP",transport="udp"} 1
        # HELP weir_proxy_toxics Counts the toxics of the proxy.
        # TYPE weir_proxy_toxics gauge
        weir_proxy_toxics{proxy="TCP",transport="tcp"} 1
        weir_proxy_toxics{proxy="UDP",transport="udp"} 1
        # HELP weir_flows_total Counts the flows that have begun: TCP connections and UDP sessions.
        # TYPE weir_flows_total counter
        weir_flows_total{proxy="TCP",transport="tcp"} 1
        weir_flows_total{proxy="UDP",transport="udp"} 1
        # HELP weir_flows_open Counts the flows that are open.
        # TYPE weir_flows_open gauge
        weir_flows_open{proxy="TCP",transport="tcp"} 0
        weir_flows_open{proxy="UDP",transport="udp"} 1
        # HELP weir_refusals_total Counts the dials that failed, and the datagrams that an error answered.
        # TYPE weir_refusals_total counter
        weir_refusals_total{proxy="TCP",transport="tcp"} 0
        weir_refusals_total{proxy="UDP",transport="udp"} 0
        # HELP weir_bytes_total Counts the bytes that went on.
        # TYPE weir_bytes_total counter
        weir_bytes_total{proxy="TCP",transport="tcp",direction="upstream"} 3
        weir_bytes_total{proxy="TCP",transport="tcp",direction="downstream"} 7
        weir_bytes_total{proxy="UDP",transport="udp",direction="upstream"} 2
        weir_bytes_total{proxy="UDP",transport="udp",direction="downstream"} 0
        # HELP weir_chunks_total Counts the chunks that went on: reads of a stream, or datagrams.
        # TYPE weir_chunks_total counter
        weir_chunks_total{proxy="TCP",transport="tcp",direction="upstream"} 1
        weir_chunks_total{proxy="TCP",transport="tcp",direction="downstream"} 1
        weir_chunks_total{proxy="UDP",transport="udp",direction="upstream"} 1
        weir_chunks_total{proxy="UDP",transport="udp",direction="downstream"} 0
        # HELP weir_datagrams_total Counts the datagrams that went on.
        # TYPE weir_datagrams_total counter
        weir_datagrams_total{proxy="UDP",transport="udp",direction="upstream"} 1
        weir_datagrams_total{proxy="UDP",transport="udp",direction="downstream"} 0
        # HELP weir_dropped_bytes_total Counts the bytes that were read and did not go on.
        # TYPE weir_dropped_bytes_total counter
        weir_dropped_bytes_total{proxy="TCP",transport="tcp",direction="upstream"} 2
        weir_dropped_bytes_total{proxy="TCP",transport="tcp",direction="downstream"} 0
        weir_dropped_bytes_total{proxy="UDP",transport="udp",direction="upstream"} 4
        weir_dropped_bytes_total{proxy="UDP",transport="udp",direction="downstream"} 0
        # HELP weir_dropped_datagrams_total Counts the datagrams that did not go on.
        # TYPE weir_dropped_datagrams_total counter
        weir_dropped_datagrams_total{proxy="UDP",transport="udp",direction="upstream"} 1
        weir_dropped_datagrams_total{proxy="UDP",transport="udp",direction="downstream"} 0
        # HELP weir_queued_bytes Counts the bytes that wait in the relay.
        # TYPE weir_queued_bytes gauge
        weir_queued_bytes{proxy="TCP",transport="tcp",direction="upstream"} 0
        weir_queued_bytes{proxy="TCP",transport="tcp",direction="downstream"} 0
        weir_queued_bytes{proxy="UDP",transport="udp",direction="upstream"} 0
        weir_queued_bytes{proxy="UDP",transport="udp",direction="downstream"} 0
        # HELP weir_dial_seconds Counts how long it took to reach the server.
        # TYPE weir_dial_seconds histogram
        weir_dial_seconds_sum{proxy="TCP",transport="tcp"} TIME
        weir_dial_seconds_count{proxy="TCP",transport="tcp"} 1
        weir_dial_seconds_sum{proxy="UDP",transport="udp"} 0.0
        weir_dial_seconds_count{proxy="UDP",transport="udp"} 0
        # HELP weir_echo_seconds Counts how long echoes took, where an output that shows chunks looks for them.
        # TYPE weir_echo_seconds histogram
        weir_echo_seconds_sum{proxy="TCP",transport="tcp"} 0.0
        weir_echo_seconds_count{proxy="TCP",transport="tcp"} 0
        weir_echo_seconds_sum{proxy="UDP",transport="udp"} 0.0
        weir_echo_seconds_count{proxy="UDP",transport="udp"} 0
        # HELP toxiproxy_proxy_received_bytes_total Counts the bytes that were read, those that were dropped too.
        # TYPE toxiproxy_proxy_received_bytes_total counter
        toxiproxy_proxy_received_bytes_total{direction="upstream",proxy="TCP",listener="T",upstream="S"} 5
        toxiproxy_proxy_received_bytes_total{direction="downstream",proxy="TCP",listener="T",upstream="S"} 7
        toxiproxy_proxy_received_bytes_total{direction="upstream",proxy="UDP",listener="udp:U",upstream=""} 6
        toxiproxy_proxy_received_bytes_total{direction="downstream",proxy="UDP",listener="udp:U",upstream=""} 0
        # HELP toxiproxy_proxy_sent_bytes_total Counts the bytes that went on.
        # TYPE toxiproxy_proxy_sent_bytes_total counter
        toxiproxy_proxy_sent_bytes_total{direction="upstream",proxy="TCP",listener="T",upstream="S"} 3
        toxiproxy_proxy_sent_bytes_total{direction="downstream",proxy="TCP",listener="T",upstream="S"} 7
        toxiproxy_proxy_sent_bytes_total{direction="upstream",proxy="UDP",listener="udp:U",upstream=""} 2
        toxiproxy_proxy_sent_bytes_total{direction="downstream",proxy="UDP",listener="udp:U",upstream=""} 0
        # HELP weir_event_listeners Counts the streams of events that are open.
        # TYPE weir_event_listeners gauge
        weir_event_listeners 0

        """#
}
