import Testing
import WeirTLS

@Suite("The ends of TLS connections, in memory")
struct TLSEndTests {
    private static let now = 1_800_000_000
    private let authority: Authority
    private let certificate: TLSCertificate

    init() throws {
        authority = try Authority(on: "test", at: Self.now)
        certificate = try authority.leaf(for: [.host("example.com")], key: PrivateKey(.p256), at: Self.now)
    }

    private func pair(
        _ versions: ClosedRange<TLSVersion> = .v12 ... .v13,
        protocols: [String] = [],
        choosing chosen: String? = nil,
        size: @escaping () -> Int = { 1 << 20 }
    ) throws -> TLSPair {
        let settings = TLSSettings(versions: versions)
        let client = try TLSEnd(
            client: TLSContext(settings),
            serverName: "example.com",
            protocols: protocols.map { Array($0.utf8) }
        )
        let server = try TLSEnd(
            server: TLSContext(settings),
            certificate: certificate,
            choosing: chosen.map { Array($0.utf8) }
        )
        return TLSPair(client: client, server: server, size: size)
    }

    @Test(
        "Every version carries both directions, whatever the sizes of the pieces",
        arguments: TLSVersion.allCases,
        1...40
    )
    func pieces(version: TLSVersion, size: Int) throws {
        let pair = try pair(version...version, size: { size })
        pair.run()
        #expect(pair.handshakes == [.client: .done, .server: .done])
        #expect(pair.client.version == version && pair.server.version == version)
        let (up, down) = (TLSPair.data(3_000, UInt64(size)), TLSPair.data(5_000, 99))
        pair.write(up, on: .client)
        pair.write(down, on: .server)
        pair.run()
        #expect(pair.received[.server]?.bytes == up && pair.received[.client]?.bytes == down)
        #expect(pair.received[.server]?.ending == nil && pair.received[.client]?.ending == nil)
    }

    @Test("Large writes in random pieces, both ways at once", arguments: 1...20)
    func random(seed: Int) throws {
        var dice = SeededDice(UInt64(seed))
        let version: TLSVersion = seed % 2 == 0 ? .v12 : .v13
        let pair = try pair(version...version, size: { Int(dice.next() % 40_000) + 1 })
        pair.run()
        var wanted: [TLSPair.Side: [UInt8]] = [.client: [], .server: []]
        for round in 0..<12 {
            let side: TLSPair.Side = round % 3 == 0 ? .client : .server
            let bytes = TLSPair.data(Int(TLSPair.data(1, UInt64(seed * 100 + round))[0]) * 777, UInt64(round))
            pair.write(bytes, on: side)
            wanted[side == .client ? .server : .client]? += bytes
            if round % 4 == 1 { pair.run() }
        }
        pair.run()
        #expect(pair.received[.server]?.bytes == wanted[.server] && pair.received[.client]?.bytes == wanted[.client])
    }

    @Test(
        "Ends stay what they are: close_notify, close_notify with FIN, and FIN alone",
        arguments: [TLSVersion.v12, .v13]
    )
    func ends(version: TLSVersion) throws {
        for (saysSo, ends) in [(true, false), (true, true), (false, true)] {
            let pair = try pair(version...version)
            pair.run()
            pair.write([1, 2, 3], on: .client)
            if saysSo { pair.on(.client) { $0.finish() } }
            if ends { pair.end(.client) }
            pair.run()
            #expect(pair.received[.server]?.bytes == [1, 2, 3])
            #expect(pair.received[.server]?.ending == (saysSo ? .ended : .truncated))
            // The other direction goes on.
            pair.write([4, 5], on: .server)
            pair.on(.server) { $0.finish() }
            pair.run()
            #expect(pair.received[.client]?.bytes == [4, 5] && pair.received[.client]?.ending == .ended)
        }
    }

    @Test("The protocol that was chosen is mirrored, and none where none is offered or chosen")
    func protocols() throws {
        let (h2, http) = (Array("h2".utf8), Array("http/1.1".utf8))
        for (offered, chosen, wanted) in [
            (["h2", "http/1.1"], "http/1.1", http), (["h2", "http/1.1"], "h2", h2), (["http/1.1"], "h2", nil),
            ([], "h2", nil), (["h2"], nil, nil),
        ] as [([String], String?, [UInt8]?)] {
            let pair = try pair(protocols: offered, choosing: chosen)
            pair.run()
            #expect(pair.handshakes[.client] == .done)
            #expect(pair.client.chosenProtocol == wanted && pair.server.chosenProtocol == wanted)
        }
    }

