import WeirEngine
import WeirWire

/// A scenario in YAML.
///
///     seed: 42
///     repeat: {every: 30s, times: 3}
///     steps:
///       - {at: 5s, add: 'latency,down,latency=100'}
///       - {at: 9s, add: {type: replace, name: bye, attributes: {find: hello, with: bye}, match: {flows: 3}}}
///       - {at: 20s, change: {name: bye, attributes: {with: farewell}}}
///       - {at: 25s, remove: bye, route: 1}
enum ScenarioFile {
    #if Scenarios
    fileprivate typealias Node = YAMLDocument.Node

    /// An error in a scenario, with its line.
    struct Wrong: Error, CustomStringConvertible {
        var line: Int?
        var reason: String

        fileprivate init(_ node: Node, _ reason: String) {
            line = node.line
            self.reason = reason
        }

        init(reason: String) {
            self.reason = reason
        }

        var description: String { (line.map { "line \($0): " } ?? "") + reason }
    }

    /// Reads a file.
    ///
    /// - Parameter path: the file's path.
    /// - Returns: the scenario.
    /// - Throws: `Failure`: 66 if there is no such file, 77 if it may not be read, and 65 if it is not a scenario.
    static func read(_ path: String) throws(Failure) -> Scenario {
        guard let text = String(validating: try SmallFile.read(path), as: UTF8.self) else {
            throw Failure(.dataError, "\(path) is no YAML: it is not UTF-8")
        }
        do {
            return try parse(text)
        } catch let error as YAMLDocument.Wrong {
            throw Failure(.dataError, "\(path) is no YAML: \(error)")
        } catch {
            throw Failure(.dataError, "\(path) is no scenario: \(error)")
        }
    }

    /// Reads a text.
    static func parse(_ text: String) throws -> Scenario {
        guard let root = try YAMLDocument.read(text) else { throw Wrong(reason: "it is empty") }
        var keys = try Keys(root)
        let seed: UInt64? = try keys.take("seed").map { node in
            guard let seed = node.string.flatMap({ UInt64($0) }) else { throw Wrong(node, "seed takes a number") }
            return seed
        }
        let (period, times) = try keys.take("repeat").map(repetition) ?? (nil, nil)
        guard let list = keys.take("steps"), let steps = list.sequence else {
            throw Wrong(root, "there is no list 'steps'")
        }
        try keys.finish()
        let scenario = Scenario(try steps.map(step), seed: seed, period: period, times: times)
        if let period, let last = scenario.steps.last, last.at >= period {
            throw Wrong(root, "a step is at or behind the end of a repetition")
        }
        return scenario
    }

    private static func repetition(_ node: Node) throws -> (Duration?, Int?) {
        if node.mapping == nil { return (try duration(node), nil) }
        var keys = try Keys(node)
        let period = try duration(try keys.need("every"))
        let times = try keys.take("times").map { node in
            guard let times = node.int, times > 0 else { throw Wrong(node, "times takes a number from 1") }
            return times
        }
        try keys.finish()
        return (period, times)
    }

    private static func step(_ node: Node) throws -> Scenario.Step {
        var keys = try Keys(node)
        let at = try duration(try keys.need("at"))
        var route = try keys.take("route").map { node in
            guard let route = node.int, route > 0 else { throw Wrong(node, "route takes a number from 1") }
            return route - 1
        }
        var changes: [Scenario.Change] = []
        if let add = keys.take("add") { changes.append(try addition(add, &route)) }
        if let change = keys.take("change") { changes.append(try self.change(change)) }
        if let remove = keys.take("remove") { changes.append(.remove(name: try string(remove))) }
        if keys.take("clear") != nil { changes.append(.clear) }
        try keys.finish()
        guard changes.count == 1 else { throw Wrong(node, "a step has one of add, change, remove and clear") }
        return Scenario.Step(at: at, route: route, line: node.line, changes[0])
    }

