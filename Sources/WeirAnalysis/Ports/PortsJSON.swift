import WeirEngine
public import WeirWire

/// The JSON form of reports on series of ports, one object each.
///
/// A key keeps its meaning forever; new keys may follow the others.
///
/// Keys, in this order: `client`, `transport`, `side` (`direct`, `client`, `egress`), `class`, `confidence`, `samples`,
/// `candidates` (classes that cannot be told apart), `reasons`, `caveats`, `statistics`. Source: RFC 8259.
public struct PortsJSON: Sendable {
    /// Creates a renderer.
    public init() {}

    /// Appends one object and a line feed.
    public func append(_ report: PortReport, to output: inout ByteBuffer) {
        output.append("{\"client\":\"")
        report.key.client.write(to: &output)
        output.append("\",\"transport\":\"\(report.key.transport)\",\"side\":\"\(report.key.side.rawValue)\"")
        let verdict = report.verdict
        output.append(",\"class\":\"\(verdict.allocator.rawValue)\",\"confidence\":\(number(verdict.confidence))")
        output.append(",\"samples\":\(report.statistics.samples)")
        output.append(",\"candidates\":\(list(verdict.candidates.map(\.rawValue)))")
        output.append(",\"reasons\":\(list(verdict.reasons))")
        output.append(",\"caveats\":\(list(verdict.caveats.map(\.rawValue)))")
        output.append(",\"statistics\":")
        append(report.statistics, to: &output)
        output.append("}\n")
    }

    private func append(_ statistics: PortStatistics, to output: inout ByteBuffer) {
        output.append("{\"destinations\":\(statistics.destinations),\"distinct_ports\":\(statistics.distinctPorts)")
        output.append(",\"seconds\":\(optional(statistics.seconds))")
        output.append(",\"lowest\":\(statistics.seen.low),\"highest\":\(statistics.seen.high)")
        output.append(",\"corrected_low\":\(statistics.corrected.low),\"corrected_high\":\(statistics.corrected.high)")
        output.append(",\"range_low\":\(statistics.range.low),\"range_high\":\(statistics.range.high)")
        output.append(",\"range_source\":\"\(statistics.rangeSource.rawValue)\"")
        output.append(",\"range_name\":" + (statistics.rangeName.map { quoted($0) } ?? "null"))
        output.append(",\"even_share\":\(number(statistics.evenShare))")
        output.append(",\"even_log10_p\":\(number(statistics.evenLog10P))")
        output.append(",\"small_bound\":\(statistics.smallBound),\"steps\":\(statistics.steps)")
        output.append(",\"small_share\":\(number(statistics.smallShare))")
        output.append(",\"merged_small_share\":\(number(statistics.mergedSmallShare))")
        output.append(",\"chained_share\":\(number(statistics.chainedShare)),\"jumps\":\(statistics.jumps)")
        let counts = statistics.stepCounts.enumerated().filter { $0.element > 0 }
        output.append(
            ",\"step_counts\":{" + counts.map { "\"\($0.offset)\":\($0.element)" }.joined(separator: ",") + "}"
        )
        output.append(",\"rekeying\":" + (statistics.rekeying.map { rekeying($0) } ?? "null"))
        output.append(",\"deviation\":\(number(statistics.deviation))")
        output.append(",\"relative_deviation\":\(number(statistics.relativeDeviation))")
        output.append(
            ",\"chi_square_16\":\(number(statistics.chiSquare)),\"chi_square_p\":\(number(statistics.chiSquareP))"
        )
        output.append(",\"serial_correlation\":\(number(statistics.serialCorrelation))")
        let entropy = statistics.entropy
        output.append(",\"entropy\":{\"bins\":\(entropy.bins),\"bits\":\(number(entropy.bits))")
        output.append(",\"most_bits\":\(number(entropy.most)),\"bias_bits\":\(number(entropy.bias))}")
        let reuse = statistics.reuse
        output.append(",\"reuse\":{\"count\":\(reuse.count),\"expected\":\(number(reuse.expected))")
        output.append(",\"fewest_between\":\(reuse.fewestBetween.map { "\($0)" } ?? "null")")
        output.append(",\"median_between\":\(reuse.medianBetween.map { "\($0)" } ?? "null")")
        output.append(",\"shortest_seconds\":\(optional(reuse.shortestSeconds))}}")
    }

    private func rekeying(_ found: PortStatistics.Rekeying) -> String {
        "{\"period\":\(number(found.period)),\"phase\":\(number(found.phase)),\"jumps\":\(found.jumps)"
            + ",\"explained\":\(found.explained),\"contradicting\":\(found.contradicting)"
            + ",\"log10_p\":\(number(found.log10P))}"
    }

    private func optional(_ value: Double?) -> String { value.map { number($0) } ?? "null" }

    /// Returns a number with at most six decimal places, or null: JSON has only finite numbers.
    private func number(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        return abs(value) < 1e9 ? PortReasons.decimal(value, places: 6) : "\(Int64(min(abs(value), 9e18)))"
    }

    private func list(_ texts: [String]) -> String { "[" + texts.map { quoted($0) }.joined(separator: ",") + "]" }

    /// Returns one of Weir's own texts, which have no control characters, in quotes.
    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