    @Test("The key log has the secrets of each version, the same at both ends")
    func keys() throws {
        for (version, labels) in [
            (.v12, ["CLIENT_RANDOM"]),
            (
                .v13,
                [
                    "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "EXPORTER_SECRET",
                    "SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0",
                ]
            ),
        ] as [(TLSVersion, [String])] {
            let pair = try pair(version...version)
            pair.run()
            let (client, server) = (pair.client.takeKeys().sorted(), pair.server.takeKeys().sorted())
            #expect(client == server && client.map { String($0.prefix { $0 != " " }) } == labels)
            #expect(pair.client.takeKeys().isEmpty)
        }
    }

    @Test("Keys are updated in the middle of a stream, by either side")
    func updates() throws {
        let pair = try pair(.v13 ... .v13, size: { 7 })
        pair.run()
        for (round, side) in [TLSPair.Side.client, .server, .server, .client].enumerated() {
            pair.on(side) { #expect($0.updateKeys()) }
            pair.write([UInt8(round)], on: side)
            pair.write([UInt8(round) + 100], on: side == .client ? .server : .client)
            pair.run()
        }
        #expect(
            pair.received[.server]?.bytes == [0, 101, 102, 3] && pair.received[.client]?.bytes == [100, 1, 2, 103]
        )
    }

    @Test("A server is verified by its name, by its authority and by its time", arguments: [false, true])
    func verification(isRSA: Bool) throws {
        let folder = try ScratchFile(authority.certificate.certificate.pem)
        let now = Self.clock()
        let key = try PrivateKey(isRSA ? .rsa(bits: 2048) : .p256)
        let (current, other) = (try Authority(on: "now", at: now), try Authority(on: "other", at: now))
        let trust = try ScratchFile(current.certificate.certificate.pem)
        func outcome(_ authority: Authority, _ name: AlternativeName, asking: String, at time: Int) throws -> TLSPair {
            let leaf = try authority.leaf(for: [name], key: key, at: time)
            let client = try TLSEnd(
                client: TLSContext(TLSSettings(trust: .file(trust.path))),
                serverName: nil,
                verifiedName: asking
            )
            let pair = TLSPair(
                client: client,
                server: try TLSEnd(server: TLSContext(TLSSettings()), certificate: leaf)
            )
            pair.run()
            return pair
        }
        #expect(try outcome(current, .host("example.com"), asking: "example.com", at: now).handshakes[.client] == .done)
        #expect(
            try outcome(current, .address([192, 0, 2, 1]), asking: "192.0.2.1", at: now).handshakes[.client] == .done
        )
        let wrongs: [(Authority, AlternativeName, String, Int, TLSAlert, String)] = [
            (current, .host("example.com"), "example.org", now, .handshakeFailure, "hostname mismatch"),
            (current, .address([192, 0, 2, 1]), "192.0.2.2", now, .handshakeFailure, "IP address mismatch"),
            (
                other, .host("example.com"), "example.com", now, .unknownAuthority,
                "unable to get local issuer certificate"
            ),
        ]
        for (authority, name, asking, time, alert, reason) in wrongs {
            let pair = try outcome(authority, name, asking: asking, at: time)
            guard case .failed(.unverified(let said))? = pair.handshakes[.client] else {
                Issue.record("\(String(describing: pair.handshakes[.client]))")
                continue
            }
            #expect(said == reason)
            // The server is told so by the client's alert, in place of its Finished.
            if alert == .unknownAuthority {
                #expect(
                    pair.handshakes[.server] == .failed(.alertReceived(.unknownAuthority))
                        || pair.received[.server]?.ending == .failed(.alertReceived(.unknownAuthority))
                )
            }
        }
        _ = folder
    }

    @Test("What is no TLS, and an end in the handshake, fail with a reason")
    func faults() throws {
        let broken = try pair()
        broken.inject(Array("GET / HTTP/1.1\r\n\r\n".utf8), from: .client)
        broken.run()
        #expect(broken.handshakes[.server] == .failed(.protocolError(reason: "http request")))
        // The end follows a part of the ClientHello, or nothing at all.
        for part in [[22, 3, 1, 0, 9], []] as [[UInt8]] {
            let server = try TLSEnd(server: TLSContext(TLSSettings()), certificate: certificate)
            let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
            defer { room.deallocate() }
            part.withUnsafeBytes { bytes in
                server.receive(bytes, room: room)
                #expect(server.handshake() == .waits)
                #expect(server.settle())
            }
            server.inputEnded()
            #expect(server.handshake() == .failed(.ended))
        }
        let alerted = try pair()
        alerted.inject(TLSAlert.badCertificate.record, from: .server)
        alerted.run()
        #expect(alerted.handshakes[.client] == .failed(.alertReceived(.badCertificate)))
    }

    private static func clock() -> Int { Int(ScratchFile.now()) }
}
