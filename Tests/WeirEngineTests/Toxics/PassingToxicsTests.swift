import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("Toxics that drop, repeat, hold or pass chunks")
struct PassingToxicsTests {
    private func connected(
        _ transport: Transport,
        _ type: String,
        _ attributes: [String: ToxicValue] = [:]
    ) throws -> Playbook {
        let configuration = ToxicConfiguration(type, .upstream, attributes: attributes)
        return .connected(transport, set: try ToxicSet([configuration], for: transport))
    }

    @Test("A chunk that is lost is counted, and the end of the stream passes")
    func packetLoss() throws {
        var flow = try connected(.tcp, "packet_loss", ["loss_rate": .double(1)])
        let loss = Expectation.dropped(.upstream, 4, .toxic("packet_loss_upstream"))
        flow(.received(.upstream), "lost", gives: .arrived(.upstream, 0, at: 0, 4), loss)
        flow(.received(.upstream), "lost", gives: .arrived(.upstream, 1, at: 4, 4), loss)
        flow(
            .finished(.upstream),
            gives: .ended(.upstream, isDelayed: true),
            .endForwarded(.upstream),
            .finish(.upstream)
        )
    }

    @Test("A datagram that is lost is counted")
    func loss() throws {
        var flow = try connected(.udp, "loss", ["rate": .double(1)])
        let loss = Expectation.dropped(.upstream, 4, datagrams: 1, .toxic("loss_upstream"))
        flow(.received(.upstream), "lost", gives: .arrived(.upstream, 0, at: 0, 4), loss)
        flow(.received(.downstream), "back", gives: .data(.downstream, 0, at: 0, 4), .send(.downstream))
    }

    @Test("A datagram goes on twice, and each time is counted")
    func duplicate() throws {
        var flow = try connected(.udp, "duplicate", ["rate": .double(1)])
        var change = ToxicChange(.duplicated, count: 2)
        change.toxic = "duplicate_upstream"
        flow(
            .received(.upstream),
            "twice",
            gives: .arrived(.upstream, 0, at: 0, 5),
            .letGo(.upstream, 0, at: 0, 5, change),
            .sendQueued(.upstream)
        )
        flow(.sent(.upstream, 5), gives: .letGo(.upstream, 1, at: 5, 5, change), .sendQueued(.upstream))
        flow(.sent(.upstream, 5))
    }

    @Test("A hold lets chunks go in order, at their times or at its removal, and the end behind them")
    func hold() throws {
        var flow = try connected(.tcp, "hold", ["timeout": .int(100)])
        flow(.received(.upstream), "one", gives: .arrived(.upstream, 0, at: 0, 3), .wake(at: .milliseconds(100)))
        flow.advance(by: .milliseconds(50))
        flow(.received(.upstream), "two", gives: .arrived(.upstream, 1, at: 3, 3))
        flow(.finished(.upstream), gives: .ended(.upstream, isDelayed: true))
        flow.advance(by: .milliseconds(50))
        flow(
            .wake,
            gives: .letGo(.upstream, 0, at: 0, 3),
            .sendQueued(.upstream),
            .wake(at: .milliseconds(150))
        )
        flow(.sent(.upstream, 3))
        flow.setToxics(
            .none,
            gives: .toxic("hold", .upstream, .removed),
            .letGo(.upstream, 1, at: 3, 3, receivedAt: .milliseconds(50)),
            .sendQueued(.upstream)
        )
        flow(.sent(.upstream, 3), gives: .endForwarded(.upstream), .finish(.upstream))
    }

    @Test("The numbers of a hold go on after its settings were changed, and none comes twice")
    func holdNumbers() throws {
        func hold(_ timeout: Int) -> ToxicConfiguration {
            .init("hold", .upstream, attributes: ["timeout": .int(timeout)])
        }
        var run = try ChainRun([hold(100)], over: .udp)
        var numbers: Set<UInt64> = []
        for (turn, timeout) in [300, 200, 400].enumerated() {
            run.push([1])
            run.push([2])
            try run.change(to: [hold(timeout)])
            let held = run.chain.stages[0].queue.all.compactMap {
                if case .chunk(let chunk) = $0 { chunk.holdNumber } else { nil }
            }
            #expect(Set(held).count == 2 * (turn + 1))
            // Those that were asked about again have new numbers; none of an earlier turn is another chunk's now.
            #expect(numbers.isDisjoint(with: held))
            numbers.formUnion(held)
        }
    }

    @Test("A noop is not asked: the chunk is sent as it came, without a copy")
    func noop() throws {
        var flow = try connected(.tcp, "noop")
        flow(.received(.upstream), "hello", gives: .data(.upstream, 0, at: 0, 5), .send(.upstream))
        flow(
            .finished(.upstream),
            gives: .ended(.upstream, isDelayed: true),
            .endForwarded(.upstream),
            .finish(.upstream)
        )
    }
}
