import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("A scenario")
struct ScenarioTests {
    private let latency = ToxicConfiguration("latency", attributes: ["latency": .int(100), "jitter": .int(50)])

    private func scenario(period: Duration? = nil, times: Int? = nil) -> Scenario {
        Scenario(
            [
                .init(at: .seconds(20), .remove(name: "latency_downstream")),
                .init(at: .seconds(5), .add(latency)),
                .init(
                    at: .seconds(5),
                    .change(name: "latency_downstream", attributes: ["jitter": .int(40)], toxicity: 0.5)
                ),
            ],
            period: period,
            times: times
        )
    }

    @Test("Has its steps in the order of time, those of one time in the order of the file")
    func order() {
        let scenario = scenario()
        #expect((0..<3).compactMap { scenario.step($0)?.due } == [.seconds(5), .seconds(5), .seconds(20)])
        #expect(scenario.step(0)?.step.change == .add(latency))
        #expect(scenario.step(3) == nil)
        #expect(Scenario([]).step(0) == nil)
    }

    @Test("Repeats as often as it says")
    func repeats() {
        let scenario = scenario(period: .seconds(30), times: 2)
        #expect(scenario.step(5)?.due == .seconds(50))
        #expect(scenario.step(6) == nil)
        #expect(self.scenario(period: .seconds(30)).step(3001)?.due == .seconds(30_005))
    }

    @Test("Is checked before it is run")
    func check() throws {
        try scenario().check([[], []], over: [.tcp, .udp])
        let unknown = Scenario([.init(at: .zero, .remove(name: "none"))])
        #expect(throws: Scenario.StepError(at: .zero, number: 1, error: .unknownName("none"))) {
            try unknown.check([[]], over: [.tcp])
        }
        let loss = Scenario([.init(at: .zero, .add(ToxicConfiguration("loss")))])
        #expect(throws: Scenario.StepError.self) { try loss.check([[]], over: [.tcp]) }
        try loss.check([[], []], over: [.tcp, .udp])
        let twice = Scenario([.init(at: .zero, .add(latency)), .init(at: .seconds(1), .add(latency))])
        #expect(throws: Scenario.StepError.self) { try twice.check([[]], over: [.tcp]) }
    }

    @Test(
        "The same seed and scenario give the same records twice, another seed others",
        arguments: [Transport.tcp, .udp]
    )
    func reproduces(_ transport: Transport) throws {
        let first = try records(transport, seed: 3)
        #expect(first.count > 100)
        #expect(try records(transport, seed: 3) == first)
        #expect(try records(transport, seed: 4) != first)
    }

    /// Plays a scenario on a flow through which a chunk comes every 50 ms, and returns its records.
    private func records(_ transport: Transport, seed: UInt64) throws -> [FlowRecord] {
        var steps = scenario(period: .seconds(30), times: 2).steps
        steps.append(.init(at: .seconds(7), .add(.init("corrupt", .upstream, attributes: ["rate": .double(0.05)]))))
        let added = ToxicConfiguration("packet_loss", toxicity: 0.5, attributes: ["loss_rate": .double(0.3)])
        steps.append(.init(at: .seconds(9), .add(added)))
        let scenario = Scenario(steps)
        var clock = ManualClock()
        var (chain, number) = ([ToxicConfiguration](), 0)
        var simulation = try Scripted(transport, seed: seed, clock.now)
        for _ in 0..<600 {
            clock.advance(by: .milliseconds(50))
            while let (due, step) = scenario.step(number), ManualClock.instant(due) <= clock.now.instant {
                try step.change.apply(to: &chain)
                let set = try ToxicSet(chain, for: transport)
                simulation.perform(.reconfigured(set), at: clock.now)
                number += 1
            }
            for direction in Direction.allCases {
                let bytes: [UInt8] = Array("some bytes that pass".utf8)
                simulation.perform(.received(direction), bytes, at: clock.now)
            }
            simulation.perform(.wake, at: clock.now)
        }
        return simulation.records
    }

    /// A flow around which everything is taken at once.
    private struct Scripted {
        private var flow: Flow
        private(set) var records: [FlowRecord] = []

        init(_ transport: Transport, seed: UInt64, _ now: Moment) throws {
            flow = Flow(
                id: FlowID(1),
                transport: transport,
                client: Playbook.path.client,
                listener: Playbook.path.listener,
                seed: seed,
                settings: FlowSettings(),
                at: now
            )
            perform(.started(attempts: 1), at: now)
            perform(.dialed(egress: Playbook.path.egress, server: Playbook.serverEndpoint), at: now)
            perform(.connected, at: now)
        }

        mutating func perform(_ event: FlowEvent, _ bytes: [UInt8] = [], at now: Moment) {
            var turn = Turn(at: now)
            flow.handle(event, bytes: bytes.span.bytes, in: &turn)
            var index = 0
            while index < turn.actions.count {
                switch turn.actions[index] {
                case .record(let place): records.append(turn.records[place].record)
                case .sendQueued(let direction):
                    let count = flow.offerQueued(direction) { $0.count } ?? 0
                    flow.handle(.sent(direction, count), in: &turn)
                default: break
                }
                index += 1
            }
        }
    }
}
