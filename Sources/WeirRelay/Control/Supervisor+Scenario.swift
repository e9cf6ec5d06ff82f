public import WeirEngine
import WeirWire

/// Running a scenario.
extension Supervisor {
    /// Changes the routes' toxics at the times of a scenario, which starts now; returns after its last step.
    ///
    /// Each repetition starts with the toxics that the routes have now.
    ///
    /// - Parameters:
    ///   - scenario: the steps.
    ///   - report: called with one line for each step, and for a step that fails because the toxics were changed in
    ///     another way meanwhile.
    public func run(_ scenario: Scenario, report: @Sendable (String) -> Void = { _ in }) async {
        let start = ContinuousClock.now
        let (first, firstTemplates) = (toxicSets.map(\.configurations), templates)
        var number = 0
        while let (due, step) = scenario.step(number) {
            do {
                if number > 0, number % scenario.steps.count == 0 {
                    try await Task.sleep(until: start + (due - step.at), clock: .continuous)
                    templates = firstTemplates
                    for status in served.values {
                        let isLater = status.number >= first.count
                        let chain =
                            isLater ? firstToxics(of: status.number, status.route.transport) : first[status.number]
                        try await setToxics(chain, route: status.number)
                    }
                }
                try await Task.sleep(until: start + due, clock: .continuous)
                try await make(step)
                report("scenario: \(step.change), at \(Double(due.inNanoseconds) / 1e9) s")
            } catch let error as ToxicError {
                report("scenario: \(step.change) cannot be made: \(error)")
            } catch {
                return
            }
            number += 1
        }
    }

    private func make(_ step: Scenario.Step) async throws(ToxicError) {
        // By their numbers; a route that is gone has no toxics to change.
        var transports = [Transport](repeating: .tcp, count: toxicSets.count)
        for status in served.values { transports[status.number] = status.route.transport }
        let routes: [Int]
        if templates.isEmpty {
            routes = try step.routes(of: toxicSets.map(\.configurations), over: transports)
        } else {
            try changeTemplates(step)
            // Of the destinations so far there may be none.
            routes = (try? step.routes(of: toxicSets.map(\.configurations), over: transports)) ?? []
        }
        let living = Set(served.values.map(\.number))
        for route in routes where living.contains(route) {
            try await updateToxics(route: route) { (toxics) throws(ToxicError) in try step.change.apply(to: &toxics) }
        }
    }

    /// Makes a step on the toxics of destinations to come.
    private func changeTemplates(_ step: Scenario.Step) throws(ToxicError) {
        let transports = Transport.allCases
        for place in try step.routes(of: transports.map { templates[$0] ?? [] }, over: transports) {
            var chain = templates[transports[place]] ?? []
            try step.change.apply(to: &chain)
            templates[transports[place]] = chain
        }
    }

    /// Sets the toxics of destinations to come: those of each transport that fit it.
    func setTemplates(_ toxics: [ToxicConfiguration]) {
        for transport in Transport.allCases {
            templates[transport] = toxics.filter { (try? $0.validated(for: transport)) != nil }
        }
    }

    /// Makes the route of a destination, without a listener, and with toxics of its own before those of all to come.
    func addDestination(_ route: Route, named name: String, toxics own: [ToxicConfiguration] = []) async throws -> Int {
        let number = try await add(route, named: name, isEnabled: false).number
        if !own.isEmpty { ownToxics[number] = own }
        let toxics = firstToxics(of: number, route.transport)
        if !toxics.isEmpty { try await setToxics(toxics, route: number) }
        return number
    }

    /// Returns the toxics with which the route of a destination begins.
    private func firstToxics(of number: Int, _ transport: Transport) -> [ToxicConfiguration] {
        (ownToxics[number] ?? []) + (templates[transport] ?? [])
    }
}
