public import WeirWire

/// Says which toxics come, change and go at which times: so that a failure can be had again.
public struct Scenario: Hashable, Sendable {
    /// Is one change of the toxics.
    public enum Change: Hashable, Sendable {
        /// Adds a toxic behind those that there are.
        case add(ToxicConfiguration)
        /// Changes settings of the toxic with a name; nil leaves the toxicity.
        case change(name: String, attributes: [String: ToxicValue], toxicity: Float?)
        /// Takes the toxic with a name away.
        case remove(name: String)
        /// Takes all away.
        case clear
    }

    /// Is a change at a time.
    public struct Step: Hashable, Sendable {
        /// Counts from the scenario's start, or the start of a repetition.
        public var at: Duration
        /// Is the place of the one route that is meant, from 0; nil for all on which the change can be made.
        public var route: Int?
        /// Says what changes.
        public var change: Change
        /// Says in which line of a file it stands, from 1; nil where it is of none.
        public var line: Int?

        /// Makes a step.
        public init(at: Duration, route: Int? = nil, line: Int? = nil, _ change: Change) {
            self.at = at
            self.route = route
            self.change = change
            self.line = line
        }
    }

    /// Is the seed of the toxics' randomness; nil where the file names none.
    public var seed: UInt64?
    /// Lists the changes; those of one time in their order.
    public private(set) var steps: [Step]
    /// Says after which time it begins anew; nil never.
    public var period: Duration?
    /// Bounds how often it is run; nil repeats it for ever.
    public var times: Int?

    /// Makes a scenario; the steps are put in the order of time.
    public init(_ steps: [Step], seed: UInt64? = nil, period: Duration? = nil, times: Int? = nil) {
        // A stable order: those of one time stay as they are.
        self.steps = steps.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)
        self.seed = seed
        self.period = period
        self.times = times
    }

    /// Finds a step by its number.
    ///
    /// - Parameter number: counts from 0 through all repetitions.
    /// - Returns: the step, with the time at which it is due; nil behind the last.
    public func step(_ number: Int) -> (due: Duration, step: Step)? {
        guard !steps.isEmpty else { return nil }
        let (round, index) = number.quotientAndRemainder(dividingBy: steps.count)
        guard round == 0 || period != nil, round < times ?? .max else { return nil }
        return (steps[index].at + (period ?? .zero) * round, steps[index])
    }
}

extension Scenario.Change {
    /// Makes the change in a route's list of toxics.
    ///
    /// - Parameter toxics: the list.
    /// - Throws: `ToxicError` where a name is taken or unknown.
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
    /// Lists the routes that the step is about.
    ///
    /// - Parameters:
    ///   - chains: the toxics of each route.
    ///   - transports: what each route carries.
    /// - Returns: the places of the routes; for all routes those that carry what an added toxic is for, and those that
    ///   have the toxic that changes or goes.
    /// - Throws: `ToxicError` where there is none.
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
    /// Runs through the steps once without a relay, so that what is wrong is known before the first client comes.
    ///
    /// - Parameters:
    ///   - chains: the toxics that each route has from the start.
    ///   - transports: what each route carries.
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

    /// Says which step cannot be made, and why.
    public struct StepError: Error, Hashable, CustomStringConvertible {
        /// Says when the step is due.
        public var at: Duration
        /// Numbers the step in the order of time, from 1.
        public var number: Int
        /// Says in which line of a file it stands, from 1; nil where it is of none.
        public var line: Int?
        /// Says why.
        public var error: ToxicError

        /// Says it in one line.
        public var description: String {
            (line.map { "line \($0): " } ?? "")
                + "step \(number) of the scenario, at \(Double(at.inNanoseconds) / 1e9) s: \(error)"
        }
    }
}

extension Scenario.Change: CustomStringConvertible {
    /// Says it in a few words.
    public var description: String {
        switch self {
        case .add(let configuration): "\(configuration.name) added"
        case .change(let name, _, _): "\(name) changed"
        case .remove(let name): "\(name) removed"
        case .clear: "all toxics removed"
        }
    }
}
