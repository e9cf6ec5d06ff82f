/// Writes results as Markdown.
enum MarkdownReport {
    /// Writes the header: the machine, the programs and the command.
    static func header(_ run: RunDescription) -> String {
        var lines = ["# weir-bench", "", "| | |", "| :--- | :--- |"]
        lines += run.rows.map { "| \($0.0) | \($0.1) |" }
        let workers = run.settings.workers == 1 ? "one worker" : "\(run.settings.workers) workers"
        lines += [
            "",
            """
            Each cell is the median, over \(run.settings.rounds) round\(run.settings.rounds == 1 ? "" : "s"), with the \
            lowest and the highest in parentheses. In every round each subject runs once, one after another. Each relay \
            has \(workers), and socat a process for each flow; the peers have buffers of 64 KiB. GB is 10^9 bytes. CPU is \
            the relay's own, of all its processes.
            """,
        ]
        return lines.joined(separator: "\n")
    }

    /// Writes one measurement: its heading, its method, its table, and what went wrong.
    static func section(_ result: MeasurementResult) -> String {
        var lines = ["", "## \(result.title) (`\(result.name)`)", "", result.method, "", table(result).text]
        let notes = result.subjects.compactMap(note) + [disturbance(result)].compactMap { $0 }
        if !notes.isEmpty { lines += [""] + notes }
        return lines.joined(separator: "\n")
    }

    /// Makes the table of one measurement.
    static func table(_ result: MeasurementResult) -> MarkdownTable {
        let hasDirect = result.subject(Subject.direct.name) != nil
        var headings = [""]
        for (index, metric) in result.metrics.enumerated() {
            headings.append(metric.heading)
            if metric.isCompared { headings.append("\(result.compared) ÷ it") }
            if index == 0 && hasDirect { headings.append("it ÷ direct") }
            if metric.hasDifference && hasDirect { headings.append("it − direct") }
        }
        var table = MarkdownTable(headings: headings)
        for subject in result.subjects { table.rows.append(row(subject, in: result, hasDirect: hasDirect)) }
        return table
    }

    /// Makes the table of a series: the first metric of each, and what is left of it at the largest size.
    static func growthTable(_ results: [MeasurementResult]) -> String? {
        let places = results.compactMap { result in result.growth.map { (growth: $0, result: result) } }
        guard places.count > 1, let first = places.first, let last = places.last else { return nil }
        let base = places.first { $0.growth.size >= 10 } ?? first
        let units = first.result.metrics.map(\.heading).joined(separator: "; ")
        let sizes = places.map { "\($0.growth.size)" }
        var table = MarkdownTable(headings: [units] + sizes + ["\(last.growth.size) ÷ \(base.growth.size)"])
        for subject in first.result.subjects {
            let cells = places.map { growthCell($0.result, subject.name) }
            let key = first.result.metrics[0].key
            let ratio = Summary.ratio(
                last.result.subject(subject.name)?.summary(key),
                to: base.result.subject(subject.name)?.summary(key)
            )
            table.rows.append([subject.name] + cells + [ratio.map { Number.fixed($0, digits: 2) } ?? "—"])
        }
        return ["", "## \(first.growth.title)", "", table.text].joined(separator: "\n")
    }

    /// Says below the table why a row has no figure, or fewer than there were rounds.
    private static func note(_ subject: SubjectResult) -> String? {
        guard let trouble = subject.trouble else { return nil }
        let rounds = trouble.kind == .failed ? " in \(subject.failures) of the rounds" : ""
        return "- \(subject.name): \(trouble.kind.rawValue)\(rounds): \(trouble.reason)"
    }

    /// Says so when the machine had something else to do meanwhile.
    private static func disturbance(_ result: MeasurementResult) -> String? {
        let others = result.subjects.flatMap(\.samples).compactMap { $0.values[Sample.othersKey] }
        guard let summary = Summary(others), summary.maximum > 0.2 else { return nil }
        let figures = [summary.median, summary.maximum].map { Number.fixed($0, digits: 2) }
        return "- Disturbed: other processes kept \(figures[0]) cores busy in the median run, and up to \(figures[1])."
    }

    private static func row(_ subject: SubjectResult, in result: MeasurementResult, hasDirect: Bool) -> [String] {
        guard !subject.samples.isEmpty else {
            return [subject.name, subject.trouble?.kind.rawValue ?? "not run"]
        }
        var cells = [subject.name]
        for (index, metric) in result.metrics.enumerated() {
            cells.append(subject.summary(metric.key).map { cell($0, metric) } ?? "—")
            if metric.isCompared { cells.append(ratio(result.ratioOfCompared(to: subject, metric))) }
            if index == 0 && hasDirect { cells.append(ratio(result.ratioToDirect(of: subject, metric))) }
            if metric.hasDifference && hasDirect {
                cells.append(result.differenceFromDirect(of: subject, metric).map(metric.format) ?? "—")
            }
        }
        return cells
    }

    private static func cell(_ summary: Summary, _ metric: Metric) -> String {
        let spread = "\(metric.format(summary.minimum))–\(metric.format(summary.maximum))"
        return "\(metric.format(summary.median)) (\(spread))"
    }

    private static func growthCell(_ result: MeasurementResult, _ name: String) -> String {
        let cells = result.metrics.compactMap { metric in
            result.subject(name)?.summary(metric.key).map { metric.format($0.median) }
        }
        return cells.isEmpty ? "—" : cells.joined(separator: "; ")
    }

    private static func ratio(_ value: Double?) -> String {
        value.map { Number.fixed($0, digits: 2) } ?? "—"
    }
}
