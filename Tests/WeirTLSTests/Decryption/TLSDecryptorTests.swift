import Testing
import WeirDissect
import WeirWire

@testable import WeirTLS

@Suite("Decrypting what two ends said")
struct TLSDecryptorTests {
    /// A certificate with a key of ECDSA and one with a key of RSA, made once: that takes long.
    private static let certificates = Result {
        let authority = try Authority(on: "test", at: 1_800_000_000)
        return try [PrivateKey(.p256), PrivateKey(.rsa(bits: 2048))].map { key in
            try authority.leaf(for: [.host("example.com")], key: key, at: 1_800_000_000)
        }
    }

    /// A version, a suite in OpenSSL's words, and whether its certificate is one of RSA.
    struct Way: Sendable, CustomTestStringConvertible {
        var version: TLSVersion
        var suite: String
        var isRSA = false

        var testDescription: String { "\(version) \(suite)" }
    }

    static let ways: [Way] = [
        Way(version: .v13, suite: "TLS_AES_128_GCM_SHA256"), Way(version: .v13, suite: "TLS_AES_256_GCM_SHA384"),
        Way(version: .v13, suite: "TLS_CHACHA20_POLY1305_SHA256"), Way(version: .v13, suite: "TLS_AES_128_CCM_SHA256"),
        Way(version: .v13, suite: "TLS_AES_128_CCM_8_SHA256"),
        Way(version: .v12, suite: "ECDHE-ECDSA-AES128-GCM-SHA256"),
        Way(version: .v12, suite: "ECDHE-ECDSA-AES256-GCM-SHA384"),
        Way(version: .v12, suite: "ECDHE-RSA-AES128-GCM-SHA256", isRSA: true),
        Way(version: .v12, suite: "AES256-GCM-SHA384", isRSA: true),
        Way(version: .v12, suite: "ECDHE-ECDSA-CHACHA20-POLY1305"),
        Way(version: .v12, suite: "ECDHE-RSA-CHACHA20-POLY1305", isRSA: true),
        Way(version: .v12, suite: "ECDHE-ECDSA-AES128-CCM"), Way(version: .v12, suite: "ECDHE-ECDSA-AES256-CCM8"),
        Way(version: .v12, suite: "ECDHE-ECDSA-AES128-SHA"), Way(version: .v12, suite: "ECDHE-ECDSA-AES256-SHA"),
        Way(version: .v12, suite: "ECDHE-ECDSA-AES128-SHA256"), Way(version: .v12, suite: "ECDHE-ECDSA-AES256-SHA384"),
        Way(version: .v12, suite: "AES128-SHA256", isRSA: true),
        Way(version: .v12, suite: "AES256-SHA256", isRSA: true),
        Way(version: .v11, suite: "ECDHE-ECDSA-AES128-SHA"), Way(version: .v10, suite: "ECDHE-ECDSA-AES256-SHA"),
        Way(version: .v10, suite: "AES128-SHA", isRSA: true),
    ]

    /// A conversation, and its secrets.
    private struct Conversation {
        var pair: TLSPair
        var keys: [String]
        var up: [UInt8] = []
        var down: [UInt8] = []
    }

    private func pair(_ way: Way, size: @escaping () -> Int = { 1 << 20 }) throws -> TLSPair {
        let settings = TLSSettings(versions: way.version...way.version, ciphers: way.suite, isLegacy: true)
        return TLSPair(
            client: try TLSEnd(client: TLSContext(settings), serverName: "example.com"),
            server: try TLSEnd(server: TLSContext(settings), certificate: Self.certificates.get()[way.isRSA ? 1 : 0]),
            size: size
        )
    }

