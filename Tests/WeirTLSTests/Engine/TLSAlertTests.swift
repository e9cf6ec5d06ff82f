import Testing
import WeirTLS

@Suite("Alerts and renegotiation, in memory")
struct TLSAlertTests {
    private static let now = 1_800_000_000
    private let certificate: TLSCertificate
    private static let versions: [TLSVersion] = [.v12, .v13]

    init() throws {
        let authority = try Authority(on: "test", at: Self.now)
        certificate = try authority.leaf(for: [.host("example.com")], key: PrivateKey(.p256), at: Self.now)
    }

    private func pair(_ version: TLSVersion, size: @escaping () -> Int = { 1 << 20 }) throws -> TLSPair {
        let settings = TLSSettings(versions: version...version, ciphers: RecordSealer.ciphers)
        return TLSPair(
            client: try TLSEnd(client: TLSContext(settings), serverName: "example.com"),
            server: try TLSEnd(server: TLSContext(settings), certificate: certificate),
            size: size
        )
    }

    @Test("Every alert of a server in place of its hello is the failure's reason", arguments: versions)
    func inPlaceOfHello(version: TLSVersion) throws {
        for number in UInt8(0)...255 {
            let pair = try pair(version)
            pair.step(.client)
            pair.inject(TLSAlert(rawValue: number).record, from: .server)
            pair.step(.client)
            #expect(pair.handshakes[.client] == .failed(.alertReceived(TLSAlert(rawValue: number))))
        }
    }

    @Test("Every alert of a client in place of its Finished is the failure's reason", arguments: versions)
    func inPlaceOfFinished(version: TLSVersion) throws {
        for number in UInt8(1)...255 {
            let pair = try pair(version)
            pair.step(.client)
            pair.step(.server)
            #expect(pair.handshakes[.server] == .waits)
            pair.inject(TLSAlert(rawValue: number).record, from: .client)
            pair.step(.server)
            // A TLS 1.3 client that gives up says close_notify after this one.
            let isIgnored = version == .v13 && number == 90
            #expect(
                pair.handshakes[.server]
                    == (isIgnored ? .waits : .failed(.alertReceived(TLSAlert(rawValue: number))))
            )
        }
    }

    @Test("A client that says close_notify in the handshake has ended it", arguments: versions)
    func closedHandshake(version: TLSVersion) throws {
        let pair = try pair(version)
        pair.step(.client)
        pair.step(.server)
        pair.inject([21, 3, 3, 0, 2, 1, 0], from: .client)
        pair.step(.server)
        #expect(pair.handshakes[.server] == .failed(.ended))
    }

    @Test(
        "Every alert after the handshake is the failure's reason, behind the bytes before it",
        arguments: versions,
        [TLSPair.Side.client, .server]
    )
    func afterHandshake(version: TLSVersion, side: TLSPair.Side) throws {
        let other: TLSPair.Side = side == .client ? .server : .client
        for number in UInt8(0)...255 {
            let pair = try pair(version)
            pair.run()
            var sealer = try RecordSealer(side, of: pair)
            let isIgnored = version == .v13 && number == 90
            pair.inject(sealer.seal(23, [1, 2, 3]) + sealer.alert(number) + sealer.seal(23, [4]), from: side)
            pair.run()
            #expect(pair.received[other]?.bytes == [1, 2, 3] + (isIgnored ? [4] : []), "\(number)")
            let alert: TLSEnd.Read = .failed(.alertReceived(TLSAlert(rawValue: number)))
            let wanted: TLSEnd.Read? = isIgnored ? nil : version == .v13 && number == 0 ? .ended : alert
            #expect(pair.received[other]?.ending == wanted, "\(number)")
        }
    }

    @Test("Warnings of TLS 1.2 fail nothing, and are no reason of a later failure")
    func warnings() throws {
        for number in UInt8(1)...255 where number != 100 {
            let pair = try pair(.v12)
            pair.run()
            var sealer = try RecordSealer(.client, of: pair)
            pair.inject(sealer.alert(number, isFatal: false) + sealer.seal(23, [1]), from: .client)
            pair.inject([23, 3, 3, 0, 30] + [UInt8](repeating: 9, count: 30), from: .client)
            pair.run()
            #expect(pair.received[.server]?.bytes == [1], "\(number)")
            #expect(
                pair.received[.server]?.ending
                    == .failed(.protocolError(reason: "decryption failed or bad record mac")),
                "\(number)"
            )
        }
    }

    @Test(
        "Renegotiation is refused with a warning, and no byte is lost, whichever side asks",
        arguments: [TLSPair.Side.client, .server],
        [1, 7, 1000]
    )
    func renegotiation(side: TLSPair.Side, size: Int) throws {
        let other: TLSPair.Side = side == .client ? .server : .client
        let pair = try pair(.v12, size: { size })
        pair.run()
        // A client asks with another ClientHello, a server with a HelloRequest.
        let hello = try #require(pair.sent[.client])
        let length = Int(hello[3]) << 8 | Int(hello[4])
        let request = side == .client ? Array(hello[5..<(5 + length)]) : [0, 0, 0, 0]
        var sealer = try RecordSealer(side, of: pair)
        let bytes = sealer.seal(23, [1, 2]) + sealer.seal(22, request) + sealer.seal(23, [3, 4])
        let before = pair.sent[other]?.count ?? 0
        // The side whose records these are knows nothing of them, so the answer does not reach it.
        for start in stride(from: 0, to: bytes.count, by: size) {
            pair.inject(Array(bytes[start..<min(start + size, bytes.count)]), from: side)
            pair.step(other)
        }
        #expect(pair.received[other]?.bytes == [1, 2, 3, 4] && pair.received[other]?.ending == nil)
        // One record: an alert, encrypted, of 2 bytes with 8 of the nonce and 16 of the tag.
        #expect(pair.sent[other].map { Array($0[before...].prefix(5)) } == [21, 3, 3, 0, 26])
        #expect(pair.sent[other]?.count == before + 31)
        // The other direction goes on.
        pair.on(other) { end in
            #expect(([9] as [UInt8]).withUnsafeBytes { end.write($0) } == nil)
        }
        #expect(pair.sent[other]?.count == before + 31 + 5 + 8 + 1 + 16)
    }
}
