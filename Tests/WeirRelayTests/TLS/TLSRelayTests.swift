import Glibc
import Support
import Testing
import WeirEngine
import WeirTLS
import WeirWire

@testable import WeirRelay

@Suite("Routes with TLS", .tags(.network), .timeLimit(.minutes(2)))
struct TLSRelayTests {
    private let fixture: TLSRelayFixture

    init() throws { fixture = try TLSRelayFixture() }

    @Test(
        "What each side sends arrives, and is recorded as it was before encryption",
        arguments: [TLSVersion.v12, .v13]
    )
    func both(version: TLSVersion) async throws {
        let (up, down) = (TLSRelayFixture.data(300_000, 1), TLSRelayFixture.data(700_000, 2))
        let collector = try await fixture.talk(version...version) { client, server in
            let sending = try Background { try client.send(up) }
            #expect(try server.receive(up.count).bytes == up)
            try sending.value()
            let answering = try Background { try server.send(down) }
            #expect(try client.receive(down.count).bytes == down)
            try answering.value()
            try client.finish()
            #expect(try server.receive(1).ending == .closeNotify)
            try server.finish()
            #expect(try client.receive(1).ending == .closeNotify)
        }
        #expect(collector.bytes(FlowID(1), .upstream) == up && collector.bytes(FlowID(1), .downstream) == down)
        let closed = try #require(collector.records.last?.closed)
        #expect(closed.reason == .finished && closed.upstream.bytes == 300_000 && closed.downstream.bytes == 700_000)
        let secured = try #require(collector.records.lazy.compactMap { $0.happening.secured }.first)
        #expect(secured.client?.version == "\(version)" && secured.server?.version == "\(version)")
        #expect(secured.serverName == "example.test" && secured.certificate?.isVerified == true)
    }

    @Test(
        "Ends are passed on as they happened, in both directions",
        arguments: [TLSVersion.v12, .v13],
        [(true, false), (true, true), (false, true)]
    )
    func ends(version: TLSVersion, end: (says: Bool, closes: Bool)) async throws {
        let collector = try await fixture.talk(version...version) { client, server in
            try client.send([1, 2, 3])
            try client.finish(says: end.says, closes: end.closes)
            let (bytes, ending) = try server.receive(9)
            #expect(bytes == [1, 2, 3] && ending == (end.says ? .closeNotify : .truncated))
            #expect(server.seesFIN(within: end.closes ? 5000 : 100) == end.closes)
            // The other direction goes on.
            let answer = TLSRelayFixture.data(200_000, 3)
            let answering = try Background {
                try server.send(answer)
                try server.finish(says: end.says, closes: end.closes)
            }
            let received = try client.receive(answer.count + 1)
            try answering.value()
            #expect(received.bytes == answer && received.ending == (end.says ? .closeNotify : .truncated))
        }
        let truncated = collector.records.count { if case .tls(.truncated) = $0.happening { true } else { false } }
        #expect(truncated == (end.says ? 0 : 2))
        #expect(collector.records.last?.closed?.reason == .finished)
    }

    @Test("What was delivered is what was recorded, under random toxics and sizes", arguments: 1...12)
    func property(seed: Int) async throws {
        var dice = SeededGenerator(seed: UInt64(seed))
        let kinds: [[ToxicConfiguration]] = [
            [], [ToxicConfiguration("latency", .downstream, attributes: ["latency": .int(5), "jitter": .int(3)])],
            [
                ToxicConfiguration(
                    "slicer",
                    .upstream,
                    attributes: ["average_size": .int(700), "size_variation": .int(300)]
                )
            ],
            [ToxicConfiguration("latency", .upstream, attributes: ["latency": .int(3)])],
        ]
        var toxics: [ToxicConfiguration] = []
        for kind in kinds where Bool.random(using: &dice) { toxics += kind }
        for (index, toxic) in toxics.enumerated() {
            toxics[index] = ToxicConfiguration(
                toxic.type,
                toxic.direction,
                name: "t\(index)",
                attributes: toxic.attributes
            )
        }
        let version: TLSVersion = Bool.random(using: &dice) ? .v12 : .v13
        let sizes = (0..<10).map { _ in Int.random(in: 1...(Bool.random(using: &dice) ? 40 : 60_000), using: &dice) }
        let collector = try await fixture.talk(version...version, toxics: toxics) { client, server in
            for (index, size) in sizes.enumerated() {
                let data = TLSRelayFixture.data(size, UInt64(index))
                let (source, target) = index % 3 == 0 ? (server, client) : (client, server)
                let sending = try Background { try source.send(data) }
                #expect(try target.receive(size).bytes == data)
                try sending.value()
            }
            try client.finish()
            #expect(try server.receive(1).ending == .closeNotify)
            try server.finish()
            #expect(try client.receive(1).ending == .closeNotify)
        }
        let up = sizes.enumerated().filter { $0.offset % 3 != 0 }.flatMap {
            TLSRelayFixture.data($0.element, UInt64($0.offset))
        }
        let down = sizes.enumerated().filter { $0.offset % 3 == 0 }.flatMap {
            TLSRelayFixture.data($0.element, UInt64($0.offset))
        }
        #expect(collector.bytes(FlowID(1), .upstream) == up && collector.bytes(FlowID(1), .downstream) == down)
        #expect(collector.records.last?.closed?.reason == .finished)
    }

