/// Knows runs of ports that are in use.
struct UsedRuns {
    /// Returns what a linear search from a random start gains in likelihood over a random choice, were all ports kept.
    ///
    /// Each choice has the chance of its own port's draw and of those of the run of used ports right before it.
    ///
    /// - Returns: the natural logarithm of the gain.
    static func gain(_ series: PortSeries, in range: PortRange) -> Double {
        var runs = UsedRuns()
        var gain = 0.0
        for port in series.ports where range.contains(Int(port)) && !runs.isUsed(port) {
            gain += PortMath.ln(Double(1 + runs.length(before: port)))
            gain += PortMath.ln(Double(max(1, range.size - runs.used)) / Double(range.size))
            runs.use(port)
        }
        return gain
    }

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
