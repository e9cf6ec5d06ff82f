import Support
import Testing
import WeirEngine
import WeirWire

@Suite("Chunks that a flow holds")
struct FlowHoldsTests {
    private func connected(
        _ transport: Transport,
        _ holds: (name: String, direction: Direction, timeout: Int)...,
        latency: Int? = nil
    ) throws -> Playbook {
        var chain = holds.map {
            ToxicConfiguration("hold", $0.direction, name: $0.name, attributes: ["timeout": .int($0.timeout)])
        }
        if let latency { chain.append(.init("latency", .upstream, attributes: ["latency": .int(latency)])) }
        return .connected(transport, set: try ToxicSet(chain, for: transport))
    }

    private func name(_ toxic: String, _ number: UInt64, _ direction: Direction = .upstream) -> HeldChunk.Name {
        HeldChunk.Name(direction, toxic: toxic, number: number)
    }

    private func holds(_ flow: Playbook, _ name: HeldChunk.Name) -> Bool {
        flow.flow.heldChunks.contains { $0.name == name }
    }

    /// A flow that holds "one", which came at 0, and "two", which came 17 ms later, until 70 ms after they came.
    private func holding(_ transport: Transport) throws -> Playbook {
        var flow = try connected(transport, ("up", .upstream, 70))
        flow(.received(.upstream), "one", gives: .arrived(.upstream, 0, at: 0, 3), .wake(at: .milliseconds(70)))
        flow.advance(by: .milliseconds(17))
        flow(.received(.upstream), "two", gives: .arrived(.upstream, 1, at: 3, 3))
        return flow
    }

    private func replaced(_ count: Int) -> ToxicChange {
        var change = ToxicChange(.replaced, count: count)
        change.toxic = "up"
        return change
    }

    @Test("Are listed with their toxic, number, bytes and times, each way, and found by their names")
    func listed() throws {
        var flow = try connected(.tcp, ("up", .upstream, 70), ("down", .downstream, 110))
        flow(.received(.upstream), "one", gives: .arrived(.upstream, 0, at: 0, 3), .wake(at: .milliseconds(70)))
        flow.advance(by: .milliseconds(13))
        flow(.received(.downstream), "answer", gives: .arrived(.downstream, 0, at: 0, 6))
        flow.advance(by: .milliseconds(4))
        flow(.received(.upstream), "two", gives: .arrived(.upstream, 1, at: 3, 3))
        let held = flow.flow.heldChunks
        #expect(held.map(\.direction) == [.upstream, .upstream, .downstream])
        #expect(held.map(\.toxic) == ["up", "up", "down"])
        #expect(held.map(\.number) == [1, 2, 1])
        #expect(held.map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "two", "answer"])
        #expect(held.map(\.since) == [0, 17, 13].map { ManualClock.instant(.milliseconds($0)) })
        #expect(held.map(\.until) == [70, 87, 123].map { ManualClock.instant(.milliseconds($0)) })
        #expect(held.allSatisfy { $0.flow == FlowID(1) && $0.route == 0 })
        #expect(holds(flow, name("up", 1)) && holds(flow, name("up", 2)))
        #expect(holds(flow, name("down", 1, .downstream)))
        #expect(!holds(flow, name("up", 3)) && !holds(flow, name("up", 1, .downstream)))
        #expect(!holds(flow, name("down", 1)) && !holds(flow, name("down", 2, .downstream)))
    }

    @Test("Go on when they are decided, and only those", arguments: [Transport.tcp, .udp])
    func forward(_ transport: Transport) throws {
        var flow = try holding(transport)
        flow(.decided(name("up", 3), .forward))
        flow(.decided(name("down", 1), .forward))
        flow(.decided(name("up", 1, .downstream), .forward))
        flow(.decided(name("up", 1), .forward), gives: .letGo(.upstream, 0, at: 0, 3), .sendQueued(.upstream))
        flow(.sent(.upstream, 3))
        flow(.decided(name("up", 1), .drop))
        #expect(flow.flow.heldChunks.map(\.number) == [2])
        #expect(flow.flow.heldChunks.map(\.until) == [ManualClock.instant(.milliseconds(87))])
    }

