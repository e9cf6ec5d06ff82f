import NIOCore
import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("A connection to the control API", .tags(.network), .timeLimit(.minutes(1)))
struct AdminConnectionTests {
    private static func request(_ method: String, _ path: String, closes: Bool = false) -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(closes ? "Connection: close\r\n" : "")\r\n"
    }

    /// Sends requests over one connection, and reads what comes until its end.
    private static func exchange(
        _ admin: AdminFixture,
        _ requests: String,
        finishing: Bool = false
    ) async throws -> (statuses: [String], text: String, ending: TCPPeer.Ending) {
        let endpoint = admin.server.endpoint
        let (bytes, ending) = try await runThread {
            let peer = try TCPPeer(to: endpoint)
            try peer.send(requests)
            if finishing { peer.finish() }
            return try peer.receiveToEnd()
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return (text.ranges(of: "HTTP/1.1 ").map { String(text[$0.upperBound...].prefix(3)) }, text, ending)
    }

    @Test("Requests that come together are answered one after the other, however many")
    func pipelining() async throws {
        try await withAdmin { admin in
            let (metrics, nothing) = (Self.request("GET", "/metrics"), Self.request("GET", "/nothing"))
            let few = String(repeating: metrics + nothing, count: 20)
            let many = String(repeating: nothing, count: 5000)
            let last = Self.request("GET", "/v1/health", closes: true)
            let answers = try await Self.exchange(admin, few + many + last)
            let expected = Array(repeating: ["200", "404"], count: 20).joined() + Array(repeating: "404", count: 5000)
            #expect(answers.statuses == expected + ["200"])
            #expect(answers.ending == .end)
        }
    }

    @Test("Nothing is done that comes behind a last request", arguments: ["localhost", "evil.example"])
    func endsWithLast(host: String) async throws {
        try await withAdmin { admin in
            let body = #"{"name":"a","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}"#
            let head = "POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            let last = Self.request("GET", "/v1/health", closes: host == "localhost")
                .replacing("localhost", with: host)
            let answers = try await Self.exchange(admin, last + head + body)
            #expect(answers.statuses == [host == "localhost" ? "200" : "403"])
            #expect(try await Self.exchange(admin, last + "nonsense\r\n\r\n").statuses == answers.statuses)
            #expect(admin.relay.routes.isEmpty)
        }
    }

    @Test("Who sends nothing more is still answered, and then the connection ends")
    func halfClose() async throws {
        try await withAdmin { admin in
            for path in ["/v1/health", "/metrics", "/proxies"] {
                let answers = try await Self.exchange(admin, Self.request("GET", path), finishing: true)
                #expect(answers.statuses == ["200"] && answers.ending == .end, "\(path)")
            }
            let silent = try await Self.exchange(admin, "", finishing: true)
            #expect(silent.text.isEmpty && silent.ending == .end)
        }
    }

    @Test("HEAD of a stream has no length and no body, and the connection goes on")
    func headOfStreams() async throws {
        try await withAdmin { admin in
            let requests = Self.request("HEAD", "/v1/events") + Self.request("GET", "/v1/health", closes: true)
            let answers = try await Self.exchange(admin, requests)
            #expect(answers.statuses == ["200", "200"])
            let head = answers.text.split(separator: "\r\n\r\n")[0]
            #expect(head.contains("text/event-stream") && !head.contains("content-length"))
            #expect(answers.text.hasSuffix("}") && !answers.text.contains("\r\n0\r\n\r\n"))
        }
    }

    @Test("A HEAD that is refused has an answer without a body, and the refusal after it has one")
    func refusedHeads() async throws {
        try await withAdmin { admin in
            for (status, request) in [
                ("403", "HEAD /v1/health HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
                ("400", "HEAD //evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                ("413", "HEAD /v1/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"),
            ] {
                let refused = try await Self.exchange(admin, request)
                #expect(refused.statuses == [status])
                #expect(refused.text.hasSuffix("\r\n\r\n") && !refused.text.contains("content-length: 0"))
                let other = try await Self.exchange(admin, request.replacing("HEAD", with: "GET"))
                #expect(other.statuses == [status] && other.text.hasSuffix("}"))
            }
            let two = try await Self.exchange(admin, Self.request("HEAD", "/v1/health") + "nonsense\r\n\r\n")
            #expect(two.statuses == ["200", "400"] && two.text.hasSuffix("}"))
        }
    }

    @Test("The API ends at once, also where a client takes nothing of its answer")
    func endsBesideStalledClients() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a.pcapng", Pattern.bytes(20_000_000))
        func configure(_ settings: inout AdminSettings) throws {
            try settings.keepCaptures(in: folder.path)
            settings.times.progress = .hours(1)
        }
        try await withAdmin(configure: configure) { admin in
            let endpoint = admin.server.endpoint
            let peers = try await runThread {
                let paths = ["/v1/recordings/a.pcapng/file", "/v1/events"]
                return try paths.map { path in
                    let peer = try TCPPeer(to: endpoint, receiveBuffer: 4096)
                    try peer.send(Self.request("GET", path))
                    _ = try peer.receive(20)
                    return peer
                }
            }
            await admin.server.stop()
            for peer in peers { peer.close() }
        }
    }

    @Test("A client of HTTP/1.0 is answered to the end of the connection, a stream without chunks")
    func oldClients() async throws {
        let folder = try TemporaryFolder()
        let bytes = Pattern.bytes(300_000)
        _ = try folder.file("a.pcapng", bytes)
        try await withAdmin(configure: { try $0.keepCaptures(in: folder.path) }) { admin in
            let whole = try await admin.send("GET /v1/health HTTP/1.0\r\nHost: localhost\r\n\r\n")
            #expect(whole.status == 200 && whole.header("connection") == "close" && whole.text.hasSuffix("}"))
            let stream = try await admin.send("GET /v1/recordings/a.pcapng/file HTTP/1.0\r\nHost: localhost\r\n\r\n")
            #expect(stream.status == 200 && stream.header("transfer-encoding") == nil && stream.body == bytes)
        }
    }
}
