import ArgumentParser
import WeirEngine
import WeirRelay
import WeirWire

/// The options for the toxics on the relay's routes.
struct ToxicOptions: ParsableArguments {
    @Option(
        name: .customLong("toxic"),
        help: ArgumentHelp(
            "Put a toxic on the routes, as 'latency,down,latency=100,jitter=20'; may be repeated. --toxics lists all.",
            valueName: "toxic"
        )
    )
    var texts: [String] = []

    @Option(
        help: ArgumentHelp("Add, change and remove toxics at the times of a YAML file.", valueName: "file"),
        completion: .file()
    )
    var scenario: String?

    @Option(
        help: ArgumentHelp(
            "Seed of the toxics' randomness: the same seed and traffic give the same faults (default: a new one, told).",
            valueName: "number"
        )
    )
    var seed: UInt64?

    @Flag(help: "Show what came to toxics beside what went on, in the dump and in the log.")
    var showOriginal = false

    @Flag(help: "List all toxics with their settings, and end.")
    var toxics = false

    /// Reads the scenario's file; returns nil if none was given.
    func readScenario() throws(Failure) -> Scenario? {
        guard let scenario else { return nil }
        return try ScenarioFile.read(scenario)
    }

    /// Adds the toxics to a relay's configuration.
    ///
    /// - Parameters:
    ///   - configuration: the configuration, which already has its routes.
    ///   - scenario: the changes to come.
    /// - Throws: `Failure` with 64 if a toxic is wrong, and with 65 if the scenario is.
    func apply(to configuration: inout RelayConfiguration, _ scenario: Scenario?) throws(Failure) {
        let transports = configuration.routes.map(\.transport)
        var chains = transports.map { _ in [ToxicConfiguration]() }
        do throws(ToxicError) {
            for text in texts {
                let toxic = try ToxicText(text)
                for added in toxic.configurations {
                    let step = Scenario.Step(at: .zero, route: toxic.route, .add(added))
                    for route in try step.routes(of: chains, over: transports) {
                        try step.change.apply(to: &chains[route])
                        chains[route] = try chains[route].validated(for: transports[route])
                    }
                }
            }
        } catch {
            throw Failure(.usage, "\(error)")
        }
        do throws(Scenario.StepError) {
            try scenario?.check(chains, over: transports)
        } catch {
            throw Failure(.dataError, "\(self.scenario.map { "\($0): " } ?? "")\(error)")
        }
        configuration.toxics = Dictionary(uniqueKeysWithValues: chains.enumerated().map { ($0, $1) })
        configuration.seed = seed ?? scenario?.seed ?? .random(in: 0 ... .max)
    }
}

extension ToxicOptions {
    /// Reads the toxics that each destination of `weir run` gets, as far as they are for its transport.
    ///
    /// - Parameter scenario: the changes to come.
    /// - Returns: the toxics, and the seed of their randomness.
    /// - Throws: `Failure` with 64 if a toxic is wrong, and with 65 if the scenario is.
    func destinationToxics(_ scenario: Scenario?) throws(Failure) -> (toxics: [ToxicConfiguration], seed: UInt64) {
        // Two routes stand for the destinations to come: one of each transport.
        let routes = Transport.allCases.map { Route($0, listen: HostPort(.loopbackByDefault, 0), target: nil) }
        var configuration = RelayConfiguration(routes: routes)
        let advice = "there are no numbered routes under 'weir run': choose destinations with --only and --except"
        if let step = scenario?.steps.first(where: { $0.route != nil }) {
            let place = step.line.map { "line \($0): " } ?? ""
            throw Failure(.dataError, "\(self.scenario.map { "\($0): " } ?? "")\(place)\(advice)")
        }
        try apply(to: &configuration, scenario)
        var toxics: [ToxicConfiguration] = []
        for text in texts {
            // What is wrong with a text was found above.
            guard let toxic = try? ToxicText(text) else { continue }
            guard toxic.route == nil else { throw Failure(.usage, "--toxic \(text): \(advice)") }
            toxics += toxic.configurations
        }
        return (toxics, configuration.seed)
    }
}

/// The table of toxics.
enum ToxicTable {
    /// Renders all types with their settings.
    static func render() -> String {
        Toxics.all.map(render).joined(separator: "\n")
            + """


            Of every toxic: toxicity=0.5 (the probability with which a flow meets it), name=NAME, route=N (from 1),
            match.client=10.0.0.0/8, match.port=5000-6000, match.prefix=GET (the client's first bytes) and match.flows=3
            (the first flows after it was added). Of two conditions both must hold.

            """
    }

    private static func render(_ type: ToxicType) -> String {
        let transports = type.transports.count == 2 ? "" : " (\(type.transports[0]) only)"
        var text = "\(type.name)\(transports)\n    \(type.summary)\n"
        for field in type.fields {
            let kind = field.unit.map { "\(field.kind.rawValue), \($0)" } ?? field.kind.rawValue
            let value = "\(field.default)".isEmpty ? "" : ", default \(field.default)"
            text += "    \(field.name) (\(kind)\(value)): \(field.help)\n"
        }
        return text
    }
}
