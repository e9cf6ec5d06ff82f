public import WeirWire

/// A timetable of toxics that are added, changed and removed, so that you can reproduce a failure.
public struct Scenario: Hashable, Sendable {
    /// A change of the toxics.
    public enum Change: Hashable, Sendable {
        /// The addition of a toxic after the existing ones.
        case add(ToxicConfiguration)
        /// New settings for the toxic with a name; nil leaves the toxicity unchanged.
        case change(name: String, attributes: [String: ToxicValue], toxicity: Float?)
        /// The removal of the toxic with a name.
        case remove(name: String)
        /// The removal of all toxics.
        case clear
    }

    /// A change at a given time.
    public struct Step: Hashable, Sendable {
        /// The time from the start of the scenario or of a repetition.
        public var at: Duration
        /// The index of the route, from 0; nil for all routes on which the change is possible.
        public var route: Int?
        /// The change to make.
        public var change: Change
        /// The line of the file, from 1; nil if the step is not from a file.
        public var line: Int?

        /// Creates a step.
        public init(at: Duration, route: Int? = nil, line: Int? = nil, _ change: Change) {
            self.at = at
            self.route = route
            self.change = change
            self.line = line
        }
    }

    /// The seed of the toxics' randomness; nil if the file gives none.
    public var seed: UInt64?
    /// The steps in the order of time; those with the same time keep their order.
    public private(set) var steps: [Step]
    /// The time after which the scenario repeats; nil for never.
    public var period: Duration?
    /// The maximum number of runs; nil for no limit.
    public var times: Int?

    /// Creates a scenario; the steps are sorted by time.
    public init(_ steps: [Step], seed: UInt64? = nil, period: Duration? = nil, times: Int? = nil) {
        // A stable sort: steps with the same time keep their order.
        self.steps = steps.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)
        self.seed = seed
        self.period = period
        self.times = times
    }

    /// Returns a step by its number.
    ///
    /// - Parameter number: the number of the step, from 0, counted through all repetitions.
    /// - Returns: the step and its due time; nil after the last one.
    public func step(_ number: Int) -> (due: Duration, step: Step)? {
        guard !steps.isEmpty else { return nil }
        let (round, index) = number.quotientAndRemainder(dividingBy: steps.count)
        guard round == 0 || period != nil, round < times ?? .max else { return nil }
        return (steps[index].at + (period ?? .zero) * round, steps[index])
    }
}

extension Scenario.Change {
    /// Applies the change to a route's list of toxics.
    ///
    /// - Parameter toxics: the list.
    /// - Throws: `ToxicError` if a name is taken or unknown.
    public func apply(to toxics: inout [ToxicConfiguration]) throws(ToxicError) {
        switch self {
        case .add(let configuration):
            guard !toxics.contains(where: { $0.name == configuration.name }) else {
                throw .duplicate(name: configuration.name)
            }
            toxics.append(configuration)
        case .change(let name, let attributes, let toxicity):
            guard let index = toxics.firstIndex(where: { $0.name == name }) else { throw .unknownName(name) }
            toxics[index].attributes.merge(attributes) { $1 }
            if let toxicity { toxics[index].toxicity = toxicity }
        case .remove(let name):
            guard let index = toxics.firstIndex(where: { $0.name == name }) else { throw .unknownName(name) }
            toxics.remove(at: index)
        case .clear: toxics = []
        }
    }
}

extension Scenario.Step {
    /// Returns the routes to which the step applies.
    ///
    /// - Parameters:
    ///   - chains: the toxics of each route.
    ///   - transports: the transport of each route.
    /// - Returns: the indices of the routes; for a step without a route, those whose transport suits an added toxic, or
    ///   those that have the toxic to change or remove.
    /// - Throws: `ToxicError` if there is none.
    public func routes(
        of chains: [[ToxicConfiguration]],
        over transports: [Transport]
    ) throws(ToxicError) -> [Int] {
        if let route {
            guard chains.indices.contains(route) else { throw .unknownRoute(route) }
            return [route]
        }
        switch change {
        case .add(let configuration):
            guard let type = Toxics.type(named: configuration.type) else { throw .unknownType(configuration.type) }
            let routes = transports.indices.filter { type.transports.contains(transports[$0]) }
            guard !routes.isEmpty else { throw .unsupported(type: type.name, transports.first ?? .tcp) }
            return routes
        case .change(let name, _, _), .remove(let name):
            let routes = chains.indices.filter { route in chains[route].contains { $0.name == name } }
            guard !routes.isEmpty else { throw .unknownName(name) }
            return routes
        case .clear: return Array(chains.indices)
        }
    }
}

extension Scenario {
    /// Runs through the steps once without a relay, to find errors before the first client connects.
    ///
    /// - Parameters:
    ///   - chains: the toxics that each route has at the start.
    ///   - transports: the transport of each route.
    /// - Throws: `StepError` with the step's number, from 1, and the reason.
    public func check(_ chains: [[ToxicConfiguration]], over transports: [Transport]) throws(StepError) {
        var chains = chains
        for (index, step) in steps.enumerated() {
            do throws(ToxicError) {
                for route in try step.routes(of: chains, over: transports) {
                    try step.change.apply(to: &chains[route])
                    _ = try chains[route].validated(for: transports[route])
                }
            } catch {
                throw StepError(at: step.at, number: index + 1, line: step.line, error: error)
            }
        }
    }

    /// A step that is not possible, and the reason.
    public struct StepError: Error, Hashable, CustomStringConvertible {
        /// The due time of the step.
        public var at: Duration
        /// The number of the step in the order of time, from 1.
        public var number: Int
        /// The line of the file, from 1; nil if the step is not from a file.
        public var line: Int?
        /// The reason.
        public var error: ToxicError

        /// The error in one line.
        public var description: String {
            (line.map { "line \($0): " } ?? "")
                + "step \(number) of the scenario, at \(Double(at.inNanoseconds) / 1e9) s: \(error)"
        }
    }
}

extension Scenario.Change: CustomStringConvertible {
    /// The change in a few words.
    public var description: String {
        switch self {
        case .add(let configuration): "\(configuration.name) added"
        case .change(let name, _, _): "\(name) changed"
        case .remove(let name): "\(name) removed"
        case .clear: "all toxics removed"
        }
    }
}
