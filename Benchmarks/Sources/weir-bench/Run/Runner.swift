/// Runs measurements, round by round, and says on standard error how far it is.
struct Runner: Sendable {
    let bench: Bench

    /// Measures every subject in each round, so that whatever else the machine does falls on all of them alike.
    ///
    /// A subject that is absent is not tried again; one that failed is, in the next round.
    func run(_ measurement: any Measurement) async throws -> MeasurementResult {
        var result = MeasurementResult(measurement)
        let subjects = measurement.subjects
        for round in 0..<bench.settings.rounds {
            for place in subjects.indices {
                // Each round begins with another subject: none always runs after the same one.
                let index = (place + round) % subjects.count
                if let trouble = result.subjects[index].trouble, trouble.kind != .failed { continue }
                try await measure(measurement, subjects[index], round: round, into: &result.subjects[index])
            }
        }
        return result
    }

    private func measure(
        _ measurement: any Measurement,
        _ subject: Subject,
        round: Int,
        into row: inout SubjectResult
    ) async throws {
        let label = "\(measurement.name), round \(round + 1) of \(bench.settings.rounds), \(subject.name)"
        do {
            let sample = try await measurement.sample(subject, in: bench)
            try Task.checkCancellation()
            row.samples.append(sample)
            Diagnostics.say("\(label): \(Self.describe(sample, measurement.metrics))")
        } catch {
            try Task.checkCancellation()
            let trouble = SubjectResult.Trouble(error)
            row.trouble = trouble
            if trouble.kind == .failed { row.failures += 1 }
            Diagnostics.say("\(label): \(trouble.kind.rawValue): \(trouble.reason)")
        }
    }

    private static func describe(_ sample: Sample, _ metrics: [Metric]) -> String {
        let figures = metrics.compactMap { metric in
            sample.values[metric.key].map { "\(metric.format($0)) \(metric.heading)" }
        }
        let busy = ["relay", "client", "server", "others"].compactMap { who in
            sample.values["\(who)_busy_cores"].map { "\(who) \(Number.fixed($0, digits: 2))" }
        }
        let cores = busy.isEmpty ? "" : "; cores busy: " + busy.joined(separator: ", ")
        return figures.joined(separator: ", ") + cores
    }
}
