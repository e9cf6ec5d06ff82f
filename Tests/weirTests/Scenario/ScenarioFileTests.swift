import Support
import Testing
import WeirEngine
import WeirWire

@testable import weir

@Suite("A scenario's file")
struct ScenarioFileTests {
    private static func toxic(
        _ type: String,
        _ direction: Direction = .downstream,
        name: String? = nil,
        toxicity: Float = 1,
        attributes: [String: ToxicValue] = [:],
        match: ToxicMatch? = nil
    ) throws -> ToxicConfiguration {
        try ToxicConfiguration(type, direction, name: name, toxicity: toxicity, attributes: attributes, match: match)
            .validated()
    }

    @Test("Every form of a step, a seed and a repetition are read, with their lines")
    func reads() throws {
        let text = """
            seed: 18446744073709551615
            repeat: {every: 30s, times: 3}
            steps:
              - {at: 5s, add: 'latency,up,latency=100'}
              - {at: 6s, add: 'latency,up,latency=100,route=2', route: 1}
              - {at: 7s, add: {type: noop}}
              - at: 9s
                route: 3
                add:
                  type: replace
                  direction: up
                  name: bye
                  toxicity: 0.5
                  attributes: {find: hello, with: '7'}
                  match: {flows: 3, port: 5000-6000}
              - {at: 20s, change: {name: bye, attributes: {with: farewell}, toxicity: 1}}
              - {at: 21s, change: {name: bye, attributes: {a: 0x10, b: 1.5, c: '2', d: 0o17}}}
              - {at: 25s, remove: bye, route: 1}
              - {at: 26s, clear: true}
            """
        let scenario = try ScenarioFile.parse(text)
        #expect(scenario.seed == .max && scenario.period == .seconds(30) && scenario.times == 3)
        let latency = try Self.toxic("latency", .upstream, attributes: ["latency": .int(100)])
        var match = ToxicMatch()
        #expect(match.take("flows", "3") == nil && match.take("port", "5000-6000") == nil)
        let replace = try Self.toxic(
            "replace",
            .upstream,
            name: "bye",
            toxicity: 0.5,
            attributes: ["find": .string("hello"), "with": .string("7")],
            match: match
        )
        let numbers: [String: ToxicValue] = ["a": .int(16), "b": .double(1.5), "c": .string("2"), "d": .int(15)]
        let steps: [Scenario.Step] = [
            .init(
                at: .seconds(5),
                line: 4,
                .add(try #require(try ToxicText("latency,up,latency=100").configurations.first))
            ),
            .init(
                at: .seconds(6),
                route: 1,
                line: 5,
                .add(try #require(try ToxicText("latency,up,latency=100,route=2").configurations.first))
            ),
            .init(at: .seconds(7), line: 6, .add(try Self.toxic("noop"))),
            .init(at: .seconds(9), route: 2, line: 7, .add(replace)),
            .init(
                at: .seconds(20),
                line: 16,
                .change(name: "bye", attributes: ["with": .string("farewell")], toxicity: 1)
            ), .init(at: .seconds(21), line: 17, .change(name: "bye", attributes: numbers, toxicity: nil)),
            .init(at: .seconds(25), route: 0, line: 18, .remove(name: "bye")),
            .init(at: .seconds(26), line: 19, .clear),
        ]
        #expect(scenario.steps.count == steps.count)
        for (read, expected) in zip(scenario.steps, steps) { #expect(read == expected) }
        #expect(latency.direction == .upstream)
    }

    @Test("A repetition may be a time alone, for ever, and longer than its steps")
    func repeats() throws {
        let scenario = try ScenarioFile.parse("repeat: 2s\nsteps: [{at: 1999ms, clear: yes}]")
        #expect(scenario.period == .seconds(2) && scenario.times == nil && scenario.seed == nil)
        let once = try ScenarioFile.parse("steps: [{at: 0, clear: yes}]")
        #expect(once.period == nil && once.steps.map(\.at) == [.zero])
        let empty = try ScenarioFile.parse("repeat: {every: 1s}\nsteps: []")
        #expect(empty.steps.isEmpty && empty.period == .seconds(1) && empty.times == nil)
    }

    @Test(
        "What is no scenario is refused with its line and the reason",
        arguments: [
            ("", "it is empty"), ("- a", "line 1: KEY: VALUE is expected"),
            ("seed: x\nsteps: []", "line 1: seed takes a number"),
            ("seed: [1]\nsteps: []", "line 1: seed takes a number"),
            ("seed: -1\nsteps: []", "line 1: seed takes a number"), ("seed: 1", "line 1: there is no list 'steps'"),
            ("steps: x", "line 1: there is no list 'steps'"),
            ("steps: []\nsteps: []", "line 2: the key 'steps' comes twice"),
            ("steps: []\nb: 1\na: 2", "line 3: there is no key 'a' here"),
            ("repeat: x\nsteps: []", "line 1: a time is written 500ms, 10s, 2m or 1h"),
            ("repeat: {times: 1}\nsteps: []", "line 1: there is no 'every'"),
            ("repeat: {every: 1s, times: 0}\nsteps: []", "line 1: times takes a number from 1"),
            ("repeat: {every: 1s, times: x}\nsteps: []", "line 1: times takes a number from 1"),
            ("repeat: {every: 1s, x: 1}\nsteps: []", "line 1: there is no key 'x' here"),
            ("repeat: 1s\nsteps:\n- {at: 1s, clear: a}", "line 1: a step is at or behind the end of a repetition"),
            ("repeat: 1s\nsteps:\n- {at: 2s, clear: a}", "line 1: a step is at or behind the end of a repetition"),
            ("steps:\n- x", "line 2: KEY: VALUE is expected"), ("steps:\n- {clear: a}", "line 2: there is no 'at'"),
            ("steps:\n- {at: x, clear: a}", "line 2: a time is written 500ms, 10s, 2m or 1h"),
            ("steps:\n- {at: [1], clear: a}", "line 2: a time is written 500ms, 10s, 2m or 1h"),
            ("steps:\n- {at: 1s}", "line 2: a step has one of add, change, remove and clear"),
            ("steps:\n- {at: 1s, clear: a, remove: b}", "line 2: a step has one of add, change, remove and clear"),
            ("steps:\n- {at: 1s, clear: a, x: b}", "line 2: there is no key 'x' here"),
            ("steps:\n- {at: 1s, clear: a, route: 0}", "line 2: route takes a number from 1"),
            ("steps:\n- {at: 1s, clear: a, route: x}", "line 2: route takes a number from 1"),
            ("steps:\n- {at: 1s, remove: [a]}", "line 2: a text is expected"),
            ("steps:\n- {at: 1s, add: 'noop,both'}", "line 2: one step adds one toxic: up or down"),
            ("steps:\n- at: 1s\n  add: 'lag'", "line 3: there is no toxic 'lag'"),
            ("steps:\n- at: 1s\n  add: {type: lag}", "line 3: there is no toxic 'lag'"),
            ("steps:\n- at: 1s\n  add: {name: n}", "line 3: there is no 'type'"),
            ("steps:\n- at: 1s\n  add: {type: noop, x: 1}", "line 3: there is no key 'x' here"),
            ("steps:\n- at: 1s\n  add: {type: noop, direction: both}", "line 3: direction is up or down"),
            ("steps:\n- at: 1s\n  add: {type: noop, direction: x}", "line 3: direction is up or down"),
            ("steps:\n- at: 1s\n  add: {type: noop, toxicity: x}", "line 3: toxicity takes a number from 0 to 1"),
            ("steps:\n- at: 1s\n  add: {type: noop, toxicity: 2}", "line 3: toxic 'noop'"),
            (
                "steps:\n- at: 1s\n  add: {type: latency, attributes: {latency: -1}}",
                "line 3: toxic 'latency': latency takes"
            ),
            ("steps:\n- at: 1s\n  add: {type: noop, attributes: x}", "line 3: attributes are FIELD: VALUE"),
            ("steps:\n- at: 1s\n  add: {type: noop, attributes: {a: [1]}}", "line 3: a text is expected"),
            ("steps:\n- at: 1s\n  add: {type: noop, match: x}", "line 3: match is CONDITION: VALUE"),
            ("steps:\n- at: 1s\n  add: {type: noop, match: {port: x}}", "line 3: match.port "),
            ("steps:\n- at: 1s\n  change: {name: n, x: 1}", "line 3: there is no key 'x' here"),
            ("steps:\n- at: 1s\n  change: {toxicity: 1}", "line 3: there is no 'name'"),
            ("steps:\n- at: 1s\n  change: {name: n, toxicity: x}", "line 3: toxicity takes a number from 0 to 1"),
        ]
    )
    func refuses(text: String, reason: String) {
        #expect {
            _ = try ScenarioFile.parse(text)
        } throws: {
            "\($0)".hasPrefix(reason)
        }
    }

    @Test(
        "What is no YAML is refused with its line, and a file in words that name it",
        arguments: [
            ("steps: [", "65 PATH is no YAML: line "), ("a: b\n\tc: d", "65 PATH is no YAML: line 2: "),
            ("steps: []\n---\nsteps: []", "65 PATH is no YAML: line 3: there is a second document; a scenario is one"),
            ("---\n", "65 PATH is no scenario: "), ("", "65 PATH is no scenario: it is empty"),
            ("\u{FFFD}", "65 PATH is no YAML: it is not UTF-8"),
            ("x: 1", "65 PATH is no scenario: line 1: there is no list"),
        ]
    )
    func refusesFiles(text: String, reason: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("f.yaml", text == "\u{FFFD}" ? [0x61, 0xFF] : Array(text.utf8))
        #expect {
            _ = try ScenarioFile.read(path)
        } throws: { error in
            guard let failure = error as? Failure else { return false }
            return "\(failure.code.rawValue) \(failure.message)".hasPrefix(reason.replacing("PATH", with: path))
        }
    }
}
