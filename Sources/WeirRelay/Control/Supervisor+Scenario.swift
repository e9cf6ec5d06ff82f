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
        let first = toxicSets.map(\.configurations)
        var number = 0
        while let (due, step) = scenario.step(number) {
            do {
                if number > 0, number % scenario.steps.count == 0 {
                    try await Task.sleep(until: start + (due - step.at), clock: .continuous)
                    for route in first.indices { try await setToxics(first[route], route: route) }
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
        let transports = shared.configuration.routes.map(\.transport)
        for route in try step.routes(of: toxicSets.map(\.configurations), over: transports) {
            try await updateToxics(route: route) { (toxics) throws(ToxicError) in try step.change.apply(to: &toxics) }
        }
    }
}
