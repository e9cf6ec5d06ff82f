import Glibc
import Support
import Testing
import WeirEngine
import WeirSinks
import WeirTLS
import WeirWire

@testable import WeirRelay

/// What a capture of encrypted flows holds, beside what both peers had on their own sockets.
@Suite("Captures of what was on the wire", .tags(.network, .capture), .timeLimit(.minutes(2)))
struct WireCaptureTests {
    /// How a flow ends.
    private enum Ending: CaseIterable {
        case closeNotify, closeNotifyAndFIN, FIN, reset
    }

    /// What a peer had on its socket.
    private struct Seen: Sendable {
        var sent: [UInt8] = []
        var received: [UInt8] = []
        var keys: [String] = []

        init(_ peer: Peer) {
            (sent, received) = (peer.socket.wireSent, peer.socket.wireReceived)
            keys = peer.socket.end.takeKeys()
        }
    }

    /// A peer that speaks TLS, or not, or later.
    private final class Peer: @unchecked Sendable {
        let socket: TLSPeer
        var isTLS = false

        init(_ socket: TLSPeer) { self.socket = socket }

        func handshake() throws -> TLSEnd.Handshake {
            isTLS = true
            return try socket.handshake()
        }

        func send(_ bytes: [UInt8]) throws { try isTLS ? socket.send(bytes) : socket.sendUnencrypted(bytes) }

        func receive(_ count: Int) throws -> [UInt8] {
            try isTLS ? socket.receive(count).bytes : socket.receiveUnencrypted(count)
        }

        /// Receives the end; nil if a plain connection ends.
        func receiveEnd() throws -> TLSPeer.Ending? {
            if isTLS { return try socket.receive(1).ending }
            do {
                #expect(try socket.receiveUnencrypted(1).isEmpty)
                return nil
            } catch {
                return .failed
            }
        }
    }

    private let fixture: TLSRelayFixture

    init() throws {
        // Without a client's SNI, the target is an address.
        fixture = try TLSRelayFixture { $0.serverName = "example.test" }
    }

    private static func toxics(_ dice: inout SeededGenerator) -> [ToxicConfiguration] {
        let all: [(String, Direction, [String: ToxicValue])] = [
            ("latency", .downstream, ["latency": .int(4), "jitter": .int(3)]),
            ("slicer", .upstream, ["average_size": .int(700), "size_variation": .int(300)]),
            ("latency", .upstream, ["latency": .int(3)]),
        ]
        return all.enumerated().filter { _ in Int.random(in: 0..<3, using: &dice) == 0 }.map { index, toxic in
            ToxicConfiguration(toxic.0, toxic.1, name: "t\(index)", attributes: toxic.2)
        }
    }

    /// A flow that a seed chooses.
    private struct Plan: Sendable {
        var route: String
        var client: TLSVersion?
        var server: TLSVersion?
        /// The bytes that go in plain before TLS begins, client's and server's in turn; none if it begins at once.
        var plain: [Int] = []
        var sizes: [Int]
        var ending: Ending
        var toxics: [ToxicConfiguration]

        init(seed: Int) {
            var dice = SeededGenerator(seed: UInt64(seed))
            let versions = (0..<2).map { _ in Bool.random(using: &dice) ? TLSVersion.v12 : .v13 }
            (client, server) = (versions[0], versions[1])
            switch seed % 5 {
            case 1: (route, server) = ("tls:0=tcp:", nil)
            case 2: (route, client) = ("tcp:0=tls:", nil)
            case 3: (route, plain) = ("auto:0=", (0..<4).map { _ in Int.random(in: 1...300, using: &dice) })
            case 4 where seed % 10 == 4: (route, client, server) = ("auto:0=", nil, nil)
            default: route = "tls:0="
            }
            sizes = (0..<8).map { _ in Int.random(in: 1...(Bool.random(using: &dice) ? 40 : 60_000), using: &dice) }
            ending = Ending.allCases[Int.random(in: 0..<4, using: &dice)]
            toxics = WireCaptureTests.toxics(&dice)
        }
    }

    @Test(
        "Each leg in the file is what its peer sent and received, with the secrets of both, whatever happens",
        arguments: 1...40
    )
    func property(seed: Int) async throws {
        let plan = Plan(seed: seed)
        let (client, server, file) = try await run(plan)
        let capture = try SeenCapture(file)
        #expect(capture.error == nil && capture.packets.allSatisfy { $0.hasValidChecksums })
        func payload(_ leg: String, _ direction: UInt32) -> [UInt8] {
            capture.packets.filter { $0.leg == leg && $0.flags.direction == direction }.flatMap(\.payload)
        }
        let found = (
            clientUp: payload("client", 1), clientDown: payload("client", 2), serverUp: payload("server", 1),
            serverDown: payload("server", 2)
        )
        let what = Comment(rawValue: "\(plan)")
        if plan.ending == .reset {
            // Bytes on the way at a reset are lost.
            #expect(client.sent.starts(with: found.clientUp) && found.clientDown.starts(with: client.received), what)
            #expect(found.serverUp.starts(with: server.received) && server.sent.starts(with: found.serverDown), what)
        } else {
            #expect(found.clientUp == client.sent && found.clientDown == client.received, what)
            #expect(found.serverUp == server.received && found.serverDown == server.sent, what)
        }
        try checkSecrets(capture, client.keys + server.keys)
        checkEnds(capture, plan)
    }

