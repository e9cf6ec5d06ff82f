import Glibc
import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("Weir's own API", .tags(.network), .timeLimit(.minutes(1)))
struct V1Tests {
    @Test("What is wrong is a problem with its status")
    func tellsProblems() async throws {
        try await withAdmin { admin in
            let cases = [
                ("GET", "/v1/nothing", 404), ("GET", "/v1/flows/1", 404), ("GET", "/v1/flows/x", 404),
                ("DELETE", "/v1/flows/1", 404), ("GET", "/v1/flows?limit=0", 400), ("GET", "/v1/flows?limit=x", 400),
                ("GET", "/v1/flows?after=-1", 400), ("GET", "/v1/flows?transport=sctp", 400),
                ("GET", "/v1/flows?proxy=none", 404), ("PUT", "/v1/flows", 405), ("GET", "/v1/events?event=x", 400),
                ("GET", "/v1/holds?wait=11", 400), ("GET", "/v1/holds/x", 404), ("GET", "/v1/recordings/x.pcapng", 404),
            ]
            for (method, path, status) in cases {
                let answer = try await admin.call(method, path)
                #expect(answer.status == status, "\(method) \(path)")
                #expect(answer.header("content-type") == "application/problem+json")
                #expect(try answer.json()["status"]?.intValue == status)
                #expect(try answer.json()["detail"]?.stringValue?.isEmpty == false)
            }
            #expect(try await admin.call("PUT", "/v1/flows").header("allow") == "GET, HEAD")
            let head = try await admin.call("HEAD", "/v1/health")
            #expect(head.status == 200 && head.body.isEmpty && head.header("content-length") != "0")
        }
    }

    @Test("The log of events lets go of the relay, which holds it, once it is closed")
    func letsGo() {
        final class Relay: Sendable {}
        let log = EventLog()
        weak var relay: Relay?
        do {
            let kept = Relay()
            relay = kept
            log.whenInterestChanges { _ = kept }
        }
        #expect(relay != nil)
        log.close()
        #expect(relay == nil)
    }

