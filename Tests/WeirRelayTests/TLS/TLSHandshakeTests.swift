import Glibc
import Support
import Testing
import WeirDissect
import WeirEngine
import WeirTLS
import WeirWire

@testable import WeirRelay

@Suite("Handshakes of routes with TLS", .tags(.network), .timeLimit(.minutes(2)))
struct TLSHandshakeTests {
    private let fixture: TLSRelayFixture

    init() throws {
        fixture = try TLSRelayFixture {
            $0.serverTrust = nil
            $0.trustsEveryServer = true
        }
    }

    private static let versions: [TLSVersion] = [.v12, .v13]

    /// Runs a relay to a server's address, with a thread for the clients and one for the servers, and returns the records.
    private func run(
        flows: Int,
        server: @escaping @Sendable (Int, Int32) throws -> Void,
        client: @escaping @Sendable (Int, Endpoint) throws -> Void
    ) async throws -> [FlowRecord] {
        let (listener, endpoint) = try TLSPeer.listen()
        defer { close(listener) }
        var kept: RecordCollector?
        try await withRelay("tls:0=\(endpoint)", configure: { $0.tls = fixture.services }) { relay, collector in
            kept = collector
            let relayed = relay.endpoint
            let serving = try Background {
                for index in 0..<flows { try server(index, try TLSPeer.accept(listener)) }
            }
            try await runThread { for index in 0..<flows { try client(index, relayed) } }
            try serving.value()
            _ = try await collector.wait(for: flows, "closes") { $0.closed != nil }
        }
        return try #require(kept).records
    }

    private func client(_ endpoint: Endpoint, _ version: TLSVersion, name: String? = nil) throws -> TLSPeer {
        let settings = TLSSettings(versions: version...version)
        return try TLSPeer(to: endpoint, TLSEnd(client: TLSContext(settings), serverName: name))
    }

    @Test("The server is told names alone, never addresses, and the client's certificate has what it asked for")
    func names() async throws {
        let cases: [(asked: String?, told: String?, name: String?)] = [
            ("example.test", "example.test", "example.test"), (nil, nil, nil),
            ("sub.EXAMPLE.Test", "sub.example.test", "sub.example.test"), ("dot.test.", "dot.test", "dot.test"),
            ("*.example.test", nil, nil),
            ("_service._tcp.example.test", "_service._tcp.example.test", "_service._tcp.example.test"),
            ("127.0.0.1", nil, nil), ("a,DNS:other.test", nil, nil), ("a b", nil, nil), ("\u{e9}.test", nil, nil),
            (Self.long(253), Self.long(253), Self.long(253)), (Self.long(255), nil, nil),
        ]
        let told = Lock<[String?]>([])
        let certified = Lock<[[AlternativeName]]>([])
        let records = try await run(flows: cases.count) { [fixture] _, accepted in
            let hello = try TLSPeer.peek(accepted)
            told.withLock { $0.append(hello.serverName) }
            let peer = TLSPeer(accepted, try fixture.serverEnd())
            #expect(try peer.handshake() == .done)
            _ = try peer.receive(1)
        } client: { index, relayed in
            let peer = try client(relayed, index % 2 == 0 ? .v13 : .v12, name: cases[index].asked)
            #expect(try peer.handshake() == .done)
            certified.withLock { $0.append(peer.end.peerCertificate?.alternativeNames ?? []) }
        }
        #expect(told.withLock { $0 } == cases.map(\.told))
        let certificates = certified.withLock { $0 }
        for (entry, names) in zip(cases, certificates) {
            let known: Set<AlternativeName> = [.host("example.test"), .host("localhost"), .address([127, 0, 0, 1])]
            let wanted = known.union(entry.name.map { [.host($0)] } ?? [])
            #expect(Set(names) == wanted && names.count == wanted.count, "\(entry.asked ?? "-")")
        }
        // The record has the name as the client sent it.
        #expect(records.compactMap { $0.happening.secured }.map(\.serverName) == cases.map(\.asked))
    }

    @Test("The server is told the user's name for it, if there is one, and verified by that")
    func upstreamName() async throws {
        for (name, isVerified) in [("example.test", true), ("wrong.test", false)] {
            let fixture = try TLSRelayFixture { $0.serverName = name }
            let (listener, endpoint) = try TLSPeer.listen()
            defer { close(listener) }
            try await withRelay("tls:0=\(endpoint)", configure: { $0.tls = fixture.services }) { relay, collector in
                let relayed = relay.endpoint
                let serving = try Background {
                    let accepted = try TLSPeer.accept(listener)
                    #expect(try TLSPeer.peek(accepted).serverName == name)
                    let peer = TLSPeer(accepted, try fixture.serverEnd())
                    _ = try peer.handshake()
                    _ = try peer.receive(1)
                }
                try await runThread {
                    let peer = try client(relayed, .v13, name: "asked.test")
                    #expect((try peer.handshake() == .done) == isVerified)
                }
                try serving.value()
                let closed = try await collector.wait("close") { $0.closed != nil }
                #expect((closed.first?.closed?.reason == .tls) == !isVerified)
            }
        }
    }

    /// Returns a name of a number of bytes.
    private static func long(_ count: Int) -> String {
        let labels = String(repeating: String(repeating: "a", count: 49) + ".", count: 5)
        return labels + String(repeating: "b", count: count - labels.utf8.count)
    }

