/// Says how likely a series of ports is under each class of allocators, in one range.
///
/// Each class is a model with few free numbers: how far a step goes, how often a counter begins anew, which parity ports
/// have. A small share of choices that do not fit is allowed to each, so that one odd packet decides nothing.
///
/// Complexity: O(n) in the number of choices, one logarithm a choice and class.
struct PortModels {
    /// Is the share of choices that may fall out of the range, out of the parity, out of the pattern.
    private enum Stray {
        static let range = 0.001
        static let parity = 0.005
        static let step = 0.03
        static let jump = 0.003
        static let count = 0.001
    }

    private let series: PortSeries
    private let range: PortRange
    /// Says that the range's bounds are known, and with them the parity of its first port.
    private let isBounded: Bool
    private let size: Double
    /// Is the parity of the first port of the range: that of `connect`; the other one is that of `bind`.
    private let parity: Int
    private var sums = Sums()

    /// Holds the logarithms of the likelihoods that are added up choice by choice.
    private struct Sums {
        var uniform = 0.0
        var bound = 0.0
        var lowerHalf = 0.0
        var connect = 0.0
        /// Is `connect` of Linux before 5.12, one counter behind a hash: others' flows make steps of any even length.
        var oneCounter = [Double](repeating: 0, count: PortModels.oneCounterShares.count)
        var localRange = 0.0
        /// Counts choices that begin a destination, and those outside the range.
        var firsts = 0
        var outside = 0
        var even = 0
        var flagged = 0
        var following = 0
        /// Counts steps by their length, in the order of all and within destinations; the place 0 holds the others.
        var merged = [Int](repeating: 0, count: PortModels.longestCount + 1)
        var within = [Int](repeating: 0, count: PortModels.longestCount + 1)
        var mergedBack = 0
        var withinBack = 0
        /// What a linear search from a random start gains over a random choice, were all ports kept.
        var randomStart = 0.0
    }

    /// Is the longest step that a counter of others' flows is believed to make.
    private static let longestCount = 512
    private static let skip = 256
    /// Are the shares of the counter's steps that a destination's next flow comes after.
    private static let oneCounterShares = [0.2, 0.08, 0.03]

    /// Holds the natural logarithm of the likelihood of each class.
    typealias Likelihoods = [PortAllocator: Double]

    /// Computes the likelihoods of a series that is in the order of time.
    ///
    /// - Parameters:
    ///   - series: the choices, 1 at least.
    ///   - range: where they are taken from.
    ///   - isBounded: whether the range's bounds are known, rather than estimated.
    static func likelihoods(_ series: PortSeries, in range: PortRange, isBounded: Bool) -> Likelihoods {
        var models = PortModels(series, range, isBounded: isBounded)
        models.addUp()
        return models.results()
    }

    /// Returns what a linear search from a random start gains in likelihood over a random choice, were all ports kept.
    ///
    /// Each choice has the chance of its own port's draw and of those of the run of used ports right before it.
    static func randomStartGain(_ series: PortSeries, in range: PortRange) -> Double {
        var runs = UsedRuns()
        var gain = 0.0
        for port in series.ports where range.contains(Int(port)) && !runs.isUsed(port) {
            gain += PortMath.ln(Double(1 + runs.length(before: port)))
            gain += PortMath.ln(Double(max(1, range.size - runs.used)) / Double(range.size))
            runs.use(port)
        }
        return gain
    }

    private init(_ series: PortSeries, _ range: PortRange, isBounded: Bool) {
        self.series = series
        self.range = range
        self.isBounded = isBounded
        size = Double(range.size)
        parity = range.low & 1
    }

