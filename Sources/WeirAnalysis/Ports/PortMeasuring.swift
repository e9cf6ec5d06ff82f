import WeirEngine

/// The measurement of a series of ports in a range.
///
/// Complexity: O(n) in the number of choices, in a few passes; up to 1 MB of memory.
struct PortMeasuring {
    private let series: PortSeries
    private var result = PortStatistics()
    /// The number of a destination's last ports that are compared with the next one for a small step.
    private static let chain = 4

    /// Measures a series that is in the order of time.
    static func measure(
        _ series: PortSeries,
        in range: PortRange,
        _ source: PortRangeSource,
        name: String?
    ) -> PortStatistics {
        var measuring = PortMeasuring(series: series)
        measuring.result.range = range
        measuring.result.rangeSource = source
        measuring.result.rangeName = name
        guard series.count > 0 else { return measuring.result }
        measuring.measureCounts()
        measuring.measureSteps()
        measuring.measureSpread()
        measuring.measureReuse()
        return measuring.result
    }

    private init(series: PortSeries) {
        self.series = series
    }

    private mutating func measureCounts() {
        let ports = series.ports
        result.samples = ports.count
        result.destinations = series.destinations.count
        result.seen = Self.seen(series)
        result.corrected = Self.corrected(series)
        let even = ports.count { $0 & 1 == 0 }
        result.evenShare = Double(even) / Double(ports.count)
        result.evenLog10P = PortMath.log10CoinTail(even, of: ports.count)
        if let first = series.time(0), let last = series.time(ports.count - 1) {
            result.seconds = Double(last - first) / 1e9
        }
    }

    /// Returns the range from the lowest port of a series to the highest.
    static func seen(_ series: PortSeries) -> PortRange {
        PortRange(Int(series.ports.min() ?? 0), Int(series.ports.max() ?? 0))
    }

    /// Returns the probable range: the seen one, widened by the mean gap at both ends.
    static func corrected(_ series: PortSeries) -> PortRange {
        let seen = seen(series)
        guard series.count > 1 else { return seen }
        let gap = (seen.high - seen.low) / (series.count - 1)
        return PortRange(max(1, seen.low - gap), seen.high + gap)
    }

    /// Returns the largest small step in a range of some size, in ports.
    static func smallBound(_ size: Int) -> Int { min(64, max(8, size / 8)) }

    private mutating func measureSteps() {
        let bound = Self.smallBound(result.range.size)
        result.smallBound = bound
        var counts = [Int](repeating: 0, count: bound + 1)
        var (mergedSmall, chained, behind) = (0, 0, 0)
        var recent = [UInt16](repeating: 0, count: series.destinations.count * Self.chain)
        var known = [UInt8](repeating: 0, count: series.destinations.count)
        let size = result.range.size
        for index in 0..<series.count {
            let port = series.ports[index]
            let destination = series.destination(index)
            if index > 0, Self.isSmall(Self.step(series.ports[index - 1], port, size), bound) { mergedSmall += 1 }
            let base = destination * Self.chain
            let count = Int(known[destination])
            if count > 0 {
                result.steps += 1
                let step = Self.step(recent[base], port, size)
                if Self.isSmall(step, bound) { counts[step] += 1 } else { result.jumps += 1 }
                behind += 1
                if (0..<count).contains(where: { Self.isSmall(Self.step(recent[base + $0], port, size), bound) }) {
                    chained += 1
                }
            }
            for place in stride(from: Self.chain - 1, to: 0, by: -1) { recent[base + place] = recent[base + place - 1] }
            recent[base] = port
            known[destination] = UInt8(min(Self.chain, count + 1))
        }
        result.stepCounts = counts
        result.smallShare = Self.share(result.steps - result.jumps, of: result.steps)
        result.mergedSmallShare = Self.share(mergedSmall, of: series.count - 1)
        result.chainedShare = Self.share(chained, of: behind)
        result.rekeying = PortRekeying.find(series, size: size, bound: bound)
    }

    private static func share(_ part: Int, of whole: Int) -> Double { whole > 0 ? Double(part) / Double(whole) : 0 }

