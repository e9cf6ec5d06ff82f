import WeirEngine

/// The runs of ports that are in use.
struct UsedRuns {
    /// Returns the gain in likelihood of a linear search from a random start over a random choice, if all ports were
    /// kept.
    ///
    /// Each choice has the probability of drawing its own port or one of the run of used ports directly before it.
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

    /// For each used port, one of its run at or before it; the first of a run has itself.
    private var before = [Int32](repeating: -1, count: 65_537)
    private(set) var used = 0

    func isUsed(_ port: UInt16) -> Bool { before[Int(port)] >= 0 }

    /// Returns the number of used ports directly before a port.
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