    @Test("A server that cannot be verified, and a client that does not trust, end the flow with the reason")
    func failures() async throws {
        func failure(trust: TLSTrust?, name: String) async throws -> (TLSEnd.Handshake, TLSFailureRecord?) {
            let (listener, endpoint) = try TLSPeer.listen()
            defer { close(listener) }
            var kept: RecordCollector?
            let outcome = try await withRelay(
                "tls:0=\(endpoint)",
                configure: { $0.tls = fixture.services }
            ) { relay, collector in
                kept = collector
                let relayed = relay.endpoint
                let serving = try Background { [fixture] in
                    let server = TLSPeer(try TLSPeer.accept(listener), try fixture.serverEnd())
                    _ = try? server.handshake()
                    _ = try? server.receive(1)
                }
                let outcome = try await runThread { [fixture] in
                    let client = try TLSPeer(to: relayed, try fixture.clientEnd(name: name, trust: trust))
                    let outcome = try client.handshake()
                    if outcome == .done { _ = try? client.receive(1) }
                    return outcome
                }
                _ = try await collector.closes()
                try serving.value()
                return outcome
            }
            let records = try #require(kept).records
            #expect(records.last?.closed?.reason == .tls)
            return (outcome, records.lazy.compactMap { $0.happening.tlsFailure }.first)
        }
        let (outcome, wrong) = try await failure(trust: nil, name: "other.test")
        #expect(outcome == .failed(.alertReceived(.badCertificate)))
        #expect(wrong?.leg == .server && wrong?.reason == "certificate not verified: hostname mismatch")
        let stranger = try Authority(on: "stranger", at: Int(SystemClock.now().wallNanoseconds / 1_000_000_000))
        let path = try fixture.folder.file("stranger.pem", stranger.certificate.certificate.pem)
        let (_, distrust) = try await failure(trust: .file(path), name: "example.test")
        #expect(distrust?.leg == .client && distrust?.reason == "alert unknown_ca (48)")
        #expect(distrust?.advice?.contains("does not trust") == true)
    }

    @Test("A stream that a failure of TLS cuts does not end with close_notify", arguments: [TLSVersion.v12, .v13])
    func damaged(version: TLSVersion) async throws {
        let collector = try await fixture.talk(version...version) { client, server in
            try server.send([1, 2, 3])
            #expect(try client.receive(3).bytes == [1, 2, 3])
            // A record that no key opens.
            try server.sendUnencrypted([23, 3, 3, 0, 32] + [UInt8](repeating: 0, count: 32))
            #expect(try client.receive(1).ending == .truncated)
        }
        #expect(collector.happenings.contains { $0.tlsFailure?.leg == .server })
        #expect(collector.records.last?.closed?.reason == .tls)
    }

    @Test("What is no TLS is refused by a route with TLS")
    func plain() async throws {
        let (listener, endpoint) = try TLSPeer.listen()
        defer { close(listener) }
        try await withRelay("tls:0=\(endpoint)", configure: { $0.tls = fixture.services }) { relay, _ in
            let relayed = relay.endpoint
            try await runThread {
                let client = try TCPPeer(to: relayed)
                client.leaveOut(sent: 18, received: 0)
                try client.send("GET / HTTP/1.1\r\n\r\n")
                _ = try client.receiveToEnd()
            }
        }
    }

    @Test("TLS on one side alone: to the client, or to the server")
    func oneSide() async throws {
        // The echo server ends TLS itself.
        try await withRelay("tls:0", configure: { $0.tls = fixture.services }) { relay, _ in
            let relayed = relay.endpoint
            try await runThread { [fixture] in
                let client = try TLSPeer(to: relayed, try fixture.clientEnd(name: "localhost"))
                #expect(try client.handshake() == .done)
                let data = TLSRelayFixture.data(100_000, 5)
                try client.send(data)
                #expect(try client.receive(data.count).bytes == data)
                try client.finish()
                #expect(try client.receive(1).ending == .closeNotify)
            }
        }
    }
}
