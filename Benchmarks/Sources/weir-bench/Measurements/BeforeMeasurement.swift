/// A measurement of one row of Weir beside an earlier build of it, in place of the other relays.
struct BeforeMeasurement: Measurement {
    /// The name of the earlier build among the programs.
    static let earlier = "weir-before"

    private let base: any Measurement
    let subjects: [Subject]
    let compared: String

    /// Makes one for each row of Weir in a measurement of relays.
    static func rows(of base: any Measurement) -> [BeforeMeasurement] {
        base.subjects.filter { $0.peer is WeirPeer || $0.run != nil }.map { BeforeMeasurement(base, $0) }
    }

    private init(_ base: any Measurement, _ weir: Subject) {
        self.base = base
        var before = Subject(name: weir.name + ", before", watching: weir.watching, run: weir.run)
        if weir.run != nil { before.run?.program = Self.earlier } else { before.peer = WeirPeer(name: Self.earlier) }
        subjects = base.subjects.filter { $0.peer == nil && $0.name == Subject.direct.name } + [weir, before]
        compared = weir.name
    }

    var name: String { base.name }
    var title: String { "\(base.title): \(compared)" }
    var method: String { base.method }
    var group: MeasurementGroup { base.group }
    var metrics: [Metric] { base.metrics }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        try await base.sample(subject, in: bench)
    }
}