    @Test("A name with a zero byte, or one that is too long, is refused, and the server is not told of it")
    func brokenNames() async throws {
        let good = "a-0.test"
        let records = try await run(flows: 2) { [fixture] _, accepted in
            #expect(try TLSPeer.peek(accepted).serverName == nil)
            let peer = TLSPeer(accepted, try fixture.serverEnd())
            #expect(try peer.handshake() == .done)
            #expect(try peer.receive(1).ending == .closeNotify)
        } client: { index, relayed in
            let peer = try client(relayed, .v13, name: index == 0 ? good : Self.long(255))
            var hello = peer.makeHello()
            if index == 0 {
                let place = try #require(hello.indices.first { hello[$0...].starts(with: Array(good.utf8)) })
                hello[place + 1] = 0
            } else {
                // The name grows by one byte, and with it all lengths around it.
                let place = try #require(hello.indices.first { hello[$0...].starts(with: Array(Self.long(255).utf8)) })
                hello.insert(UInt8(ascii: "a"), at: place)
                for end in [5, 9, place, place - 3, place - 5, Self.extensions(hello)] {
                    let length = (Int(hello[end - 2]) << 8 | Int(hello[end - 1])) + 1
                    (hello[end - 2], hello[end - 1]) = (UInt8(length >> 8), UInt8(length & 0xff))
                }
            }
            try peer.sendUnencrypted(hello)
            #expect(try peer.receive(1).ending == .failed)
        }
        let failures = records.compactMap { $0.happening.tlsFailure }
        #expect(failures.map(\.leg) == [.client, .client], "\(failures)")
        #expect(records.compactMap { $0.closed?.reason } == [.tls, .tls])
    }

    /// Returns the offset behind the length of all extensions in a hello in one record.
    private static func extensions(_ hello: [UInt8]) -> Int {
        // Record (5), message (4), version (2), random (32), session, cipher suites, compressions.
        var place = 43
        place += 1 + Int(hello[place])
        place += 2 + Int(hello[place]) << 8 + Int(hello[place + 1])
        place += 1 + Int(hello[place])
        return place + 2
    }

    @Test("Every alert of a server goes on to the client with its number, and is in the record")
    func alertsOfServers() async throws {
        let numbers = (1...255).map { UInt8($0) }
        let records = try await run(flows: numbers.count) { index, accepted in
            defer { close(accepted) }
            _ = try TLSPeer.peek(accepted)
            // What has not been read would make a reset of the end.
            var bytes = [UInt8](repeating: 0, count: 1 << 14)
            #expect(recv(accepted, &bytes, bytes.count, 0) > 0)
            let record = TLSAlert(rawValue: numbers[index]).record
            #expect(send(accepted, record, record.count, Int32(MSG_NOSIGNAL)) == record.count)
        } client: { index, relayed in
            let outcome = try client(relayed, index % 2 == 0 ? .v12 : .v13).handshake()
            #expect(outcome == .failed(.alertReceived(TLSAlert(rawValue: numbers[index]))))
        }
        let failures = records.compactMap { $0.happening.tlsFailure }
        #expect(failures.map(\.reason) == numbers.map { "alert \(TLSAlert(rawValue: $0))" })
        #expect(failures.allSatisfy { $0.leg == .server })
        #expect(records.compactMap { $0.closed?.reason }.allSatisfy { $0 == .tls })
    }

    @Test(
        "Every alert of a client is in the record, with a hint for those of distrust and of versions alone",
        arguments: versions
    )
    func alertsOfClients(version: TLSVersion) async throws {
        // In TLS 1.3, close_notify follows 90 (user_canceled).
        let numbers = (1...255).map { UInt8($0) }.filter { $0 != 90 }
        let records = try await run(flows: numbers.count) { [fixture] _, accepted in
            let peer = TLSPeer(accepted, try fixture.serverEnd())
            #expect(try peer.handshake() == .done)
            #expect(try peer.receive(1).ending == .closeNotify)
        } client: { index, relayed in
            let peer = try client(relayed, version)
            try peer.giveUp(with: TLSAlert(rawValue: numbers[index]))
            _ = try peer.receive(1)
        }
        let failures = records.compactMap { $0.happening.tlsFailure }
        #expect(failures.map(\.reason) == numbers.map { "alert \(TLSAlert(rawValue: $0))" })
        #expect(failures.allSatisfy { $0.leg == .client })
        let hinted = zip(numbers, failures).filter { $1.advice != nil }.map(\.0)
        #expect(hinted == [42, 45, 46, 48, 70])
    }

    @Test("Keys are updated in the middle of a stream, by the client and by the server")
    func updates() async throws {
        let fixture = try TLSRelayFixture()
        let collector = try await fixture.talk(.v13 ... .v13) { client, server in
            for round in 0..<4 {
                let (one, other) = round % 2 == 0 ? (client, server) : (server, client)
                #expect(try one.updateKeys())
                let data = [UInt8](repeating: UInt8(round), count: 20_000 * round + 1)
                let sending = try Background { try one.send(data) }
                #expect(try other.receive(data.count).bytes == data)
                try sending.value()
                try other.send([9])
                #expect(try one.receive(1).bytes == [9])
            }
            try client.finish()
            #expect(try server.receive(1).ending == .closeNotify)
            try server.finish()
            #expect(try client.receive(1).ending == .closeNotify)
        }
        #expect(collector.records.last?.closed?.reason == .finished)
    }
}