    @Test("Flows are listed in pages with their paths and counters, found, and closed")
    func listsFlows() async throws {
        try await withAdmin(["tcp:0"]) { admin in
            let peers = try await runThread {
                try (0..<5).map { _ in
                    let peer = try TCPPeer(to: admin.relay.endpoint)
                    try peer.send("hello")
                    _ = try peer.receive(5)
                    return peer
                }
            }
            let first = try await admin.call("GET", "/v1/flows?limit=3").json()
            #expect(first["flows"]?.arrayValue?.map { $0["id"] } == [1, 2, 3] && first["next"] == 3)
            let rest = try await admin.call("GET", "/v1/flows?limit=3&after=3").json()
            #expect(rest["flows"]?.arrayValue?.map { $0["id"] } == [4, 5] && rest["next"] == .null)
            let flow = try await admin.call("GET", "/v1/flows/4").json()
            #expect(flow["upstream"]?["bytes"] == 5 && flow["phase"] == "open" && flow["egress"] == .null)
            #expect(flow["listener"]?.stringValue == "\(admin.relay.endpoint)")
            let name = "tcp-\(admin.relay.endpoint.port)"
            #expect(flow["proxy"]?.stringValue == name)
            #expect(
                try await admin.call("GET", "/v1/flows?proxy=\(name)&transport=tcp").json()["flows"]?.arrayValue?.count
                    == 5
            )
            #expect(try await admin.call("DELETE", "/v1/flows/4").status == 204)
            #expect(try await runThread { try peers[3].receiveToEnd().ending } == .end)
            #expect(try await admin.call("GET", "/v1/flows/4").status == 404)
        }
    }

    @Test("Toxic types are shown as the table has them")
    func listsTypes() async throws {
        try await withAdmin { admin in
            let types = try await admin.call("GET", "/v1/toxic-types").json().arrayValue ?? []
            #expect(types.map { $0["name"]?.stringValue } == Toxics.all.map(\.name))
            for (shown, type) in zip(types, Toxics.all) {
                #expect(shown["fields"]?.arrayValue?.map { $0["name"]?.stringValue } == type.fields.map(\.name))
            }
        }
    }

    @Test("Ports of clients and of the relay are shown together, also of flows that have ended")
    func listsPorts() async throws {
        let server = try TCPServer()
        try await withAdmin([server.route]) { admin in
            let (client, peer) = try await runThread { (try TCPPeer(to: admin.relay.endpoint), try server.accept()) }
            while try await admin.call("GET", "/v1/ports").json()["flows"] != 1 {}
            client.close()
            peer.close()
            var pair: JSONValue?
            repeat {
                pair = try await admin.call("GET", "/v1/ports").json()["ports"]?.arrayValue?.first
            } while pair?["open"] == true
            #expect(pair?["egress"]?.stringValue?.hasPrefix("127.0.0.1:") == true)
            #expect(pair?["server"]?.stringValue == "\(server.endpoint)")
        }
    }

    @Test("The allocators of clients and of the relay are named, with the choices of every dial")
    func reportsPorts() async throws {
        let server = try TCPServer()
        try await withAdmin([server.route]) { admin in
            let endpoint = admin.relay.endpoint
            let peers = try await runThread {
                try (0..<20).map { _ in (try TCPPeer(to: endpoint), try server.accept()) }
            }
            while try await admin.call("GET", "/v1/ports").json()["flows"] != 20 {}
            let report = try await admin.call("GET", "/v1/ports/report").json()
            let series = try #require(report["series"]?.arrayValue)
            #expect(series.map { $0["side"] } == ["client", "egress"])
            #expect(
                series.allSatisfy {
                    $0["samples"] == 20 && $0["client"] == "127.0.0.1" && $0["class"]?.stringValue != nil
                }
            )
            #expect(report["left_out"] == 0 && report["next"] == .null)
            let first = try await admin.call("GET", "/v1/ports/report?limit=1").json()
            #expect(first["series"]?.arrayValue?.map { $0["side"] } == ["client"] && first["next"] == 1)
            let rest = try await admin.call("GET", "/v1/ports/report?limit=1&after=1").json()
            #expect(rest["series"]?.arrayValue?.map { $0["side"] } == ["egress"] && rest["next"] == .null)
            for (client, peer) in peers {
                client.close()
                peer.close()
            }
        }
    }

    @Test("Only so many streams are open at once")
    func boundsStreams() async throws {
        try await withAdmin(configure: { $0.maxStreams = 2 }) { admin in
            let endpoint = admin.server.endpoint
            let peers = try await runThread {
                try (0..<2).map { _ in
                    let peer = try TCPPeer(to: endpoint)
                    try peer.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    _ = try peer.receive(20)
                    return peer
                }
            }
            #expect(try await admin.call("GET", "/v1/events").status == 503)
            for peer in peers { peer.close() }
        }
    }

    @Test("A recording is started, stopped, listed and sent, inside its folder alone")
    func records() async throws {
        let folder = try TemporaryFolder()
        try await withAdmin(["tcp:0"], configure: { try $0.keepCaptures(in: "\(folder.path)/in") }) { admin in
            let started = try await admin.call("POST", "/v1/recordings", #"{"name":"a.pcapng"}"#)
            #expect(started.status == 201)
            #expect(try started.json()["active"] == true)
            #expect(try await admin.call("POST", "/v1/recordings", #"{"name":"a.pcapng"}"#).status == 409)
            try await runThread {
                let peer = try TCPPeer(to: admin.relay.endpoint)
                try peer.send("recorded bytes")
                _ = try peer.receive(14)
                peer.close()
            }
            let stopped = try await admin.call("POST", "/v1/recordings/a.pcapng/stop")
            #expect(stopped.status == 200)
            #expect(try stopped.json()["active"] == false)
            #expect(try await admin.call("POST", "/v1/recordings/a.pcapng/stop").status == 409)
            let file = try await admin.call("GET", "/v1/recordings/a.pcapng/file")
            #expect(file.status == 200 && file.body.starts(with: [0x0A, 0x0D, 0x0D, 0x0A]))
            #expect(file.body.firstRange(of: Array("recorded bytes".utf8)) != nil)
            #expect(try stopped.json()["bytes"]?.intValue == file.body.count)
            #expect(try await admin.call("POST", "/v1/recordings").status == 201)
            let plain = try await admin.call("POST", "/v1/recordings", #"{"name":"b.pcap","format":"pcap"}"#)
            #expect(plain.status == 201)
            #expect(try await admin.call("POST", "/v1/recordings/b.pcap/stop").json()["bytes"]?.intValue == 24)
            #expect(try await admin.call("GET", "/v1/recordings").json()["recordings"]?.arrayValue?.count == 3)
            // Names that lead elsewhere, and a link out of the folder.
            symlink("/etc/passwd", "\(folder.path)/in/link.pcapng")
            for name in [
                "..%2Fa.pcapng", "..", ".hidden.pcapng", "%2Fetc%2Fpasswd", "a.pcapng%00", "link.pcapng",
                "%2e%2e%2f%2e%2e%2fx.pcapng",
            ] {
                #expect(try await admin.call("GET", "/v1/recordings/\(name)/file").status == 404, "\(name)")
            }
            for name in ["../b.pcapng", "/tmp/b.pcapng", ".b.pcapng", "b", "b.pcapng/", "b\\u0000.pcapng", ""] {
                let answer = try await admin.call("POST", "/v1/recordings", #"{"name":"\#(name)"}"#)
                #expect(answer.status == 400, "\(name)")
            }
        }
    }

    @Test("The metrics count what flows, live")
    func counts() async throws {
        try await withAdmin(["tcp:0"]) { admin in
            let peer = try await runThread {
                let peer = try TCPPeer(to: admin.relay.endpoint)
                try peer.send("12345")
                _ = try peer.receive(5)
                return peer
            }
            let text = try await admin.call("GET", "/metrics").text
            let labels = "{proxy=\"tcp-\(admin.relay.endpoint.port)\",transport=\"tcp\""
            #expect(text.contains("weir_flows_open\(labels)} 1\n"))
            #expect(text.contains("weir_bytes_total\(labels),direction=\"upstream\"} 5\n"))
            #expect(text.contains("weir_dial_seconds_count\(labels)} 0\n"))
            #expect(text.contains("toxiproxy_proxy_sent_bytes_total{direction=\"upstream\",proxy="))
            peer.close()
        }
    }
}