    /// Reads a toxic, in the form of the command line or as a mapping.
    private static func addition(_ node: Node, _ route: inout Int?) throws -> Scenario.Change {
        do {
            if let text = node.string {
                let toxic = try ToxicText(text)
                guard toxic.configurations.count == 1 else { throw Wrong(node, "one step adds one toxic: up or down") }
                route = toxic.route ?? route
                return .add(toxic.configurations[0])
            }
            var keys = try Keys(node)
            let type = try string(try keys.need("type"))
            let direction = try keys.take("direction").map { node in
                let directions = ToxicText.directions(try string(node)) ?? []
                guard directions.count == 1 else { throw Wrong(node, "direction is up or down") }
                return directions[0]
            }
            let configuration = ToxicConfiguration(
                type,
                direction ?? .downstream,
                name: try keys.take("name").map(string),
                toxicity: try keys.take("toxicity").map(toxicity) ?? 1,
                attributes: try keys.take("attributes").map(attributes) ?? [:],
                match: try keys.take("match").map(match)
            )
            try keys.finish()
            return .add(try configuration.validated())
        } catch let error as ToxicError {
            throw Wrong(node, "\(error)")
        }
    }

    private static func change(_ node: Node) throws -> Scenario.Change {
        var keys = try Keys(node)
        let name = try string(try keys.need("name"))
        let attributes = try keys.take("attributes").map(attributes) ?? [:]
        let toxicity = try keys.take("toxicity").map(toxicity)
        try keys.finish()
        return .change(name: name, attributes: attributes, toxicity: toxicity)
    }

    private static func attributes(_ node: Node) throws -> [String: ToxicValue] {
        try members(node, "attributes are FIELD: VALUE").mapValues { value in
            if let int = value.int { return .int(int) }
            if let double = value.float { return .double(double) }
            return .string(try string(value))
        }
    }

    private static func match(_ node: Node) throws -> ToxicMatch {
        var match = ToxicMatch()
        for (key, value) in try members(node, "match is CONDITION: VALUE").sorted(by: { $0.key < $1.key }) {
            if let reason = match.take(key, try string(value)) { throw Wrong(value, "match.\(key) \(reason)") }
        }
        return match
    }

    private static func toxicity(_ node: Node) throws -> Float {
        guard let number = node.float else { throw Wrong(node, "toxicity takes a number from 0 to 1") }
        return Float(number)
    }

    private static func duration(_ node: Node) throws -> Duration {
        guard let text = node.string, let argument = DurationArgument(argument: text) else {
            throw Wrong(node, "a time is written 500ms, 10s, 2m or 1h")
        }
        return argument.duration
    }

    /// Returns a mapping's values by their keys.
    fileprivate static func members(_ node: Node, _ otherwise: String) throws -> [String: Node] {
        guard let mapping = node.mapping else { throw Wrong(node, otherwise) }
        var members: [String: Node] = [:]
        for (key, value) in mapping {
            let name = try string(key)
            if members.updateValue(value, forKey: name) != nil { throw Wrong(key, "the key '\(name)' comes twice") }
        }
        return members
    }

    fileprivate static func string(_ node: Node) throws -> String {
        guard let text = node.string else { throw Wrong(node, "a text is expected") }
        return text
    }

    /// The keys of a mapping, which are taken one by one; a key that is left is an error.
    private struct Keys {
        private let node: Node
        private var left: [String: Node]

        init(_ node: Node) throws {
            self.node = node
            left = try ScenarioFile.members(node, "KEY: VALUE is expected")
        }

        mutating func take(_ key: String) -> Node? { left.removeValue(forKey: key) }

        mutating func need(_ key: String) throws -> Node {
            guard let value = take(key) else { throw Wrong(node, "there is no '\(key)'") }
            return value
        }

        func finish() throws {
            guard let key = left.keys.min(), let value = left[key] else { return }
            throw Wrong(value, "there is no key '\(key)' here")
        }
    }
    #else
    /// Fails, because this program was built without libyaml.
    static func read(_ path: String) throws(Failure) -> Scenario {
        throw Failure(.unavailable, "--scenario needs a weir that was built with the trait Scenarios")
    }
    #endif
}
