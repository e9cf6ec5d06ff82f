import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("Requests before and after the relay", .tags(.network), .timeLimit(.minutes(1)))
struct RequestGateTests {
    private static func refusal(_ gate: RequestGate) async -> String {
        do {
            _ = try await gate.ready()
            return "let in"
        } catch let error as AnswerError {
            guard case .bytes(let body) = error.answer.body else { return "a stream" }
            return "\(error.answer.status) \(String(decoding: body, as: UTF8.self))"
        } catch {
            return "\(error)"
        }
    }

    @Test("A request that comes before the relay waits for it")
    func waits() async throws {
        var settings = AdminSettings()
        try settings.listen(at: "127.0.0.1:0")
        let server = try await AdminServer(settings)
        var configuration = RelayConfiguration(routes: [try Route(echo: "tcp:0")])
        configuration.adminEndpoints = server.endpoints
        let relay = try await Supervisor(configuration, outputs: [server.output()])
        let endpoint = server.endpoint
        let (early, other) = try await runThread {
            let early = try TCPPeer(to: endpoint)
            try early.send("GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            // What needs no relay is answered: this request came later, on the same thread.
            let other = try TCPPeer(to: endpoint)
            try other.send("GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return (early, try AdminFixture.parse(try other.receiveToEnd().bytes))
        }
        #expect(other.status == 404)
        await server.serve(relay)
        let answer = try AdminFixture.parse(try await runThread { try early.receiveToEnd().bytes })
        #expect(answer.status == 200 && answer.text.hasPrefix(#"{"status":"ok""#))
        await server.stop()
        await relay.stop(grace: .zero)
    }

    @Test("Requests that wait, and those that come later, are told that the relay stops")
    func closes() async throws {
        let expected =
            #"503 {"type":"about:blank","title":"Service Unavailable","status":503,"detail":"the relay is stopping"}"#
        let gate = RequestGate(AdminSettings())
        let waiting = Task { await Self.refusal(gate) }
        for _ in 0..<100 { await Task.yield() }
        await gate.close()
        #expect(await waiting.value == expected)
        #expect(await Self.refusal(gate) == expected)
        try await withAdmin { admin in
            let opened = RequestGate(AdminSettings())
            await opened.open(admin.relay) { _ in }
            #expect(await Self.refusal(opened) == "let in")
            await opened.close()
            #expect(await Self.refusal(opened) == expected)
        }
    }

    @Test("A server that has stopped takes no connections, and has ended those that there were")
    func stops() async throws {
        try await withAdmin { admin in
            let endpoint = admin.server.endpoint
            let (idle, streaming) = try await runThread {
                let (idle, streaming) = (try TCPPeer(to: endpoint), try TCPPeer(to: endpoint))
                try streaming.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                _ = try streaming.receive(20)
                return (idle, streaming)
            }
            await admin.server.stop()
            let ends = try await runThread { (try idle.receiveToEnd(), try streaming.receiveToEnd()) }
            #expect(ends.0.bytes.isEmpty && ends.0.ending == .end)
            #expect(String(decoding: ends.1.bytes, as: UTF8.self).hasSuffix("\r\n0\r\n\r\n") && ends.1.ending == .end)
            await #expect(throws: (any Error).self) { try await runThread { try TCPPeer(to: endpoint) } }
        }
    }

    @Test("Without settings it listens at Toxiproxy's place")
    func defaults() throws {
        var settings = AdminSettings()
        #expect(settings.listen == HostPort(.address(.loopbackV4), 8474) && settings.version == "0")
        #expect(settings.capturesFolder == "Captures" && settings.token == nil)
        try settings.listen(at: "default")
        #expect(settings.listen == HostPort(.address(.loopbackV4), 8474))
        try settings.listen(at: "[::1]:9")
        #expect(try settings.listen == HostPort(.address(.loopbackV6), 9) && settings.address().port == 9)
    }
}
