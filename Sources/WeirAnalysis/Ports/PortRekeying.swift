/// A search for the period after which an allocator restarts: Linux hashes with a new key every 10 s.
///
/// Source: Linux net/ipv4/inet_hashtables.c, `inet_hash_connect`; net/core/secure_seq.c,
/// `EPHEMERAL_PORT_SHUFFLE_PERIOD`.
enum PortRekeying {
    private static let period: Int64 = 10_000_000_000
    private static let phases = 10_000
    /// The distance between phases: 1 ms, small enough for one to lie in the overlap of two steps.
    private static let grain = period / Int64(phases)
    /// The maximum number of steps that are examined: more would not make the result clearer.
    private static let mostSteps = 4000

    private struct Step { var from: Int64; var to: Int64 }

    /// Returns the phase that explains the jumps best; nil if fewer than two jumps have times, or most steps are jumps.
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
        let (explained, contradicting) = (crossings(jumps), crossings(smalls))
        for phase in 0..<phases where explained[phase] - contradicting[phase] > score {
            score = explained[phase] - contradicting[phase]
            best.phase = Double(Int64(phase) * grain) / 1e9
            (best.explained, best.contradicting) = (explained[phase], contradicting[phase])
        }
        best.jumps = jumps.count
        let chance = jumps.reduce(0.0) { $0 + Double($1.to - $1.from) / Double(period) } / Double(jumps.count)
        // Each phase that was tried could fit by chance; phases in the same steps count as one, but at least 200 count
        // in all.
        let tried = max(200, min(Double(phases), 1 / max(chance, 1e-9)))
        let log = PortMath.logTail(best.explained, of: jumps.count, min(1, chance)) + PortMath.ln(tried)
        best.log10P = min(0, log / PortMath.ln(10))
        return best
    }

    /// Returns, for each phase, the number of steps in which a period of that phase begins.
    private static func crossings(_ steps: [Step]) -> [Int] {
        // The phases of a step are a run, so it is enough to note the changes from phase to phase.
        var changes = [Int](repeating: 0, count: phases + 1)
        var everywhere = 0
        for step in steps {
            let (from, to) = (floor(step.from), floor(step.to))
            guard to - from < phases else {
                everywhere += 1
                continue
            }
            guard to > from else { continue }
            let (first, last) = (phase(from + 1), phase(to))
            changes[first] += 1
            changes[last + 1] -= 1
            if last < first { everywhere += 1 }
        }
        var sum = everywhere
        return changes.dropLast().map { change in
            sum += change
            return sum
        }
    }

    private static func floor(_ time: Int64) -> Int { Int((time >= 0 ? time : time - grain + 1) / grain) }

    private static func phase(_ number: Int) -> Int { (number % phases + phases) % phases }
}
