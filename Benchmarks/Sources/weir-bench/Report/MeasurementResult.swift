/// What came of one subject.
struct SubjectResult: Sendable {
    /// Why there is no figure, or not as many as rounds.
    struct Trouble: Sendable, Equatable {
        /// What kind of trouble it is.
        enum Kind: String, Sendable {
            /// It is not installed.
            case absent
            /// It cannot do this.
            case refused = "not run"
            /// It was tried and failed.
            case failed
        }

        let kind: Kind
        let reason: String

        /// Sorts an error.
        init(_ error: any Error) {
            reason = "\(error)"
            switch error {
            case BenchError.absent: kind = .absent
            case BenchError.refused: kind = .refused
            default: kind = .failed
            }
        }
    }

    let name: String
    /// One for each round that succeeded.
    var samples: [Sample] = []
    var trouble: Trouble?
    /// Rounds that failed.
    var failures = 0

    /// Summarises one figure over the rounds.
    func summary(_ key: String) -> Summary? {
        Summary(samples.compactMap { $0.values[key] })
    }
}

/// What came of one measurement.
struct MeasurementResult: Sendable {
    let name: String
    let title: String
    let method: String
    let metrics: [Metric]
    /// The row that the others are compared with.
    let compared: String
    let growth: Growth?
    var subjects: [SubjectResult]

    /// Starts with a row for each subject and no figure.
    init(_ measurement: any Measurement) {
        name = measurement.name
        title = measurement.title
        method = measurement.method
        metrics = measurement.metrics
        compared = measurement.compared
        growth = measurement.growth
        subjects = measurement.subjects.map { SubjectResult(name: $0.name) }
    }

    /// Says whether some subject was tried and failed.
    var hasFailure: Bool {
        subjects.contains { $0.trouble?.kind == .failed }
    }

    /// Returns the row of a name.
    func subject(_ name: String) -> SubjectResult? {
        subjects.first { $0.name == name }
    }

    /// Gives the ratio of the compared row to a row; nil for itself and where a figure is missing.
    func ratioOfCompared(to subject: SubjectResult, _ metric: Metric) -> Double? {
        guard subject.name != compared else { return nil }
        return Summary.ratio(self.subject(compared)?.summary(metric.key), to: subject.summary(metric.key))
    }

    /// Gives the ratio of a row to the one without a relay; nil for itself and where a figure is missing.
    func ratioToDirect(of subject: SubjectResult, _ metric: Metric) -> Double? {
        guard subject.name != Subject.direct.name else { return nil }
        return Summary.ratio(subject.summary(metric.key), to: self.subject(Subject.direct.name)?.summary(metric.key))
    }

    /// Gives how much more a row's median is than the one without a relay; nil for itself and where a figure is missing.
    func differenceFromDirect(of subject: SubjectResult, _ metric: Metric) -> Double? {
        guard subject.name != Subject.direct.name, let own = subject.summary(metric.key),
            let direct = self.subject(Subject.direct.name)?.summary(metric.key)
        else { return nil }
        return own.median - direct.median
    }
}