    /// Lets both ends talk; `updates` also changes their keys in between.
    private func talk(
        _ way: Way,
        length: Int = 3000,
        updates: Bool = false,
        size: @escaping () -> Int = { 1 << 20 }
    ) throws -> Conversation {
        let pair = try pair(way, size: size)
        pair.run()
        try #require(pair.handshakes == [.client: .done, .server: .done])
        var talk = Conversation(pair: pair, keys: pair.client.takeKeys())
        for round in 0..<4 {
            let (up, down) = (
                TLSPair.data(length / 4 + round, UInt64(round)), TLSPair.data(length / 2, UInt64(round + 50))
            )
            pair.write(up, on: .client)
            pair.write(down, on: .server)
            if updates { pair.on(round % 2 == 0 ? .client : .server) { #expect($0.updateKeys()) } }
            pair.run()
            talk.up += up
            talk.down += down
        }
        pair.on(.client) { $0.finish() }
        pair.on(.server) { $0.finish() }
        pair.run()
        return talk
    }

    @Test("Every suite of every version, in pieces of several sizes", arguments: ways, [1, 7, 23, 40, 1460, 1 << 20])
    func suites(way: Way, size: Int) throws {
        let talk = try talk(way, size: { size })
        let flow = DecryptedFlow(talk.pair.chunks, keys: talk.keys)
        #expect(flow.up.decrypted == talk.up && flow.down.decrypted == talk.down && flow.isOrdered)
        #expect(flow.up.stream.isEmpty && flow.down.stream.isEmpty && flow.up.withheld + flow.down.withheld == 0)
        #expect(flow.report == TLSDecryption.Report(decrypted: 1))
        // The handshake is in the clear, to its end.
        let last: [UInt8] = way.version == .v13 ? [20, 0, 0] : [20, 0, 0, 12]
        let range = flow.up.handshake.dropFirst(5).firstRange(of: last)
        #expect(flow.up.handshake.starts(with: [22, 3]) && range != nil)
    }

    @Test("Pieces of each size from 1 to 40, and of random ones", arguments: 1...60)
    func sizes(size: Int) throws {
        var dice = SeededDice(UInt64(size))
        let next = size <= 40 ? { size } : { Int(dice.next() % 3000) + 1 }
        let way = Self.ways[size % Self.ways.count]
        let talk = try talk(way, length: size <= 40 ? 2000 : 80_000, size: next)
        let flow = DecryptedFlow(talk.pair.chunks, keys: talk.keys)
        #expect(flow.up.decrypted == talk.up && flow.down.decrypted == talk.down && flow.isOrdered)
    }

    @Test("Keys that are updated in the middle of a stream, by either side", arguments: ways.prefix(3))
    func updates(way: Way) throws {
        let talk = try talk(way, updates: true, size: { 100 })
        let flow = DecryptedFlow(talk.pair.chunks, keys: talk.keys)
        #expect(flow.up.decrypted == talk.up && flow.down.decrypted == talk.down && flow.isOrdered)
    }

    @Test(
        "What comes before the client's hello stays as it is, and what follows the end, too",
        arguments: [1, 5, 4096]
    )
    func startTLS(size: Int) throws {
        let talk = try talk(Self.ways[0], size: { size })
        let before: [(Direction, String)] = [
            (.downstream, "220 ready\r\n"), (.upstream, "STARTTLS\r\n"), (.downstream, "220 go\r\n"),
        ]
        var chunks = before.map { DecryptedFlow.Chunk(direction: $0.0, bytes: Array($0.1.utf8)) }
        chunks += talk.pair.chunks
        chunks.append(DecryptedFlow.Chunk(direction: .upstream, bytes: Array("plain again".utf8)))
        let flow = DecryptedFlow(chunks, keys: talk.keys)
        #expect(flow.up.stream == Array("STARTTLS\r\nplain again".utf8))
        #expect(flow.down.stream == Array("220 ready\r\n220 go\r\n".utf8))
        #expect(flow.up.decrypted == talk.up && flow.down.decrypted == talk.down && flow.isOrdered)
    }

    @Test("Without secrets nothing changes", arguments: [ways[0], ways[5], ways[13]])
    func noSecrets(way: Way) throws {
        let talk = try talk(way, size: { 500 })
        let chunks = talk.pair.chunks
        let flow = DecryptedFlow(chunks, keys: [])
        #expect(flow.up.stream == chunks.filter { $0.direction == .upstream }.flatMap(\.bytes))
        #expect(flow.down.stream == chunks.filter { $0.direction == .downstream }.flatMap(\.bytes))
        #expect(flow.up.layers.count == 1 && flow.down.layers.count == 1 && flow.isOrdered)
        #expect(flow.report == TLSDecryption.Report(withoutSecrets: 1))
    }

    @Test(
        "Wrong secrets leave the streams encrypted, which is said once",
        arguments: [ways[0], ways[5], ways[9], ways[13]]
    )
    func wrongSecrets(way: Way) throws {
        let talk = try talk(way, size: { 500 })
        let keys = talk.keys.map { line in
            String(line.dropLast(2)) + (line.hasSuffix("00") ? "11" : "00")
        }
        let flow = DecryptedFlow(talk.pair.chunks, keys: keys)
        #expect(flow.up.decrypted.isEmpty && flow.down.decrypted.isEmpty && flow.isOrdered)
        #expect(flow.report.decrypted == 0 && flow.report.stopped.map(\.reason) == [.wrongSecret])
    }

    @Test("A secret that is missing leaves its direction encrypted, and the other one not")
    func missingSecret() throws {
        let talk = try talk(Self.ways[0])
        for (label, isUp) in [("CLIENT_TRAFFIC", true), ("SERVER_TRAFFIC", false)] {
            let flow = DecryptedFlow(talk.pair.chunks, keys: talk.keys.filter { !$0.hasPrefix(label) })
            #expect(flow.up.decrypted == (isUp ? [] : talk.up) && flow.down.decrypted == (isUp ? talk.down : []))
            #expect(flow.report.stopped.map(\.reason) == [.noSecret])
            #expect(flow.report.stopped.first?.direction == (isUp ? .upstream : .downstream))
        }
        // Those of the handshake are not needed.
        let flow = DecryptedFlow(talk.pair.chunks, keys: talk.keys.filter { !$0.contains("HANDSHAKE") })
        #expect(flow.up.decrypted == talk.up && flow.down.decrypted == talk.down && flow.isOrdered)
    }

    @Test("After missing bytes a direction stays encrypted, and says from where on", arguments: [ways[1], ways[6]])
    func gaps(way: Way) throws {
        let talk = try talk(way, size: { 300 })
        var chunks = talk.pair.chunks
        let place = try #require(chunks.lastIndex { $0.direction == .downstream && $0.bytes.count == 300 })
        chunks[place].isMissing = true
        let flow = DecryptedFlow(chunks, keys: talk.keys)
        let before = chunks[..<place].filter { $0.direction == .downstream }.reduce(0) { $0 + $1.bytes.count }
        let stopped = try #require(flow.report.stopped.first)
        #expect(stopped.reason == .missingBytes && stopped.direction == .downstream && stopped.flow == 7)
        #expect(stopped.offset <= before && stopped.offset > before - 18_000)
        #expect(flow.up.decrypted == talk.up && flow.isOrdered)
        #expect(!flow.down.decrypted.isEmpty && talk.down.starts(with: flow.down.decrypted))
        #expect(flow.down.decrypted.count < talk.down.count && flow.down.withheld >= 300)
    }

    @Test("Streams that end anywhere give the beginning of what was said", arguments: [ways[2], ways[7], ways[14]])
    func prefixes(way: Way) throws {
        let talk = try talk(way, length: 600, size: { 50 })
        let chunks = talk.pair.chunks
        for count in 0...chunks.count {
            let flow = DecryptedFlow(Array(chunks[..<count]), keys: talk.keys)
            #expect(talk.up.starts(with: flow.up.decrypted) && talk.down.starts(with: flow.down.decrypted))
            #expect(flow.isOrdered && flow.report.stopped.isEmpty)
        }
    }

    @Test("Bytes that are changed anywhere never give what was not said, and never trap", arguments: 1...200)
    func mutations(seed: Int) throws {
        var dice = SeededDice(UInt64(seed))
        let talk = try talk(Self.ways[seed % Self.ways.count], length: 400, size: { 64 })
        for _ in 0..<20 {
            var chunks = talk.pair.chunks
            for _ in 0...Int(dice.next() % 4) {
                let place = Int(dice.next() % UInt64(chunks.count))
                switch dice.next() % 5 {
                case 0: chunks[place].isMissing = true
                case 1: chunks.remove(at: place)
                case 2: chunks.insert(chunks[place], at: Int(dice.next() % UInt64(chunks.count)))
                case 3: chunks[place].direction = chunks[place].direction.opposite
                default:
                    let index = Int(dice.next() % UInt64(chunks[place].bytes.count))
                    chunks[place].bytes[index] ^= UInt8(truncatingIfNeeded: dice.next()) | 1
                }
            }
            let flow = DecryptedFlow(chunks, keys: talk.keys)
            #expect(flow.isOrdered)
            #expect(talk.up.starts(with: flow.up.decrypted) || talk.down.starts(with: flow.up.decrypted))
            #expect(talk.down.starts(with: flow.down.decrypted) || talk.up.starts(with: flow.down.decrypted))
        }
    }
}