    /// Checks that the file has the very secrets of both peers, none of them twice.
    private func checkSecrets(_ capture: SeenCapture, _ keys: [String]) throws {
        var lines: [Substring] = []
        for case .secrets(let secrets) in capture.blocks {
            let text = String(decoding: secrets.bytes, as: UTF8.self)
            #expect(text.hasSuffix("\n"))
            lines += text.split(separator: "\n")
        }
        #expect(lines.map(String.init).sorted() == keys.sorted())
    }

    private func checkEnds(_ capture: SeenCapture, _ plan: Plan) {
        for leg in ["client", "server"] {
            let packets = capture.packets.filter { $0.leg == leg }
            let resets = packets.count { $0.tcp?.flags.contains(.rst) == true }
            let ends = packets.count { $0.tcp?.flags.contains(.fin) == true }
            if plan.ending == .reset {
                #expect(resets == 1, "\(leg) \(plan)")
            } else {
                // A side that has said its end may be closed before its own FIN comes.
                let says = plan.ending != .FIN && (plan.client != nil || plan.server != nil)
                #expect(resets == 0 && (says ? 1...2 : 2...2).contains(ends), "\(leg) \(plan)")
            }
            // Numbers follow each other without a gap, and nothing follows a reset.
            #expect(
                packets.firstIndex { $0.tcp?.flags.contains(.rst) == true } ?? packets.count - 1 == packets.count - 1
            )
        }
    }

    /// Runs a flow as planned, and returns what both peers had on the wire, and the file.
    private func run(_ plan: Plan) async throws -> (client: Seen, server: Seen, file: [UInt8]) {
        let (listener, endpoint) = try TLSPeer.listen()
        defer { close(listener) }
        var settings = CaptureSettings(seed: 1)
        settings.tls = .cipher
        let path = fixture.folder.path + "/a.pcapng"
        let output = SinkOutput(recordingTo: try CaptureFiles(path), sink: CaptureSink(settings))
        var seen: (Seen, Seen)?
        try await withRelay(
            "\(plan.route)\(endpoint)",
            interest: .bytes,
            configure: {
                $0.tls = fixture.services
                if !plan.toxics.isEmpty { $0.toxics = [0: plan.toxics] }
            },
            outputs: [output]
        ) { relay, collector in
            let relayed = relay.endpoint
            let (client, server) = (plan.client ?? .v13, plan.server ?? .v13)
            let serving = try Background { [fixture] in
                let accepted = try TLSPeer.accept(listener)
                let peer = Peer(TLSPeer(accepted, try fixture.serverEnd(server...server)))
                if plan.plain.isEmpty, plan.server != nil { #expect(try peer.handshake() == .done) }
                return peer
            }
            seen = try await runThread { [self] in
                let peer = Peer(try TLSPeer(to: relayed, try fixture.clientEnd(client...client)))
                if plan.plain.isEmpty, plan.client != nil { #expect(try peer.handshake() == .done) }
                let server = try serving.value()
                if !plan.plain.isEmpty { try turnToTLS(plan, peer, server) }
                try talk(plan, peer, server)
                try end(plan, peer, server)
                return (Seen(peer), Seen(server))
            }
            _ = try await collector.closes()
        }
        let (client, server) = try #require(seen)
        return (client, server, try fixture.folder.read("a.pcapng"))
    }

    /// Talks in plain, and then begins TLS, as with STARTTLS.
    private func turnToTLS(_ plan: Plan, _ client: Peer, _ server: Peer) throws {
        for (index, size) in plan.plain.enumerated() {
            let (source, target) = index % 2 == 0 ? (client, server) : (server, client)
            let text = [UInt8](repeating: UInt8(ascii: "a"), count: size)
            try source.send(text)
            #expect(try target.receive(size) == text)
        }
        let serving = try Background { try server.handshake() }
        #expect(try client.handshake() == .done)
        #expect(try serving.value() == .done)
    }

    private func talk(_ plan: Plan, _ client: Peer, _ server: Peer) throws {
        for (index, size) in plan.sizes.enumerated() {
            let data = TLSRelayFixture.data(size, UInt64(index))
            let (source, target) = index % 3 == 1 ? (server, client) : (client, server)
            let sending = try Background { try source.send(data) }
            #expect(try target.receive(size) == data)
            try sending.value()
        }
    }

    private func end(_ plan: Plan, _ client: Peer, _ server: Peer) throws {
        let isTLS = client.isTLS && server.isTLS
        switch plan.ending {
        case .reset:
            client.socket.reset()
            #expect(try server.receiveEnd() == .failed)
        case .closeNotify where isTLS:
            for (source, target) in [(client, server), (server, client)] {
                try source.socket.finish(closes: false)
                #expect(try target.receiveEnd() == .closeNotify)
            }
            for peer in [client, server] { try peer.socket.finish(says: false) }
        case .closeNotify, .closeNotifyAndFIN, .FIN:
            for (source, target) in [(client, server), (server, client)] {
                try source.socket.finish(says: source.isTLS && plan.ending != .FIN)
                let ending = try target.receiveEnd()
                if isTLS { #expect(ending == (plan.ending == .FIN ? .truncated : .closeNotify), "\(plan)") }
            }
        }
        for peer in [client, server] { _ = try? peer.socket.drain() }
    }
}
