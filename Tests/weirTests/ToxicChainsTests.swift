import ArgumentParser
import Testing
import WeirEngine
import WeirRelay

@testable import weir

@Suite("The toxics of a relay's options")
struct ToxicChainsTests {
    private static func apply(
        _ arguments: [String],
        _ routes: [String],
        _ scenario: Scenario? = nil
    ) throws -> RelayConfiguration {
        var configuration = RelayConfiguration(routes: try routes.map { try Route(parsing: $0) })
        try ToxicOptions.parse(arguments).apply(to: &configuration, scenario)
        return configuration
    }

    private static func names(_ configuration: RelayConfiguration) -> [[String]] {
        configuration.routes.indices.map { route in
            (configuration.toxics[route] ?? []).map { "\($0.name) \($0.direction)" }
        }
    }

    private static let both = ["tcp:0=127.0.0.1:9", "udp:0=127.0.0.1:9"]

    @Test("A toxic is put on every route that can have it, in order, or on one")
    func puts() throws {
        let some = try Self.apply(
            [
                "--toxic", "noop", "--toxic", "loss,up", "--toxic", "latency,both,route=1", "--toxic",
                "noop,name=n,route=2",
            ],
            Self.both
        )
        #expect(
            Self.names(some) == [
                ["noop_downstream downstream", "latency_upstream upstream", "latency_downstream downstream"],
                ["noop_downstream downstream", "loss_upstream upstream", "n downstream"],
            ]
        )
        #expect(some.toxics[0]?[1].attributes["latency"] != nil)
        let none = try Self.apply([], Self.both)
        #expect(Self.names(none) == [[], []] && none.toxics.count == 2)
    }

    @Test("The seed is that of the option, else that of the scenario, else a new one")
    func seeds() throws {
        let scenario = Scenario([], seed: 12)
        #expect(try Self.apply(["--seed", "7"], Self.both, scenario).seed == 7)
        #expect(try Self.apply([], Self.both, scenario).seed == 12)
        #expect(try Self.apply([], Self.both).seed != Self.apply([], Self.both).seed)
    }

    private static func refusal(_ arguments: [String], _ scenario: Scenario? = nil) -> String {
        do { return "\(names(try apply(arguments, both, scenario)))" } catch {
            guard let failure = error as? Failure else { return "\(error)" }
            return "\(failure.code.rawValue) \(failure.message)"
        }
    }

    @Test("A toxic that is wrong ends with 64, a step that is with 65 and the file's name")
    func refuses() {
        let twice = "64 there is a toxic with the name 'noop_downstream' already"
        #expect(Self.refusal(["--toxic", "noop", "--toxic", "noop"]) == twice)
        #expect(Self.refusal(["--toxic", "noop,route=3"]).hasPrefix("64 there is no route 3"))
        #expect(Self.refusal(["--toxic", "latency,latency=-1"]).hasPrefix("64 toxic 'latency': latency takes"))
        let step = Scenario.Step(at: .seconds(1), line: 2, .remove(name: "x"))
        let reason = "line 2: step 1 of the scenario, at 1.0 s: there is no toxic with the name 'x'"
        #expect(Self.refusal(["--scenario", "f.yaml"], Scenario([step])) == "65 f.yaml: \(reason)")
        #expect(Self.refusal([], Scenario([step])) == "65 \(reason)")
        #expect(Self.refusal(["--toxic", "noop,name=x"], Scenario([step])).hasPrefix("[["))
    }

    @Test("Without the option there is no scenario")
    func none() throws {
        #expect(try ToxicOptions.parse([]).readScenario() == nil)
    }
}
