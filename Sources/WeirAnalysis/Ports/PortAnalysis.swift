public import WeirEngine
import WeirWire

/// The analysis that measures series of ports, and names the allocators that chose them.
///
/// The verdict is the class whose model makes the ports most likely, if all other classes together have a share of less
/// than 1 in 100,000; else no class is named, and those that cannot be told apart are listed. The analysis claims no
/// more than that: the models are those of `PortAllocator`, and any other allocator is `mixed` or close to one of them.
///
/// Source: RFC 6056, RFC 9415; the signatures were measured on Linux 6.18.
public enum PortAnalysis {
    /// The minimum number of choices for a verdict.
    public static let fewest = 8
    /// The maximum share of the likelihood for all other classes together.
    static let doubt = 1e-5

    /// Measures a series and names its class.
    ///
    /// - Parameters:
    ///   - series: the choices.
    ///   - range: the range in force, if it is known.
    /// - Returns: the statistics with the verdict.
    public static func report(_ series: PortSeries, range: PortRange? = nil) -> PortReport {
        report(series, range: range, named: nil)
    }

    /// Measures a series and names its class.
    ///
    /// - Parameters:
    ///   - series: the choices.
    ///   - known: the range in force with the name of what set it, if it is known.
    /// - Returns: the statistics with the verdict.
    public static func report(_ series: PortSeries, known: PortRange.Known?) -> PortReport {
        report(series, range: known?.range, named: known?.name)
    }

    private static func report(_ series: PortSeries, range: PortRange?, named name: String?) -> PortReport {
        let series = series.sorted()
        let candidates = ranges(for: series, given: range, named: name)
        guard series.count >= fewest else {
            let best = candidates[0]
            let statistics = PortMeasuring.measure(series, in: best.range, best.source, name: best.name)
            var verdict = PortVerdict(.tooFew, confidence: 0)
            verdict.reasons = ["\(PortReasons.count(series.count, "sample")) of \(fewest) at least"]
            if series.key.side == .client { verdict.caveats = [.throughARelay] }
            return PortReport(key: series.key, statistics: statistics, verdict: verdict)
        }
        let posterior = Posterior(series, candidates)
        let statistics = PortMeasuring.measure(
            series,
            in: posterior.range.range,
            posterior.range.source,
            name: posterior.range.name
        )
        let verdict = verdict(posterior, statistics, series)
        return PortReport(key: series.key, statistics: statistics, verdict: verdict)
    }

    /// Measures every series of a table.
    ///
    /// - Parameters:
    ///   - table: the series.
    ///   - range: the range in force for all of them, if it is known.
    /// - Returns: one report for each series, in the table's order.
    public static func reports(_ table: PortTable, range: PortRange? = nil) -> [PortReport] {
        table.series.map { report($0, range: range) }
    }

    // MARK: - Ranges

    /// A range that may be the one in force.
    struct Candidate {
        var range: PortRange
        var source: PortRangeSource
        var name: String?
        /// The natural logarithm of its prior probability, before any port is seen.
        var prior: Double
    }

    /// Returns the possible ranges, at least one.
    static func ranges(for series: PortSeries, given: PortRange?, named name: String? = nil) -> [Candidate] {
        let inside = { (range: PortRange) in series.ports.count { range.contains(Int($0)) } }
        // An estimated range has two free parameters, each with 64,512 possible values.
        let free = -2 * PortMath.ln(64_512)
        let own = Candidate(range: PortMeasuring.corrected(series), source: .estimated, prior: free)
        if let given {
            let known = Candidate(range: given, source: .given, name: name, prior: 0)
            return inside(given) * 50 >= series.count * 49 ? [known] : [known, own]
        }
        let fitting = PortRange.known.filter { inside($0.range) * 100 >= series.count * 99 }.map {
            Candidate(range: $0.range, source: .assumed, name: $0.name, prior: 0)
        }
        // With many ports, the wider of two ranges is never the likelier one.
        let tight = fitting.filter { wide in
            series.count < 64 || !fitting.contains { $0.range != wide.range && wide.range.contains($0.range) }
        }
        return tight + [own]
    }

