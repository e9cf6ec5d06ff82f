import WeirEngine
public import WeirWire

/// The text form of reports on series of ports.
public struct PortsText: Sendable {
    private let color: Bool

    /// Creates a renderer; `color` sets the class in bold.
    public init(color: Bool = false) {
        self.color = color
    }

    /// Appends one report, in several lines.
    public func append(_ report: PortReport, to output: inout ByteBuffer) {
        let (verdict, statistics) = (report.verdict, report.statistics)
        output.append("\(report.key)\(side(report.key.side)): ")
        output.append(color ? "\u{1B}[1m\(verdict.allocator.rawValue)\u{1B}[0m" : verdict.allocator.rawValue)
        if verdict.allocator != .tooFew {
            output.append(", confidence \(PortReasons.decimal(verdict.confidence, places: 6))")
        }
        output.append(", " + PortReasons.count(statistics.samples, "sample"))
        output.append(", " + PortReasons.count(statistics.destinations, "destination"))
        if let seconds = statistics.seconds { output.append(" in \(PortReasons.decimal(seconds, places: 1)) s") }
        output.append("\n")
        line("because", verdict.reasons.joined(separator: "; "), &output)
        guard statistics.samples >= PortAnalysis.fewest || statistics.rangeSource == .given else { return }
        let source =
            switch statistics.rangeSource {
            case .given: "in force" + (statistics.rangeName.map { " (\($0))" } ?? "")
            case .assumed: "taken for it, " + (statistics.rangeName ?? "")
            case .estimated: "estimated"
            }
        line("range", "\(statistics.range), \(source); seen \(statistics.seen)", &output)
        guard statistics.samples >= PortAnalysis.fewest else { return }
        let spread =
            "deviation \(Int(statistics.deviation.rounded())), of a uniform choice's "
            + "\(PortReasons.decimal(statistics.relativeDeviation)); "
            + "chi-square \(PortReasons.decimal(statistics.chiSquare, places: 1)) (15 degrees, p "
            + "\(PortReasons.decimal(statistics.chiSquareP, places: 3))); serial correlation "
            + PortReasons.decimal(statistics.serialCorrelation)
        line("spread", spread, &output)
        let entropy = statistics.entropy
        line(
            "entropy",
            "\(PortReasons.decimal(entropy.bits)) of \(PortReasons.decimal(entropy.most)) bits in "
                + "\(PortReasons.count(entropy.bins, "bin")), corrected by \(PortReasons.decimal(entropy.bias))",
            &output
        )
        line("reuse", reuse(statistics.reuse), &output)
        for caveat in verdict.caveats { line("caveat", "\(caveat.rawValue): \(caveat.explanation)", &output) }
    }

    /// Returns a report in one sentence: `client 127.0.0.1 tcp: Linux connect(): even ports, +2 to +16, none twice`.
    func sentence(on report: PortReport) -> String {
        let (verdict, statistics) = (report.verdict, report.statistics)
        let subject = "\(report.key)\(side(report.key.side))"
        guard verdict.allocator != .tooFew else {
            guard statistics.samples >= PortAnalysis.fewest else {
                return "\(subject): too few to tell, \(statistics.samples) of \(PortAnalysis.fewest) at least"
            }
            let names = verdict.candidates.map(\.title).joined(separator: ", or ")
            return "\(subject): not told apart: \(names)"
        }
        var facts: [String] = []
        if statistics.evenLog10P < -3 {
            facts.append(statistics.evenShare > 0.5 ? "even ports" : "odd ports")
        }
        let steps = statistics.stepCounts.indices.filter { statistics.stepCounts[$0] > 0 }
        if statistics.smallShare > 0.5, let low = steps.first, let high = steps.last {
            facts.append(low == high ? "+\(low)" : "+\(low) to +\(high)")
        } else {
            facts.append("within \(statistics.seen)")
        }
        let reuse = statistics.reuse.count
        facts.append(reuse == 0 ? "none twice" : "\(PortReasons.count(reuse, "time")) one again")
        let name = color ? "\u{1B}[1m\(verdict.allocator.title)\u{1B}[0m" : verdict.allocator.title
        return "\(subject): \(name): \(facts.joined(separator: ", "))"
    }

    private func side(_ side: PortSide) -> String {
        switch side {
        case .direct: ""
        case .client: ", to the relay"
        case .egress: ", from the relay"
        }
    }

    private func reuse(_ reuse: PortStatistics.Reuse) -> String {
        let expected = PortReasons.decimal(reuse.expected, places: 1)
        var text = "\(PortReasons.count(reuse.count, "time")) a port came again, "
        text += "\(expected) expected of a uniform choice"
        if let fewest = reuse.fewestBetween, let median = reuse.medianBetween {
            text += "; after \(PortReasons.count(fewest, "choice")) at the least, \(median) in the median"
        }
        if let seconds = reuse.shortestSeconds { text += ", \(PortReasons.decimal(seconds, places: 3)) s" }
        return text
    }

    private func line(_ name: String, _ text: String, _ output: inout ByteBuffer) {
        output.append("  \(name)\(String(repeating: " ", count: max(1, 9 - name.count)))\(text)\n")
    }
}
