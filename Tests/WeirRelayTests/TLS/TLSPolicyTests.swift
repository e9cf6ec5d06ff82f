import Support
import Testing
import WeirEngine
import WeirTLS
import WeirWire

@testable import WeirRelay

@Suite("Which flows are decrypted", .tags(.network), .timeLimit(.minutes(2)))
struct TLSPolicyTests {
    // MARK: - Decisions

    @Test(
        "Names that are excepted pass, and all but those that are listed",
        arguments: [
            ([], [], "a.test", nil), (["*.test"], [], "a.test", nil), (["*.test"], [], "b.example", .notListed),
            ([], ["a.test"], "a.test", .excepted(pattern: "a.test")), ([], ["a.test"], "b.test", nil),
            (["*.test"], ["*.a.test"], "x.a.test", .excepted(pattern: "*.a.test")), (["10.0.0.1"], [], "10.0.0.1", nil),
        ] as [([String], [String], String, BypassRecord.Reason?)]
    )
    func patterns(only: [String], excepted: [String], name: String, reason: BypassRecord.Reason?) throws {
        #expect(try TLSPolicy(only: only, excepted: excepted).reason(for: name) == reason)
    }

    @Test("A pattern that is none is an error that says so")
    func wrong() {
        #expect(throws: TLSSetupError.self) { try TLSPolicy(only: ["a b"], excepted: []) }
        #expect(throws: TLSSetupError.self) { try TLSPolicy(only: [], excepted: ["*"]) }
    }

    @Test("A client pins after two refusals in a row, for an hour; another client, or another name, does not")
    func pins() {
        var memory = PinMemory()
        let start = Instant(nanoseconds: 0)
        let pair = PinMemory.Pair(client: .loopbackV4, name: "a.test")
        memory.noteRefusal(pair, at: start)
        #expect(memory.refusals(pair, at: start) == nil)
        memory.noteTrust(pair)
        memory.noteRefusal(pair, at: start)
        #expect(memory.refusals(pair, at: start) == nil)
        memory.noteRefusal(pair, at: start)
        #expect(memory.refusals(pair, at: start.advanced(by: .seconds(3599))) == 2)
        #expect(memory.refusals(pair, at: start.advanced(by: .seconds(3600))) == nil)
        #expect(memory.refusals(PinMemory.Pair(client: .loopbackV4, name: "b.test"), at: start) == nil)
        #expect(memory.refusals(PinMemory.Pair(client: .loopbackV6, name: "a.test"), at: start) == nil)
        // A flood of others forgets the oldest ones, and is bounded.
        for number in 0..<1000 {
            memory.noteRefusal(
                PinMemory.Pair(client: .loopbackV4, name: "\(number)"),
                at: start.advanced(by: .seconds(1))
            )
        }
        #expect(memory.refusals(pair, at: start.advanced(by: .seconds(2))) == nil)
    }

    // MARK: - Flows

    /// Lets a client that trusts the server itself connect, as if there were no relay; returns the outcome of its handshake.
    private static func connect(_ relayed: Endpoint, _ fixture: TLSRelayFixture) throws -> TLSEnd.Handshake {
        let trust = TLSTrust.file(fixture.folder.path + "/servers.pem")
        let client = try TLSPeer(to: relayed, try fixture.clientEnd(trust: trust))
        let outcome = try client.handshake()
        guard outcome == .done else { return outcome }
        try client.send([1, 2, 3])
        #expect(try client.receive(3).bytes == [1, 2, 3])
        return outcome
    }

    private static let echoing: @Sendable (TLSPeer) throws -> Void = { server in
        guard try server.handshake() == .done else { return }
        let bytes = try server.receive(3).bytes
        if !bytes.isEmpty { try server.send(bytes) }
    }

    @Test("An excepted flow is TLS from end to end, byte for byte", arguments: ["tls", "auto"])
    func excepted(listen: String) async throws {
        let fixture = try TLSRelayFixture { $0.excepted = ["example.test"] }
        let collector = try await fixture.run({ "\(listen):0=\($0)" }, serve: Self.echoing) { relayed in
            let outcome = try Self.connect(relayed, fixture)
            #expect(outcome == .done)
        }
        let bypass = try #require(collector.happenings.lazy.compactMap(\.bypassed).first)
        #expect(bypass.name == "example.test" && bypass.reason == .excepted(pattern: "example.test"))
        #expect(bypass.fingerprint?.hasPrefix("t13d") == true)
        // What was relayed begins with the ClientHello's record and the ServerHello's.
        let (up, down) = (collector.bytes(FlowID(1), .upstream), collector.bytes(FlowID(1), .downstream))
        #expect(up.starts(with: [22, 3, 1]) && down.starts(with: [22, 3, 3]))
        #expect(collector.records.last?.closed?.upstream.bytes == UInt64(up.count))
    }

    @Test("A client that refuses twice passes then, if that was asked for", arguments: [true, false])
    func pinned(passes: Bool) async throws {
        let fixture = try TLSRelayFixture { $0.passesPins = passes }
        let collector = try await fixture.run({ "tls:0=\($0)" }, clients: 3, serve: Self.echoing) { relayed in
            for turn in 0..<3 {
                let outcome = try Self.connect(relayed, fixture)
                let isRefused = if case .failed(.unverified) = outcome { true } else { false }
                #expect(isRefused == (turn < 2 || !passes), "\(turn): \(outcome)")
            }
        }
        let failures = collector.happenings.compactMap(\.tlsFailure)
        #expect(failures.count == (passes ? 2 : 3))
        #expect(failures.allSatisfy { $0.advice?.contains("--tls-except example.test") == true })
        #expect(collector.happenings.compactMap(\.bypassed).map(\.reason) == (passes ? [.pinned(refusals: 2)] : []))
    }

    @Test("A client that ends after its handshake without a byte may pin, which is said; one that sends does not")
    func unused() async throws {
        let fixture = try TLSRelayFixture { $0.passesPins = true }
        let collector = try await fixture.run({ "tls:0=\($0)" }, clients: 3, serve: Self.echoing) { relayed in
            for ends in [true, false, true] {
                let client = try TLSPeer(to: relayed, try fixture.clientEnd())
                #expect(try client.handshake() == .done)
                if !ends {
                    try client.send([1, 2, 3])
                    #expect(try client.receive(3).bytes == [1, 2, 3])
                }
                try client.finish()
            }
        }
        let notes = collector.happenings.filter {
            if case .tls(.unused(let advice)) = $0 { advice.contains("pin") } else { false }
        }
        #expect(notes.count == 2 && collector.happenings.compactMap(\.bypassed).isEmpty)
    }
}

extension FlowRecord.Happening {
    fileprivate var bypassed: BypassRecord? { if case .tls(.bypassed(let record)) = self { record } else { nil } }
}
