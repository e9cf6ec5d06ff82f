import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("A scenario on a relay", .tags(.network), .timeLimit(.minutes(1)))
struct SupervisorScenarioTests {
    /// Runs a scenario on a relay whose route has a toxic `first`, and returns the lines and the toxics that remain.
    private static func run(_ scenario: Scenario) async throws -> (lines: [String], toxics: [String], time: Duration) {
        let reports = Reports()
        return try await withRelay(
            "tcp:0",
            configure: { $0.toxics = [0: [ToxicConfiguration("noop", name: "first")]] },
            { relay, _ in
                let start = ContinuousClock.now
                await relay.run(scenario) { reports.add($0) }
                let time = ContinuousClock.now - start
                return (reports.lines, try await relay.toxics(route: 0).map(\.name), time)
            }
        )
    }

    @Test("Its steps are made at their times, and each repetition begins with the first toxics")
    func repeats() async throws {
        let steps = [
            Scenario.Step(at: .zero, .add(ToxicConfiguration("noop", name: "x"))),
            Scenario.Step(at: .milliseconds(10), .remove(name: "first")),
        ]
        let ended = try await Self.run(Scenario(steps, period: .milliseconds(20), times: 2))
        let lines = [(0, "0.0"), (1, "0.01"), (0, "0.02"), (1, "0.03")].map { place, time in
            "scenario: \(steps[place].change), at \(time) s"
        }
        #expect(ended.lines == lines && ended.toxics == ["x"] && ended.time >= .milliseconds(30))
    }

    @Test("A step that cannot be made is told, and the next one is made")
    func continues() async throws {
        let steps = [
            Scenario.Step(at: .zero, .remove(name: "none")), Scenario.Step(at: .zero, route: 0, .clear),
        ]
        let ended = try await Self.run(Scenario(steps))
        #expect(ended.lines.count == 2 && ended.toxics.isEmpty)
        #expect(ended.lines.first?.hasPrefix("scenario: \(steps[0].change) cannot be made: ") == true)
        #expect(ended.lines.last == "scenario: \(steps[1].change), at 0.0 s")
    }
}
