import Glibc
import Support
import Testing
import WeirEngine
import WeirTLS
import WeirWire

@testable import WeirRelay

/// What the tests of routes with TLS share: a server's certificate, the relay's own CA, and both peers of a flow.
struct TLSRelayFixture: Sendable {
    let folder: TemporaryFolder
    let serverAuthority: Authority
    let certificate: TLSCertificate
    let services: TLSServices

    /// Makes all of it; `configure` changes the settings of the relay.
    init(_ configure: (inout TLSServices.Settings) -> Void = { _ in }) throws {
        folder = try TemporaryFolder()
        let now = Int(SystemClock.now().wallNanoseconds / 1_000_000_000)
        serverAuthority = try Authority(on: "servers", at: now)
        certificate = try serverAuthority.leaf(for: [.host("example.test")], key: PrivateKey(.p256), at: now)
        let trust = try folder.file("servers.pem", serverAuthority.certificate.certificate.pem)
        var settings = TLSServices.Settings()
        settings.authorityFolder = folder.path + "/ca"
        settings.serverTrust = trust
        configure(&settings)
        services = try TLSServices(settings, host: "test") { _ in nil }
    }

    /// Returns bytes that are the same for the same seed.
    static func data(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var dice = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &dice) }
    }

    var clientTrust: TLSTrust { .file(services.certificatePath) }

    func clientEnd(
        _ versions: ClosedRange<TLSVersion> = .v12 ... .v13,
        name: String? = "example.test",
        trust: TLSTrust? = nil,
        protocols: [String] = []
    ) throws -> TLSEnd {
        try TLSEnd(
            client: TLSContext(TLSSettings(versions: versions, trust: trust ?? clientTrust)),
            serverName: name,
            verifiedName: name,
            protocols: protocols.map { Array($0.utf8) }
        )
    }

    func serverEnd(_ versions: ClosedRange<TLSVersion> = .v12 ... .v13, choosing: String? = nil) throws
        -> TLSEnd
    {
        try TLSEnd(
            server: TLSContext(TLSSettings(versions: versions)),
            certificate: certificate,
            choosing: choosing.map { Array($0.utf8) }
        )
    }

    /// Runs a body with both peers of a flow through an intercepting relay; both handshakes are complete.
    func talk(
        _ versions: ClosedRange<TLSVersion> = .v12 ... .v13,
        toxics: [ToxicConfiguration] = [],
        _ body: @escaping @Sendable (TLSPeer, TLSPeer) throws -> Void
    ) async throws -> RecordCollector {
        let (listener, endpoint) = try TLSPeer.listen()
        defer { close(listener) }
        var kept: RecordCollector?
        try await withRelay(
            "tls:0=\(endpoint)",
            interest: .bytes,
            configure: { configuration in
                configuration.tls = services
                if !toxics.isEmpty { configuration.toxics = [0: toxics] }
            }
        ) { relay, collector in
            kept = collector
            let relayed = relay.endpoint
            let serving = try Background { [self] in
                let server = TLSPeer(try TLSPeer.accept(listener), try serverEnd(versions))
                #expect(try server.handshake() == .done)
                return server
            }
            try await runThread { [self] in
                let client = try TLSPeer(to: relayed, try clientEnd(versions))
                #expect(try client.handshake() == .done)
                try body(client, try serving.value())
            }
            _ = try await collector.closes()
        }
        return try #require(kept)
    }
}

extension TLSRelayFixture {
    /// Runs a client and a server, whose connection is given to `serve`, through a relay with one route.
    ///
    /// - Parameters:
    ///   - route: makes the route of the server's endpoint.
    ///   - clients: how many connections the server takes.
    ///   - configure: changes the relay's configuration.
    ///   - serve: what the server does with each connection, in turn.
    ///   - body: what the clients do, with the relay's endpoint.
    /// - Returns: the records.
    /// - Throws: the errors of both sides.
    func run(
        _ route: (Endpoint) -> String,
        clients: Int = 1,
        configure: (inout RelayConfiguration) -> Void = { _ in },
        serve: @escaping @Sendable (TLSPeer) throws -> Void,
        _ body: @escaping @Sendable (Endpoint) throws -> Void
    ) async throws -> RecordCollector {
        let (listener, endpoint) = try TLSPeer.listen()
        defer { close(listener) }
        var kept: RecordCollector?
        try await withRelay(
            route(endpoint),
            interest: .bytes,
            configure: { configuration in
                configuration.tls = services
                configure(&configuration)
            }
        ) { relay, collector in
            kept = collector
            let relayed = relay.endpoint
            let serving = try Background { [self] in
                for _ in 0..<clients { try serve(TLSPeer(try TLSPeer.accept(listener), try serverEnd())) }
            }
            try await runThread { try body(relayed) }
            try serving.value()
            _ = try await collector.closes(clients)
        }
        return try #require(kept)
    }
}

extension FlowRecord.Happening {
    var secured: SecuredRecord? { if case .tls(.secured(let secured)) = self { secured } else { nil } }
    var tlsFailure: TLSFailureRecord? { if case .tls(.failed(let failure)) = self { failure } else { nil } }
}