    @Test("Of a stream wait for those before them, datagrams go at once", arguments: [Transport.tcp, .udp])
    func outOfTurn(_ transport: Transport) throws {
        var flow = try holding(transport)
        let second = Duration.milliseconds(17)
        if transport == .udp {
            let twoFirst = Expectation.letGo(.upstream, 0, at: 0, 3, receivedAt: second)
            flow(.decided(name("up", 2), .forward), gives: twoFirst, .sendQueued(.upstream))
            #expect(flow.flow.heldChunks.map(\.number) == [1])
            return
        }
        flow(.decided(name("up", 2), .forward))
        #expect(flow.flow.heldChunks.map(\.number) == [1])
        #expect(!holds(flow, name("up", 2)))
        flow.advance(by: .milliseconds(53))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 3), .sendQueued(.upstream))
        flow(.sent(.upstream, 3), gives: .letGo(.upstream, 1, at: 3, 3, receivedAt: second), .sendQueued(.upstream))
    }

    @Test("Are dropped and counted", arguments: [Transport.tcp, .udp])
    func drop(_ transport: Transport) throws {
        var flow = try holding(transport)
        let datagrams: UInt64 = transport == .udp ? 1 : 0
        let loss = Expectation.dropped(.upstream, 3, datagrams: datagrams, .toxic("up"))
        flow(.decided(name("up", 2), .drop), gives: loss)
        #expect(flow.flow.heldChunks.map(\.number) == [1])
        flow(.decided(name("up", 1), .drop), gives: loss)
        #expect(flow.flow.heldChunks.isEmpty)
        #expect(flow.flow.counters(.upstream) == .of(0, in: 0, dropped: 6, droppedDatagrams: 2 * datagrams))
    }

    @Test("Go on with other bytes; a stream has no empty chunk", arguments: [Transport.tcp, .udp])
    func replace(_ transport: Transport) throws {
        var flow = try holding(transport)
        flow(
            .decided(name("up", 1), .replace(Array("longer".utf8))),
            gives: .letGo(.upstream, 0, at: 0, 6, replaced(3)),
            .sendQueued(.upstream)
        )
        #expect(flow.queued(.upstream) == "longer")
        flow(.sent(.upstream, 6))
        if transport == .tcp {
            flow(.decided(name("up", 2), .replace([])), gives: .dropped(.upstream, 3, .toxic("up")))
        } else {
            flow(
                .decided(name("up", 2), .replace([])),
                gives: .letGo(.upstream, 1, at: 6, 0, receivedAt: .milliseconds(17), replaced(3)),
                .sendQueued(.upstream)
            )
        }
    }

    @Test("Go on as they are if the decision comes when their time is over")
    func late() throws {
        var flow = try holding(.tcp)
        flow.advance(by: .milliseconds(53))
        flow(
            .decided(name("up", 1), .drop),
            gives: .letGo(.upstream, 0, at: 0, 3),
            .sendQueued(.upstream)
        )
    }

    @Test("The end of the stream follows the last of them", arguments: [HoldDecision.forward, .drop])
    func end(_ decision: HoldDecision) throws {
        var flow = try connected(.tcp, ("up", .upstream, 70))
        flow(.received(.upstream), "one", gives: .arrived(.upstream, 0, at: 0, 3), .wake(at: .milliseconds(70)))
        flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true))
        if decision == .drop {
            flow(
                .decided(name("up", 1), decision),
                gives: .dropped(.upstream, 3, .toxic("up")),
                .endForwarded(.upstream),
                .finish(.upstream)
            )
        } else {
            flow(.decided(name("up", 1), decision), gives: .letGo(.upstream, 0, at: 0, 3), .sendQueued(.upstream))
            flow(.sent(.upstream, 3), gives: .endForwarded(.upstream), .finish(.upstream))
        }
    }

    @Test("Meet the next toxic once they are decided, which does not hold them as a hold does")
    func nextToxic() throws {
        var flow = try connected(.tcp, ("up", .upstream, 70), latency: 50)
        flow(.received(.upstream), "one", gives: .arrived(.upstream, 0, at: 0, 3), .wake(at: .milliseconds(70)))
        flow.advance(by: .milliseconds(11))
        flow(.decided(name("up", 1), .forward), gives: .wake(at: .milliseconds(61)))
        #expect(flow.flow.heldChunks.isEmpty && !holds(flow, name("up", 1)))
        flow.advance(by: .milliseconds(50))
        flow(.wake, gives: .letGo(.upstream, 0, at: 0, 3), .sendQueued(.upstream))
    }
}