    /// Returns the step from one port to the next, modulo the range's size: from minus one half of it to one half.
    static func step(_ from: UInt16, _ to: UInt16, _ size: Int) -> Int {
        let step = Int(to) - Int(from)
        if step > size / 2 { return step - size }
        return step <= -(size + 1) / 2 ? step + size : step
    }

    static func isSmall(_ step: Int, _ bound: Int) -> Bool { step > 0 && step <= bound }

    private mutating func measureSpread() {
        let (ports, range) = (series.ports, result.range)
        let count = Double(ports.count)
        let mean = ports.reduce(0.0) { $0 + Double($1) } / count
        var (squares, products) = (0.0, 0.0)
        var before = 0.0
        var bins = [Int](repeating: 0, count: 16)
        for (index, port) in ports.enumerated() {
            let away = Double(port) - mean
            squares += away * away
            if index > 0 { products += away * before }
            before = away
            bins[Self.bin(Int(port), range, 16)] += 1
        }
        result.deviation = ports.count > 1 ? (squares / (count - 1)).squareRoot() : 0
        result.relativeDeviation = result.deviation / (Double(range.size) / 12.0.squareRoot())
        result.serialCorrelation = squares > 0 ? products / squares : 0
        let expected = count / 16
        result.chiSquare = bins.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        result.chiSquareP = PortMath.chiSquareTail(result.chiSquare, degrees: 15)
        measureEntropy()
    }

    static func bin(_ port: Int, _ range: PortRange, _ bins: Int) -> Int {
        min(bins - 1, max(0, (port - range.low) * bins / range.size))
    }

    private mutating func measureEntropy() {
        let most = min(256, series.count / 5, result.range.size)
        var count = 1
        while count * 2 <= most { count *= 2 }
        var bins = [Int](repeating: 0, count: count)
        for port in series.ports { bins[Self.bin(Int(port), result.range, count)] += 1 }
        let samples = Double(series.count)
        let plain = bins.reduce(0.0) { sum, bin in
            bin == 0 ? sum : sum - Double(bin) / samples * PortMath.log2(Double(bin) / samples)
        }
        let occupied = bins.count { $0 > 0 }
        let bias = Double(occupied - 1) / (2 * samples * PortMath.ln(2))
        result.entropy.bins = count
        result.entropy.bias = bias
        result.entropy.bits = min(result.entropy.most, plain + bias)
    }

    private mutating func measureReuse() {
        var lastUse = LastUse(of: series.count)
        // The number of reuses for each distance in choices: sorting a million of them would take long.
        var between = [Int32](repeating: 0, count: series.count)
        var shortest = Int64.max
        for (index, port) in series.ports.enumerated() {
            if let last = lastUse.replace(port, by: index) {
                between[index - last] += 1
                result.reuse.count += 1
                if let now = series.time(index), let then = series.time(last) { shortest = min(shortest, now - then) }
            } else {
                result.distinctPorts += 1
            }
        }
        let size = Double(result.range.size)
        // Each choice meets a given other one with a probability of one in the range's size.
        let distinct = size * (1 - PortMath.e(Double(series.count) * PortMath.ln(1 - 1 / max(2, size))))
        result.reuse.expected = max(0, Double(series.count) - distinct)
        guard result.reuse.count > 0 else { return }
        result.reuse.fewestBetween = between.firstIndex { $0 > 0 }
        var left = result.reuse.count / 2
        result.reuse.medianBetween = between.firstIndex { count in
            left -= Int(count)
            return left < 0
        }
        if shortest != .max { result.reuse.shortestSeconds = Double(shortest) / 1e9 }
    }
}

/// The last use of each port: for many choices in a table, which takes 256 KB.
private struct LastUse {
    private var table: [Int32]
    private var few: [UInt16: Int32] = [:]

    init(of count: Int) {
        table = count > 2048 ? [Int32](repeating: -1, count: 1 << 16) : []
    }

    /// Notes a use, and returns the one before.
    mutating func replace(_ port: UInt16, by index: Int) -> Int? {
        guard !table.isEmpty else { return few.updateValue(Int32(index), forKey: port).map { Int($0) } }
        let last = table[Int(port)]
        table[Int(port)] = Int32(index)
        return last < 0 ? nil : Int(last)
    }
}