    // MARK: - The verdict

    private static func verdict(
        _ posterior: Posterior,
        _ statistics: PortStatistics,
        _ series: PortSeries
    ) -> PortVerdict {
        let ranking = posterior.ranking
        var verdict: PortVerdict
        if posterior.doubt < doubt {
            verdict = PortVerdict(ranking[0].allocator, confidence: min(0.999_999, 1 - posterior.doubt))
            if verdict.allocator == .uniformRandom, isRandomStart(series, posterior.range.range) {
                verdict.allocator = .sequentialRandomStart
            }
        } else {
            verdict = PortVerdict(.tooFew, confidence: min(0.999_999, ranking[0].share))
            verdict.candidates = ranking.filter { $0.share > 0.001 }.map(\.allocator)
            if verdict.candidates.count < 2 { verdict.candidates = ranking.prefix(2).map(\.allocator) }
        }
        verdict.reasons = PortReasons.reasons(verdict, statistics)
        verdict.caveats = PortReasons.caveats(verdict, statistics, series)
        return verdict
    }

    /// Returns whether ports lie directly after used ones so often that a search from a random start found them.
    private static func isRandomStart(_ series: PortSeries, _ range: PortRange) -> Bool {
        UsedRuns.gain(series, in: range) > -PortMath.ln(doubt)
    }
}

/// The posterior shares of the classes, by their likelihoods in all possible ranges.
struct Posterior {
    /// The classes with their shares, the greatest first.
    private(set) var ranking: [(allocator: PortAllocator, share: Double)] = []
    /// The range that the first class fits best.
    private(set) var range: PortAnalysis.Candidate
    /// The share of all classes but the first.
    var doubt: Double { ranking.dropFirst().reduce(0) { $0 + $1.share } }

    /// The natural logarithm of the prior of a mixture, relative to the other classes.
    private static let mixedPrior = -12.0
    private static let ofLinux: Set<PortAllocator> = [.linuxConnect, .linuxLocalRange, .oddBind, .lowerHalfBind]
    /// The classes that apply to UDP: the others are about connections.
    private static let ofUDP: Set<PortAllocator> = [
        .sequential, .sequentialPerDestination, .sequentialRandomStart, .uniformRandom, .mixed,
    ]

    init(_ series: PortSeries, _ candidates: [PortAnalysis.Candidate]) {
        var terms: [PortAllocator: [Double]] = [:]
        var best: [PortAllocator: (value: Double, candidate: Int)] = [:]
        func add(_ allocator: PortAllocator, _ value: Double, _ candidate: Int) {
            terms[allocator, default: []].append(value)
            if value > best[allocator]?.value ?? -.infinity { best[allocator] = (value, candidate) }
        }
        for (number, candidate) in candidates.enumerated() {
            let isBounded = candidate.source != .estimated
            let values = PortModels.likelihoods(series, in: candidate.range, isBounded: isBounded)
            for (allocator, value) in values where series.key.transport == .tcp || Self.ofUDP.contains(allocator) {
                add(allocator, value + candidate.prior + (allocator == .mixed ? Self.mixedPrior : 0), number)
            }
            // Ports that fill an estimated range may be the lower half of a range twice as wide.
            if !isBounded, series.key.transport == .tcp, let bound = values[.oddBind] {
                add(.lowerHalfBind, bound + candidate.prior, number)
            }
        }
        let sums = PortAllocator.named.compactMap { allocator in
            terms[allocator].map { (allocator: allocator, value: PortMath.logSum($0)) }
        }
        let whole = PortMath.logSum(sums.map(\.value))
        ranking = sums.map { (allocator: $0.allocator, share: PortMath.e($0.value - whole)) }
            .sorted { $0.share > $1.share }
        let first = ranking.first?.allocator
        range = candidates[first.flatMap { best[$0]?.candidate } ?? 0]
        // A counter reveals little about its range: for Linux's classes, Linux's default range is assumed.
        if let first, Self.ofLinux.contains(first), range.source == .assumed,
            let own = candidates.first(where: { $0.name == PortRange.known[0].name })
        {
            range = own
        }
    }
}
