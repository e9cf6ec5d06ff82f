import WeirEngine

/// The reasons for a verdict, and its caveats, in words.
enum PortReasons {
    static func reasons(_ verdict: PortVerdict, _ statistics: PortStatistics) -> [String] {
        var reasons: [String] = []
        if verdict.allocator == .tooFew {
            reasons.append("not told apart: " + verdict.candidates.map(\.rawValue).joined(separator: ", "))
        }
        let even = statistics.evenShare
        if statistics.evenLog10P < -3 {
            let power = Int(statistics.evenLog10P.rounded())
            reasons.append(
                "\(percent(max(even, 1 - even))) of ports are \(even > 0.5 ? "even" : "odd"), by chance 1 in 10^\(-power)"
            )
        } else {
            reasons.append("both parities, \(percent(even)) even")
        }
        if statistics.steps > 0 {
            reasons.append(
                "\(percent(statistics.smallShare)) of steps within a destination lead 1 to \(statistics.smallBound) forward"
                    + (statistics.destinations > 1
                        ? ", \(percent(statistics.mergedSmallShare)) in the order of all" : "")
            )
        }
        if let steps = steps(statistics) { reasons.append("small steps: \(steps)") }
        if let rekeying = statistics.rekeying, rekeying.log10P < -3 {
            reasons.append(
                "\(rekeying.explained) of \(rekeying.jumps) jumps keep to a period of 10 s, at \(decimal(rekeying.phase)) s of it"
            )
        }
        let spread = "spread \(decimal(statistics.relativeDeviation)) of a uniform choice's"
        reasons.append(statistics.rangeSource == .given ? "\(spread) from \(statistics.range)" : spread)
        return reasons
    }

    /// Returns the most frequent small steps: `2 (11%), 4 (13%)`.
    private static func steps(_ statistics: PortStatistics) -> String? {
        let small = statistics.steps - statistics.jumps
        guard small * 10 > statistics.steps else { return nil }
        let counts = statistics.stepCounts.enumerated().filter { $0.element > 0 }
        let shown = counts.sorted { ($0.element, -$0.offset) > ($1.element, -$1.offset) }.prefix(9)
            .sorted { $0.offset < $1.offset }
        let list = shown.map { "\($0.offset) (\(percent(Double($0.element) / Double(small))))" }
        return list.joined(separator: ", ") + (counts.count > shown.count ? ", and others" : "")
    }

    static func caveats(
        _ verdict: PortVerdict,
        _ statistics: PortStatistics,
        _ series: PortSeries
    ) -> [PortCaveat] {
        var caveats: [PortCaveat] = []
        if series.key.side == .client { caveats.append(.throughARelay) }
        if isShared(verdict, statistics) { caveats.append(.natSuspected) }
        switch statistics.rangeSource {
        case .assumed: caveats.append(.rangeAssumed)
        case .estimated: caveats.append(.rangeEstimated)
        case .given: break
        }
        if statistics.destinations == 1 { caveats.append(.oneDestination) }
        let quick = quickSteps(series)
        switch verdict.allocator {
        case .linuxConnect, .oddBind, .lowerHalfBind, .linuxLocalRange:
            if quick == 0 { caveats.append(.parityAlone) }
        default: break
        }
        if quick > 0, quick * 2 < statistics.steps { caveats.append(.slowSteps) }
        if statistics.seconds == nil { caveats.append(.noTimes) }
        if verdict.allocator == .uniformRandom { caveats.append(.randomStartPossible) }
        if verdict.allocator == .oddBind || verdict.allocator == .lowerHalfBind { caveats.append(.boundByCaller) }
        return caveats
    }

    /// Returns whether several allocators seem to share the address: several counters side by side.
    private static func isShared(_ verdict: PortVerdict, _ statistics: PortStatistics) -> Bool {
        if verdict.allocator == .mixed { return true }
        return statistics.steps >= 8 && statistics.chainedShare > statistics.smallShare + 0.2
    }

    /// Returns the number of steps within destinations that took less than 10 s.
    private static func quickSteps(_ series: PortSeries) -> Int {
        var last = [Int](repeating: -1, count: series.destinations.count)
        var quick = 0
        for index in 0..<series.count {
            let destination = series.destination(index)
            if last[destination] >= 0, let then = series.time(last[destination]), let now = series.time(index),
                now - then < 10_000_000_000
            {
                quick += 1
            }
            last[destination] = index
        }
        return quick
    }

    /// Returns a number with its noun: `1 sample`, `8 samples`.
    static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// Returns a percentage: `87%`, `0.4%`.
    static func percent(_ share: Double) -> String {
        let value = share * 100
        if value > 0, value < 1 { return "\(decimal(value, places: 1))%" }
        return value < 100 && value > 99 ? "\(decimal(value, places: 1))%" : "\(Int(value.rounded()))%"
    }

    /// Returns a number with a fixed number of decimal places.
    static func decimal(_ value: Double, places: Int = 2) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let scale = (0..<places).reduce(1) { product, _ in product * 10 }
        let whole = Int((abs(value) * Double(scale)).rounded())
        let digits = String(whole % scale)
        let padding = String(repeating: "0", count: max(0, places - digits.count))
        return (value < 0 && whole > 0 ? "-" : "") + (places > 0 ? "\(whole / scale).\(padding)\(digits)" : "\(whole)")
    }
}
