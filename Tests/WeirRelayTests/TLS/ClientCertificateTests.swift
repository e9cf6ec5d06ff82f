import Support
import Testing
import WeirEngine
import WeirTLS
import WeirWire

@testable import WeirRelay

@Suite("Servers that ask for a client's certificate", .tags(.network), .timeLimit(.minutes(2)))
struct ClientCertificateTests {
    /// What the server saw, and what was recorded.
    private struct Outcome {
        var seen: X509Certificate?
        var record: ClientCertificate?
    }

    /// Lets a client talk to a server that asks for its certificate.
    private static func run(
        _ version: TLSVersion,
        client certificate: TLSCertificate?,
        file: String? = nil
    ) async throws -> (outcome: Outcome, fixture: TLSRelayFixture) {
        let fixture = try TLSRelayFixture { $0.clientCertificate = file }
        let seen = Lock<X509Certificate?>(nil)
        let collector = try await fixture.run({ "tls:0=\($0)" }) { server in
            server.end.askForCertificate(as: nil)
            #expect(try server.handshake() == .done)
            seen.withLock { $0 = server.end.peerCertificate }
            try server.send(try server.receive(3).bytes)
        } _: { relayed in
            let end = try fixture.clientEnd(version...version)
            if let certificate { #expect(end.answer(with: certificate)) }
            let client = try TLSPeer(to: relayed, end)
            var progress = try client.handshake()
            if progress == .wantsCertificate {
                #expect(end.answer(with: nil))
                progress = try client.handshake()
            }
            #expect(progress == .done)
            try client.send([1, 2, 3])
            #expect(try client.receive(3).bytes == [1, 2, 3])
        }
        let secured = collector.happenings.lazy.compactMap(\.secured).first
        return (Outcome(seen: seen.withLock { $0 }, record: secured?.clientCertificate), fixture)
    }

    private static func alice() throws -> TLSCertificate {
        let now = Int(SystemClock.now().wallNanoseconds / 1_000_000_000)
        let authority = try Authority(on: "people", at: now)
        return try authority.leaf(for: [.host("alice.test")], key: PrivateKey(.p256), at: now)
    }

    @Test("The server gets a certificate of the relay's CA in the client's name", arguments: [TLSVersion.v12, .v13])
    func reissued(version: TLSVersion) async throws {
        let alice = try Self.alice()
        let (outcome, fixture) = try await Self.run(version, client: alice)
        let seen = try #require(outcome.seen)
        #expect(seen.subject == alice.certificate.subject && seen.alternativeNames == [.host("alice.test")])
        let authority = try #require(X509Certificate(pem: try fixture.folder.read("ca/ca.pem")))
        #expect(seen.issuer == authority.subject && seen.fingerprint != alice.certificate.fingerprint)
        #expect(outcome.record == ClientCertificate(subject: "CN=alice.test", origin: .reissued))
    }

    @Test(
        "A client without one gives none, and the record says that the server asked",
        arguments: [TLSVersion.v12, .v13]
    )
    func none(version: TLSVersion) async throws {
        let (outcome, _) = try await Self.run(version, client: nil)
        #expect(outcome.seen == nil && outcome.record == ClientCertificate(subject: nil, origin: .none))
    }

    @Test("The user's own certificate goes to the server, whatever the client has", arguments: [TLSVersion.v12, .v13])
    func file(version: TLSVersion) async throws {
        let folder = try TemporaryFolder()
        let own = try Self.alice()
        let path = try folder.file("own.pem", own.certificate.pem + own.key.pem)
        let (outcome, _) = try await Self.run(version, client: nil, file: path)
        #expect(outcome.seen?.fingerprint == own.certificate.fingerprint)
        #expect(outcome.record == ClientCertificate(subject: "CN=alice.test", origin: .file))
    }
}
