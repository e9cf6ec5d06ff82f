import Testing
import WeirTLS

@Suite("Two legs of TLS beside each other, in memory")
struct TLSBridgeTests {
    private static let now = 1_800_000_000
    private let certificate: TLSCertificate

    init() throws {
        let authority = try Authority(on: "test", at: Self.now)
        certificate = try authority.leaf(for: [.host("example.com")], key: PrivateKey(.p256), at: Self.now)
    }

    private func bridge(_ front: TLSVersion, _ back: TLSVersion, size: @escaping () -> Int) throws -> TLSBridge {
        let (toClient, toServer) = (
            try TLSContext(TLSSettings(versions: front...front)), try TLSContext(TLSSettings(versions: back...back))
        )
        return TLSBridge(
            client: try TLSEnd(client: toClient, serverName: "example.com"),
            front: try TLSEnd(server: toClient, certificate: certificate),
            back: try TLSEnd(client: toServer, serverName: "example.com"),
            server: try TLSEnd(server: toServer, certificate: certificate),
            size: size
        )
    }

    /// Lets both sides speak at once, in between turns of both legs.
    private func talk(_ bridge: TLSBridge, rounds: Int, _ count: (Int) -> Int, updates: Bool = false) {
        var (up, down): ([UInt8], [UInt8]) = ([], [])
        bridge.run()
        #expect(bridge.isReady)
        for round in 0..<rounds {
            let (one, other) = (
                TLSPair.data(count(round), UInt64(round)), TLSPair.data(count(round + 1), UInt64(round) + 1000)
            )
            bridge.write(one, at: .client)
            bridge.write(other, at: .server)
            (up, down) = (up + one, down + other)
            if updates {
                let place = TLSBridge.Place.allCases[round % 4]
                #expect(bridge[place].updateKeys())
                bridge.write([], at: place)
            }
            for _ in 0..<round % 5 { _ = bridge.turn() }
        }
        while bridge.turn() {}
        #expect(bridge.failures == [])
        #expect(bridge.received(at: .server) == up && bridge.received(at: .client) == down)
    }

    @Test("Both directions arrive, whatever the sizes of the pieces, with any version on either leg", arguments: 1...40)
    func pieces(size: Int) throws {
        let versions: [(TLSVersion, TLSVersion)] = [(.v12, .v12), (.v12, .v13), (.v13, .v12), (.v13, .v13)]
        for (front, back) in versions { talk(try bridge(front, back, size: { size }), rounds: 3, { 300 + $0 }) }
    }

    @Test("Both directions arrive in pieces of random sizes", arguments: 1...20)
    func random(seed: Int) throws {
        var dice = SeededDice(UInt64(seed))
        let versions: [TLSVersion] = [.v12, .v13]
        let (front, back) = (versions[seed % 2], versions[seed / 2 % 2])
        let bridge = try bridge(front, back, size: { Int(dice.next() % 3000) + 1 })
        talk(bridge, rounds: 12, { ($0 * 7919 + seed) % 40_000 })
    }

    @Test("Keys are updated in the middle of both directions, on any leg", arguments: [1, 13, 40, 5000])
    func updates(size: Int) throws {
        talk(try bridge(.v13, .v13, size: { size }), rounds: 12, { 200 * $0 }, updates: true)
    }
}