    private mutating func addUp() {
        let bound = PortMeasuring.smallBound(range.size)
        var recent = [UInt16](repeating: 0, count: series.destinations.count * 4)
        var known = [UInt8](repeating: 0, count: series.destinations.count)
        var last = [Int](repeating: -1, count: series.destinations.count)
        var sums = Sums()
        // The parity of a range that is only estimated is what most ports have.
        let even = series.ports.count { $0 & 1 == 0 }
        let parities =
            isBounded ? (parity, 1 - parity) : even * 2 >= series.count ? (0, 0) : (1, 1)
        for index in 0..<series.count {
            let port = Int(series.ports[index])
            let isInside = range.contains(port)
            if !isInside { sums.outside += 1 }
            if port & 1 == 0 { sums.even += 1 }
            let away = isInside ? 1 - Stray.range : Stray.range * size / 64_512
            let fresh = away / size
            let likeConnect = fresh * 2 * (port & 1 == parities.0 ? 1 - Stray.parity : Stray.parity)
            let likeBind = fresh * 2 * (port & 1 == parities.1 ? 1 - Stray.parity : Stray.parity)
            sums.uniform += PortMath.ln(fresh)
            sums.bound += PortMath.ln(likeBind)
            sums.lowerHalf += PortMath.ln(likeBind * 2 * (range.lowerHalf.contains(port) ? 1 : Stray.parity))
            if index > 0 { Self.count(step(series.ports[index - 1], series.ports[index]), &sums.merged, &sums.mergedBack) }
            let destination = series.destination(index)
            let before = last[destination]
            let base = destination * 4
            if before >= 0 {
                let step = step(series.ports[before], series.ports[index])
                Self.count(step, &sums.within, &sums.withinBack)
                let jump = jumpChance(from: before, to: index)
                sums.connect += PortMath.ln((1 - jump) * Self.connectStep(step) + jump * likeConnect)
                for (place, share) in Self.oneCounterShares.enumerated() {
                    let counted = (1 - jump) * Self.oneCounterStep(step, share) + jump * likeConnect
                    sums.oneCounter[place] += PortMath.ln(counted)
                }
                sums.localRange += PortMath.ln((1 - jump) * Self.localStep(step) + jump * fresh)
                sums.following += 1
                let count = Int(known[destination])
                if (0..<count).contains(where: { isSmall(recent[base + $0], series.ports[index], bound) }) {
                    sums.flagged += 1
                }
            } else {
                sums.firsts += 1
                sums.connect += PortMath.ln(likeConnect)
                for place in Self.oneCounterShares.indices { sums.oneCounter[place] += PortMath.ln(likeConnect) }
                sums.localRange += PortMath.ln(fresh)
            }
            last[destination] = index
            for place in stride(from: 3, to: 0, by: -1) { recent[base + place] = recent[base + place - 1] }
            recent[base] = series.ports[index]
            known[destination] = min(4, known[destination] + 1)
        }
        self.sums = sums
    }

    private func step(_ from: UInt16, _ to: UInt16) -> Int { PortMeasuring.step(from, to, range.size) }

    private func isSmall(_ from: UInt16, _ to: UInt16, _ bound: Int) -> Bool {
        PortMeasuring.isSmall(step(from, to), bound)
    }

    /// Says how likely Linux has changed its key between two choices: every 10 s it does.
    private func jumpChance(from: Int, to: Int) -> Double {
        guard let then = series.time(from), let now = series.time(to) else { return 0.3 }
        return min(1, max(0, Double(now - then) / 10e9) + Stray.jump)
    }

    /// Is the chance of a step of Linux's `connect`: 2 times 1 to 8; past ports in use it is more.
    private static func connectStep(_ step: Int) -> Double {
        guard step & 1 == 0, step != 0 else { return 0 }
        if step >= 2, step <= 16 { return (1 - Stray.step) / 8 }
        return step >= -32 && step <= 2 * skip ? Stray.step / Double(skip + 8) : 0
    }

    /// Is the chance of an even step, geometric in its half.
    private static func oneCounterStep(_ step: Int, _ share: Double) -> Double {
        guard step & 1 == 0, step >= 2, step <= 4 * skip else { return 0 }
        return share * PortMath.e(Double(step / 2 - 1) * PortMath.ln(1 - share))
    }

    /// Is the chance of a step with IP_LOCAL_PORT_RANGE: 1 to 8.
    private static func localStep(_ step: Int) -> Double {
        guard step != 0 else { return 0 }
        if step >= 1, step <= 8 { return (1 - Stray.step) / 8 }
        return step >= -16 && step <= skip ? Stray.step / Double(skip + 8) : 0
    }

    private static func count(_ step: Int, _ counts: inout [Int], _ back: inout Int) {
        if step >= 1, step <= longestCount {
            counts[step] += 1
        } else if step < 0, step >= -16 {
            // Two flows whose packets or records have changed places.
            back += 1
        } else {
            counts[0] += 1
        }
    }
}

