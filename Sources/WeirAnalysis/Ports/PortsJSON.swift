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
        let verdict = report.verdict
        output.appendJSONLine { json in
            json.member("client", report.key.client)
            json.member("transport", report.key.transport)
            json.member("side", report.key.side.rawValue)
            json.member("class", verdict.allocator.rawValue)
            json.member("confidence", number(verdict.confidence))
            json.member("samples", report.statistics.samples)
            json.member("candidates", verdict.candidates.map(\.rawValue))
            json.member("reasons", verdict.reasons)
            json.member("caveats", verdict.caveats.map(\.rawValue))
            json.object("statistics") { append(report.statistics, to: &$0) }
        }
    }

    private func append(_ statistics: PortStatistics, to json: inout JSONWriter) {
        json.member("destinations", statistics.destinations)
        json.member("distinct_ports", statistics.distinctPorts)
        json.member("seconds", number(statistics.seconds))
        json.member("lowest", statistics.seen.low)
        json.member("highest", statistics.seen.high)
        json.member("corrected_low", statistics.corrected.low)
        json.member("corrected_high", statistics.corrected.high)
        json.member("range_low", statistics.range.low)
        json.member("range_high", statistics.range.high)
        json.member("range_source", statistics.rangeSource.rawValue)
        json.member("range_name", statistics.rangeName)
        json.member("even_share", number(statistics.evenShare))
        json.member("even_log10_p", number(statistics.evenLog10P))
        json.member("small_bound", statistics.smallBound)
        json.member("steps", statistics.steps)
        json.member("small_share", number(statistics.smallShare))
        json.member("merged_small_share", number(statistics.mergedSmallShare))
        json.member("chained_share", number(statistics.chainedShare))
        json.member("jumps", statistics.jumps)
        json.object("step_counts") { json in
            for (step, count) in statistics.stepCounts.enumerated() where count > 0 {
                json.member(named: "\(step)", count)
            }
        }
        append(statistics.rekeying, to: &json)
        json.member("deviation", number(statistics.deviation))
        json.member("relative_deviation", number(statistics.relativeDeviation))
        json.member("chi_square_16", number(statistics.chiSquare))
        json.member("chi_square_p", number(statistics.chiSquareP))
        json.member("serial_correlation", number(statistics.serialCorrelation))
        appendUse(statistics, to: &json)
    }

    private func append(_ rekeying: PortStatistics.Rekeying?, to json: inout JSONWriter) {
        guard let rekeying else { return json.member("rekeying", nil as Int?) }
        json.object("rekeying") { json in
            json.member("period", number(rekeying.period))
            json.member("phase", number(rekeying.phase))
            json.member("jumps", rekeying.jumps)
            json.member("explained", rekeying.explained)
            json.member("contradicting", rekeying.contradicting)
            json.member("log10_p", number(rekeying.log10P))
        }
    }

    private func appendUse(_ statistics: PortStatistics, to json: inout JSONWriter) {
        let (entropy, reuse) = (statistics.entropy, statistics.reuse)
        json.object("entropy") { json in
            json.member("bins", entropy.bins)
            json.member("bits", number(entropy.bits))
            json.member("most_bits", number(entropy.most))
            json.member("bias_bits", number(entropy.bias))
        }
        json.object("reuse") { json in
            json.member("count", reuse.count)
            json.member("expected", number(reuse.expected))
            json.member("fewest_between", reuse.fewestBetween)
            json.member("median_between", reuse.medianBetween)
            json.member("shortest_seconds", number(reuse.shortestSeconds))
        }
    }

    /// Returns a number with at most six decimal places; nil if there is none, or it is not finite, as JSON has only
    /// finite ones.
    private func number(_ value: Double?) -> JSONNumber? {
        guard let value, value.isFinite else { return nil }
        return JSONNumber(
            abs(value) < 1e9 ? PortReasons.decimal(value, places: 6) : "\(Int64(min(abs(value), 9e18)))"
        )
    }
}
