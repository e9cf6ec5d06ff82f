import FoundationEssentials

/// The results as JSON: every sample, and the summaries with their ratios.
struct JSONReport: Codable {
    /// One figure of one subject over the rounds.
    struct Figure: Codable {
        var median: Double
        var minimum: Double
        var maximum: Double
        /// The median of the compared row, divided by this one.
        var comparedRatio: Double?
        /// This median, divided by that without a relay.
        var directRatio: Double?
        /// This median, less that without a relay.
        var directDifference: Double?
    }

    /// One subject.
    struct Row: Codable {
        var name: String
        var trouble: String?
        var failures: Int
        var figures: [String: Figure]
        var samples: [[String: Double]]
    }

    /// One measurement.
    struct Table: Codable {
        var name: String
        var title: String
        var method: String
        var compared: String
        var subjects: [Row]
    }

    var machine: [String: String]
    var settings: Bench.Settings
    var measurements: [Table]

    /// Gathers everything.
    init(_ run: RunDescription, _ results: [MeasurementResult]) {
        machine = Dictionary(run.rows, uniquingKeysWith: { first, _ in first })
        settings = run.settings
        measurements = results.map(Self.table)
    }

    /// Writes the JSON to a file.
    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try TextFile.write(String(decoding: try encoder.encode(self), as: UTF8.self) + "\n", to: path)
    }

    private static func table(_ result: MeasurementResult) -> Table {
        let rows = result.subjects.map { subject in
            Row(
                name: subject.name,
                trouble: subject.trouble.map { "\($0.kind.rawValue): \($0.reason)" },
                failures: subject.failures,
                figures: figures(subject, in: result),
                samples: subject.samples.map(\.values)
            )
        }
        return Table(
            name: result.name,
            title: result.title,
            method: result.method,
            compared: result.compared,
            subjects: rows
        )
    }

    private static func figures(_ subject: SubjectResult, in result: MeasurementResult) -> [String: Figure] {
        var figures: [String: Figure] = [:]
        for metric in result.metrics {
            guard let summary = subject.summary(metric.key) else { continue }
            figures[metric.key] = Figure(
                median: summary.median,
                minimum: summary.minimum,
                maximum: summary.maximum,
                comparedRatio: result.ratioOfCompared(to: subject, metric),
                directRatio: result.ratioToDirect(of: subject, metric),
                directDifference: result.differenceFromDirect(of: subject, metric)
            )
        }
        return figures
    }
}
