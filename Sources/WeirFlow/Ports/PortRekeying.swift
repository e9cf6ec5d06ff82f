/// Looks for the period in which an allocator begins anew: Linux hashes with a new key every 10 s.
///
/// Source: Linux net/ipv4/inet_hashtables.c, `inet_hash_connect`; net/core/secure_seq.c, `EPHEMERAL_PORT_SHUFFLE_PERIOD`.
enum PortRekeying {
    private static let period: Int64 = 10_000_000_000
    private static let phases = 200
    /// Bounds the steps that are looked at: what they tell does not get clearer.
    private static let mostSteps = 4000

    private struct Step { var from: Int64; var to: Int64 }

    /// Tells which phase explains the jumps best; nil where fewer than two jumps have times, or most steps are jumps.
    static func find(_ series: PortSeries, size: Int, bound: Int) -> PortStatistics.Rekeying? {
        var (jumps, smalls): ([Step], [Step]) = ([], [])
        var last = [Int](repeating: -1, count: series.destinations.count)
        for index in 0..<series.count {
            let destination = series.destination(index)
            defer { last[destination] = index }
            let before = last[destination]
            guard before >= 0, let from = series.time(before), let to = series.time(index), to > from else { continue }
            let step = PortMeasuring.step(series.ports[before], series.ports[index], size)
            if PortMeasuring.isSmall(step, bound) {
                if smalls.count < mostSteps { smalls.append(Step(from: from, to: to)) }
            } else if to - from < period {
                jumps.append(Step(from: from, to: to))
                if jumps.count == mostSteps { break }
            }
        }
        guard jumps.count >= 2, jumps.count < smalls.count else { return nil }
        var best = PortStatistics.Rekeying()
        var score = Int.min
        for number in 0..<phases {
            let phase = Int64(number) * period / Int64(phases)
            let explained = jumps.count { crosses($0, phase) }
            let contradicting = smalls.count { crosses($0, phase) }
            guard explained - contradicting > score else { continue }
            score = explained - contradicting
            best.phase = Double(phase) / 1e9
            (best.explained, best.contradicting) = (explained, contradicting)
        }
        best.jumps = jumps.count
        let chance = jumps.reduce(0.0) { $0 + Double($1.to - $1.from) / Double(period) } / Double(jumps.count)
        // As many phases were tried as there are: each of them could have fitted by chance.
        let log = PortMath.logTail(best.explained, of: jumps.count, min(1, chance)) + PortMath.ln(Double(phases))
        best.log10P = min(0, log / PortMath.ln(10))
        return best
    }

    private static func crosses(_ step: Step, _ phase: Int64) -> Bool {
        (step.to - phase) / period != (step.from - phase) / period
    }
}
