import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("A flow and its toxics")
struct FlowToxicsTests {
    private func latency(_ name: String, _ milliseconds: Int, toxicity: Float = 1) -> ToxicConfiguration {
        .init("latency", .upstream, name: name, toxicity: toxicity, attributes: ["latency": .int(milliseconds)])
    }

    private func set(_ configurations: ToxicConfiguration..., transport: Transport = .tcp) throws -> ToxicSet {
        try ToxicSet(configurations, for: transport)
    }

    @Test("Meets its route's toxics when it is connected")
    func meets() throws {
        var flow = Playbook(.tcp, set: try set(latency("slow", 10), latency("never", 10, toxicity: 0)))
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(.dialed(egress: Playbook.path.egress, server: Playbook.serverEndpoint), gives: .opened)
        flow(
            .connected,
            gives: .connected(),
            .toxic("latency", .upstream, name: "never", .met(acts: false)),
            .toxic("latency", .upstream, name: "slow", .met(acts: true)),
            .resume(.upstream),
            .resume(.downstream)
        )
    }

    @Test("An end that goes on to the server late is not the end of what is to come back")
    func lateEndOfEcho() throws {
        var flow = Playbook.connected(.tcp, set: try set(latency("slow", 10))) { $0.expectsEcho = true }
        flow(.received(.upstream), "a", gives: .arrived(.upstream, 0, at: 0, 1), .wake(at: .milliseconds(10)))
        flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true))
        flow.advance(by: .milliseconds(10))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 1), .sendQueued(.upstream), .wake(at: .seconds(10)))
        flow(.sent(.upstream, 1), gives: .endForwarded(.upstream), .finish(.upstream))
        let echo = Echo(offset: 0, delay: .milliseconds(10))
        flow(.received(.downstream), "a", gives: .data(.downstream, 0, at: 0, 1, echo: echo), .send(.downstream))
    }

    @Test("A toxic that goes hands what it holds to the next one, and nothing is reordered")
    func handsOn() throws {
        var flow = Playbook.connected(.tcp, set: try set(latency("a", 1000), latency("b", 50)))
        flow(.received(.upstream), "one", gives: .arrived(.upstream, 0, at: 0, 3), .wake(at: .seconds(1)))
        flow.advance(by: .milliseconds(10))
        flow.setToxics(
            try set(latency("b", 50)),
            gives: .toxic("latency", .upstream, name: "a", .removed),
            .wake(at: .milliseconds(60))
        )
        flow(.received(.upstream), "two", gives: .arrived(.upstream, 1, at: 3, 3))
        flow.advance(by: .milliseconds(50))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 3), .sendQueued(.upstream))
        flow(
            .sent(.upstream, 3),
            gives: .letGo(.upstream, 1, at: 3, 3, receivedAt: .milliseconds(10)),
            .sendQueued(.upstream)
        )
    }

    @Test("A changed delay counts from the arrival, also of what is held")
    func change() throws {
        var flow = Playbook.connected(.tcp, set: try set(latency("a", 1000)))
        flow(.received(.upstream), "one", gives: .arrived(.upstream, 0, at: 0, 3), .wake(at: .seconds(1)))
        flow.advance(by: .milliseconds(10))
        flow.setToxics(
            try set(latency("a", 40)),
            gives: .toxic("latency", .upstream, name: "a", .changed(acts: true)),
            .wake(at: .milliseconds(40))
        )
    }

    @Test("What is equal is left alone: its draw, and what it holds")
    func equal() throws {
        let old = try set(latency("a", 1000), latency("b", 5))
        var flow = Playbook.connected(.tcp, set: old)
        flow(.received(.upstream), "one", gives: .arrived(.upstream, 0, at: 0, 3), .wake(at: .seconds(1)))
        let new = try ToxicSet([latency("a", 1000), latency("b", 6)], for: .tcp, replacing: old)
        flow.setToxics(new, gives: .toxic("latency", .upstream, name: "b", .changed(acts: true)))
        #expect(flow.flow.held(.upstream) == 3 + ReleaseQueue.entryCost)
    }

    @Test("The order of toxics can be changed: what they hold goes first")
    func order() throws {
        var flow = Playbook.connected(.tcp, set: try set(latency("a", 100), latency("b", 100)))
        flow(.received(.upstream), "one", gives: .arrived(.upstream, 0, at: 0, 3), .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(100))
        flow(.wake, gives: .wake(at: .milliseconds(200)))
        flow(.received(.upstream), "two", gives: .arrived(.upstream, 1, at: 3, 3))
        flow.setToxics(
            try set(latency("b", 100), latency("a", 100)),
            gives: .toxic("latency", .upstream, name: "b", .removed),
            .toxic("latency", .upstream, name: "a", .removed),
            .toxic("latency", .upstream, name: "a", .met(acts: true)),
            .toxic("latency", .upstream, name: "b", .met(acts: true)),
            .letGo(.upstream, 0, at: 0, 3),
            .sendQueued(.upstream)
        )
        #expect(flow.queued(.upstream) == "one")
        flow(
            .sent(.upstream, 3),
            gives: .letGo(.upstream, 1, at: 3, 3, receivedAt: .milliseconds(100)),
            .sendQueued(.upstream)
        )
    }

    @Test("Datagrams that came while the server was dialed pass the toxics once it is reached")
    func whileDialing() throws {
        var flow = Playbook(.udp, set: try set(latency("a", 10), transport: .udp))
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(.received(.upstream), "early")
        flow(.dialed(egress: Playbook.path.egress, server: Playbook.serverEndpoint), gives: .opened)
        var turn = Turn(at: ManualClock.start)
        var engine = flow.flow
        engine.handle(.connected, in: &turn)
        let copies = turn.records.filter { $0.copy != nil }
        #expect(copies.map(\.copy) == [Array("early".utf8)])
        guard case .received(let chunk)? = copies.first?.record.happening else {
            return #expect(Bool(false), "no arrival")
        }
        #expect(chunk.length == 5 && chunk.offset == 0)
        #expect(!engine.hasEmptyQueues)
        #expect(engine.offerQueued(.upstream) { $0.count } == nil)
    }

    @Test("Randomness of a toxic depends on the seed, its name and direction, and on nothing else")
    func independence() throws {
        var jittery = latency("a", 100)
        jittery.attributes["jitter"] = .int(90)
        func dues(_ configurations: [ToxicConfiguration]) throws -> [Instant] {
            var run = try ChainRun(configurations, over: .udp, seed: 4)
            for _ in 0..<10 { run.push([1]) }
            run.advance(by: .seconds(10))
            return run.chunks.map(\.due).sorted()
        }
        let alone = try dues([jittery])
        #expect(try dues([.init("corrupt", .upstream, attributes: ["rate": .double(0.5)]), jittery]) == alone)
        jittery.name = "b"
        #expect(try dues([jittery]) != alone)
    }

    // MARK: - Conditions

    private func noop(_ match: ToxicMatch) -> ToxicConfiguration { .init("blackhole", .upstream, match: match) }

    @Test("Only flows of a client's address, port or number meet a toxic")
    func conditions() throws {
        let port = Playbook.path.client.port
        let cases: [(ToxicMatch, Bool)] = [
            (.init(client: .init("127.0.0.0/8")), true), (.init(client: .init("10.0.0.0/8")), false),
            (.init(ports: port...port), true), (.init(ports: 1...80), false), (.init(flows: 1), true),
            (.init(client: .init("127.0.0.1"), ports: 1...80), false),
        ]
        for (match, acts) in cases {
            var flow = Playbook.connected(.udp, set: try set(noop(match), transport: .udp)) { $0.recordsChunks = false }
            let loss = Expectation.dropped(.upstream, 1, datagrams: 1, .toxic("blackhole_upstream"))
            flow(.received(.upstream), "x", gives: acts ? loss : .send(.upstream))
        }
    }

    @Test("The first flows after a toxic was added are counted from then on")
    func firstFlows() throws {
        let match = ToxicMatch(flows: 2)
        for (number, admits) in [(UInt64(5), false), (6, true), (7, true), (8, false)] {
            #expect(match.admits(Playbook.path.client, number: number, since: 5) == admits)
        }
        let old = try ToxicSet([noop(match)], for: .tcp, after: 5)
        var changed = noop(match)
        changed.toxicity = 0.5
        #expect(try ToxicSet([changed], for: .tcp, replacing: old, after: 9).entries[0].since == 5)
        #expect(try ToxicSet([noop(.init(flows: 3))], for: .tcp, replacing: old, after: 9).entries[0].since == 9)
    }

    @Test("The client's first bytes decide, as soon as there are enough of them", arguments: ["GET / HTTP", "POST /"])
    func firstBytes(text: String) throws {
        let match = ToxicMatch(prefix: BytePattern("GET "))
        var flow = Playbook.connected(
            .tcp,
            set: try set(.init("blackhole", .downstream, match: match), .init("slow_close", .upstream))
        ) { $0.recordsChunks = false }
        flow(.received(.downstream), "220", gives: .send(.downstream))
        let first = Array(text.utf8)
        flow(.received(.upstream), String(decoding: first[..<2], as: UTF8.self), gives: .sendQueued(.upstream))
        flow(.sent(.upstream, 2))
        let met = Expectation.toxic("blackhole", .downstream, .met(acts: true))
        let rest = String(decoding: first[2...], as: UTF8.self)
        if text.hasPrefix("GET ") {
            flow(.received(.upstream), rest, gives: met, .sendQueued(.upstream))
            flow(.received(.downstream), "lost", gives: .dropped(.downstream, 4, .toxic("blackhole_downstream")))
        } else {
            flow(.received(.upstream), rest, gives: .send(.upstream))
            flow(.received(.downstream), "here", gives: .send(.downstream))
        }
    }

    @Test("A flow whose first bytes went by does not meet a toxic that asks for them")
    func firstBytesGone() throws {
        var flow = Playbook.connected(.tcp) { $0.recordsChunks = false }
        flow(.received(.upstream), "GET /", gives: .send(.upstream))
        flow.setToxics(try set(.init("blackhole", .upstream, match: .init(prefix: BytePattern("GET")))))
        flow(.received(.upstream), "more", gives: .send(.upstream))
    }
}
