import Support
import Testing
import WeirEngine
import WeirTLS
import WeirWire

@testable import WeirRelay

@Suite("Routes on which what comes decides (auto)", .tags(.network), .timeLimit(.minutes(2)))
struct AutoRouteTests {
    private let fixture: TLSRelayFixture

    init() throws { fixture = try TLSRelayFixture() }

    @Test("TLS from the first byte on is decrypted on both sides", arguments: [TLSVersion.v12, .v13])
    func first(version: TLSVersion) async throws {
        let (up, down) = (TLSRelayFixture.data(50_000, 1), TLSRelayFixture.data(60_000, 2))
        let fixture = fixture
        let collector = try await fixture.run({ "auto:0=\($0)" }) { server in
            #expect(try server.handshake() == .done)
            #expect(try server.receive(up.count).bytes == up)
            try server.send(down)
            try server.finish()
            #expect(try server.receive(1).ending == .closeNotify)
        } _: { relayed in
            let client = try TLSPeer(to: relayed, try fixture.clientEnd(version...version))
            #expect(try client.handshake() == .done)
            try client.send(up)
            #expect(try client.receive(down.count).bytes == down)
            #expect(try client.receive(1).ending == .closeNotify)
            try client.finish()
        }
        #expect(collector.bytes(FlowID(1), .upstream) == up && collector.bytes(FlowID(1), .downstream) == down)
        let secured = try #require(collector.happenings.lazy.compactMap(\.secured).first)
        #expect(secured.plainBytes == nil && secured.client?.version == "\(version)" && secured.server != nil)
        #expect(collector.records.last?.closed?.reason == .finished)
    }

    @Test("A plain server behind it gets what is inside TLS, and plain bytes as they are", arguments: [true, false])
    func terminating(isTLS: Bool) async throws {
        let fixture = fixture
        let collector = try await fixture.run({ "auto:0=tcp:\($0)" }) { server in
            #expect(try server.receiveUnencrypted(5) == [1, 2, 3, 4, 5])
            try server.sendUnencrypted([6, 7])
        } _: { relayed in
            let client = try TLSPeer(to: relayed, try fixture.clientEnd())
            if isTLS {
                #expect(try client.handshake() == .done)
                try client.send([1, 2, 3, 4, 5])
                #expect(try client.receive(3).bytes == [6, 7])
            } else {
                try client.sendUnencrypted([1, 2, 3, 4, 5])
                #expect(try client.receiveUnencrypted(3) == [6, 7])
            }
        }
        #expect(collector.bytes(FlowID(1), .upstream) == [1, 2, 3, 4, 5])
        #expect(collector.happenings.contains { $0.secured != nil } == isTLS)
    }

    @Test("Bytes that may begin a ClientHello go on at the client's end, or when they have waited long enough")
    func lookalikes() async throws {
        let fixture = fixture
        for ends in [true, false] {
            let collector = try await fixture.run(
                { "auto:0=\($0)" },
                configure: { $0.connectTimeout = .milliseconds(ends ? 5000 : 150) }
            ) { server in
                #expect(try server.receiveUnencrypted(3) == [22, 3, 1])
                try server.sendUnencrypted([9])
                try server.finish(says: false)
            } _: { relayed in
                let client = try TLSPeer(to: relayed, try fixture.clientEnd())
                try client.sendUnencrypted([22, 3, 1])
                if ends { try client.finish(says: false) }
                #expect(try client.receiveUnencrypted(2) == [9])
            }
            #expect(collector.bytes(FlowID(1), .upstream) == [22, 3, 1])
            #expect(collector.records.last?.closed?.upstream.bytes == 3)
        }
    }

    @Test(
        "TLS that begins after plain bytes: what was delivered is what was recorded, under random toxics",
        arguments: 1...10
    )
    func property(seed: Int) async throws {
        var dice = SeededGenerator(seed: UInt64(seed))
        let kinds = [
            ToxicConfiguration("latency", .downstream, name: "a", attributes: ["latency": .int(4), "jitter": .int(3)]),
            ToxicConfiguration("slicer", .downstream, name: "b", attributes: ["average_size": .int(300)]),
            ToxicConfiguration("latency", .upstream, name: "c", attributes: ["latency": .int(5)]),
            ToxicConfiguration("bandwidth", .upstream, name: "d", attributes: ["rate": .int(4000)]),
        ]
        let toxics = kinds.filter { _ in Bool.random(using: &dice) }
        let version: TLSVersion = Bool.random(using: &dice) ? .v12 : .v13
        // Before TLS the peers take turns; the server has the last word.
        let plain = (0..<Int.random(in: 1...4, using: &dice)).map { turn in
            (
                up: TLSRelayFixture.data(Int.random(in: 1...900, using: &dice), UInt64(turn)).map { $0 | 32 },
                down: TLSRelayFixture.data(12, UInt64(turn))
            )
        }
        let serverBegins = Bool.random(using: &dice)
        let (up, down) = (
            TLSRelayFixture.data(Int.random(in: 1...40_000, using: &dice), 7), TLSRelayFixture.data(30_000, 8)
        )
        let fixture = fixture
        let collector = try await fixture.run(
            { "auto:0=\($0)" },
            configure: { if !toxics.isEmpty { $0.toxics = [0: toxics] } }
        ) { server in
            if serverBegins { try server.sendUnencrypted([42]) }
            for turn in plain {
                #expect(try server.receiveUnencrypted(turn.up.count) == turn.up)
                try server.sendUnencrypted(turn.down)
            }
            #expect(try server.handshake() == .done)
            let sending = try Background { try server.send(down) }
            try sending.value()
            #expect(try server.receive(up.count).bytes == up)
            #expect(try server.receive(1).ending == .closeNotify)
            try server.finish()
        } _: { relayed in
            let client = try TLSPeer(to: relayed, try fixture.clientEnd(version...version))
            if serverBegins { #expect(try client.receiveUnencrypted(1) == [42]) }
            for turn in plain {
                try client.sendUnencrypted(turn.up)
                #expect(try client.receiveUnencrypted(turn.down.count) == turn.down)
            }
            #expect(try client.handshake() == .done)
            #expect(try client.receive(down.count).bytes == down)
            try client.send(up)
            try client.finish()
            #expect(try client.receive(1).ending == .closeNotify)
        }
        let plainUp = plain.flatMap(\.up)
        let plainDown = (serverBegins ? [42] : []) + plain.flatMap(\.down)
        #expect(collector.bytes(FlowID(1), .upstream) == plainUp + up)
        #expect(collector.bytes(FlowID(1), .downstream) == plainDown + down)
        let secured = try #require(collector.happenings.lazy.compactMap(\.secured).first)
        let counts = PlainBytes(upstream: UInt64(plainUp.count), downstream: UInt64(plainDown.count))
        #expect(secured.plainBytes == counts && secured.client?.version == "\(version)")
        #expect(collector.records.last?.closed?.reason == .finished)
    }
}