// What the sums come to
extension PortModels {
    private func results() -> Likelihoods {
        let fresh = -PortMath.ln(size)
        // Where bounds are estimated, so is the parity of the first: either was possible.
        let either = isBounded ? 0 : -PortMath.ln(2)
        return [
            .uniformRandom: sums.uniform,
            .oddBind: sums.bound + either,
            .lowerHalfBind: sums.lowerHalf + either,
            .linuxConnect: PortMath.logSum([sums.connect] + sums.oneCounter.map { $0 - PortMath.ln(10) }) + either,
            .linuxLocalRange: sums.localRange,
            .sequential: Self.counter(sums.merged, back: sums.mergedBack, fresh) + fresh + strays,
            .sequentialPerDestination: Self.counter(sums.within, back: sums.withinBack, fresh)
                + Double(sums.firsts) * fresh + strays,
            .sequentialRandomStart: randomStarts(fresh) + fresh + strays,
            .mixed: mixture + strays,
        ]
    }

    /// Is what the choices outside the range cost.
    private var strays: Double { Double(sums.outside) * PortMath.ln(Stray.range * size / 64_512) }

    /// Is the likelihood of the steps of a counter that others may use too: geometric, with any mean.
    private static func counter(_ counts: [Int], back: Int, _ fresh: Double) -> Double {
        // A counter whose steps nobody else sees is the likelier the fewer of them are missing.
        let shares = [(0.97, 0.6), (0.7, 0.2), (0.45, 0.18), (0.25, 0.01), (0.12, 0.01)]
        let variants = shares.map { share, prior in
            var sum = PortMath.ln(prior) + Double(counts[0]) * (PortMath.ln(Stray.count) + fresh)
            sum += Double(back) * PortMath.ln(Stray.count / 16)
            let (first, further) = (PortMath.ln((1 - 2 * Stray.count) * share), PortMath.ln(1 - share))
            for (step, count) in counts.enumerated() where step > 0 && count > 0 {
                sum += Double(count) * (first + Double(step - 1) * further)
            }
            return sum
        }
        return PortMath.logSum(variants)
    }

    /// Is the likelihood of runs of a counter that begin at random ports.
    private func randomStarts(_ fresh: Double) -> Double {
        var variants: [Double] = []
        for goesOn in [0.35, 0.5, 0.7] {
            for share in [0.97, 0.6] {
                var sum = Double(sums.merged[0] + sums.mergedBack) * (PortMath.ln(1 - goesOn) + fresh)
                for (step, count) in sums.merged.enumerated() where step > 0 && count > 0 {
                    let counted = goesOn * share * PortMath.e(Double(step - 1) * PortMath.ln(1 - share))
                    sum += Double(count) * PortMath.ln(counted + (1 - goesOn) / size)
                }
                variants.append(sum)
            }
        }
        return PortMath.logSum(variants) - PortMath.ln(Double(variants.count))
    }

    /// Is the likelihood of anything: any share of even ports, any share of small steps behind one of the last four.
    private var mixture: Double {
        let bound = Double(PortMeasuring.smallBound(range.size))
        let count = series.count
        return PortMath.logBeta(sums.even, count - sums.even)
            + PortMath.logBeta(sums.flagged, sums.following - sums.flagged)
            - Double(sums.flagged) * PortMath.ln(2 * bound)
            - Double(count - sums.flagged) * PortMath.ln(size / 2)
    }
}

/// Knows runs of ports that are in use.
private struct UsedRuns {
    /// Holds, for a used port, one of its run at or before it; the first of a run holds itself.
    private var before = [Int32](repeating: -1, count: 65_537)
    private(set) var used = 0

    func isUsed(_ port: UInt16) -> Bool { before[Int(port)] >= 0 }

    /// Counts the used ports right before one.
    mutating func length(before port: UInt16) -> Int {
        guard port > 0, isUsed(port - 1) else { return 0 }
        return Int(port) - first(Int(port) - 1)
    }

    mutating func use(_ port: UInt16) {
        let place = Int(port)
        used += 1
        before[place] = port > 0 && isUsed(port - 1) ? before[place - 1] : Int32(place)
        if before[place + 1] >= 0 { before[place + 1] = Int32(place) }
    }

    private mutating func first(_ place: Int) -> Int {
        var place = place
        while Int(before[place]) != place {
            before[place] = before[Int(before[place])]
            place = Int(before[place])
        }
        return place
    }
}
