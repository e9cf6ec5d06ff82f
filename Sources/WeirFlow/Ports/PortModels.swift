/// Says how likely a series of ports is under each class of allocators, in one range.
///
/// Each class is a model with few free numbers: how far a step goes, how often a counter begins anew, which parity ports
/// have. A small share of choices that do not fit is allowed to each, so that one odd packet decides nothing.
///
/// Complexity: O(n) in the number of choices.
struct PortModels {
    /// Is the share of choices that may fall out of the range, out of the parity, out of the pattern.
    enum Stray {
        static let range = 0.001
        static let parity = 0.005
        static let step = 0.02
        static let jump = 0.003
        static let count = 0.001
    }

    let series: PortSeries
    let range: PortRange
    /// Says that the range's bounds are known, and with them the parity of its first port.
    let isBounded: Bool
    let size: Double
    /// Are the parities of `connect`, that of the first port of the range, and of `bind`, the other one.
    private let parities: (connect: Int, bind: Int)
    var sums = Sums()

    /// Holds the logarithms of the likelihoods that are added up choice by choice.
    struct Sums {
        var uniform = LogSum()
        var bound = LogSum()
        var lowerHalf = LogSum()
        var connect = LogSum()
        /// Is `connect` of Linux before 5.12, one counter behind a hash: others' flows make steps of any even length.
        var oneCounter = [LogSum](repeating: LogSum(), count: PortModels.oneCounterShares.count)
        var localRange = LogSum()
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
    static let longestCount = 512
    static let skip = 256
    /// Are the shares of the counter's steps that a destination's next flow comes after.
    static let oneCounterShares = [0.2, 0.08, 0.03]

    /// Holds the natural logarithm of the likelihood of each class.
    typealias Likelihoods = [PortAllocator: Double]

    /// Computes the likelihoods of a series that is in the order of time.
    ///
    /// - Parameters:
    ///   - series: the choices, 1 at least.
    ///   - range: where they are taken from.
    ///   - isBounded: whether the range's bounds are known, rather than estimated.
    /// - Returns: the logarithm of each class's likelihood.
    static func likelihoods(_ series: PortSeries, in range: PortRange, isBounded: Bool) -> Likelihoods {
        var models = PortModels(series, range, isBounded: isBounded)
        models.addUp()
        return models.results()
    }

    private init(_ series: PortSeries, _ range: PortRange, isBounded: Bool) {
        self.series = series
        self.range = range
        self.isBounded = isBounded
        size = Double(range.size)
        // The parity of a range that is only estimated is what most ports have.
        let even = series.ports.count { $0 & 1 == 0 }
        let (first, most) = (range.low & 1, even * 2 >= series.count ? 0 : 1)
        parities = isBounded ? (first, 1 - first) : (most, most)
    }

    private mutating func addUp() {
        var recent = RecentPorts(destinations: series.destinations.count)
        let bound = PortMeasuring.smallBound(range.size)
        let (wide, lowerHalf) = (range.size, range.lowerHalf)
        for index in 0..<series.count {
            let port = series.ports[index]
            let isInside = range.contains(Int(port))
            if !isInside { sums.outside += 1 }
            if port & 1 == 0 { sums.even += 1 }
            let fresh = (isInside ? 1 - Stray.range : Stray.range * size / 64_512) / size
            let likeConnect = fresh * 2 * (Int(port & 1) == parities.connect ? 1 - Stray.parity : Stray.parity)
            let likeBind = fresh * 2 * (Int(port & 1) == parities.bind ? 1 - Stray.parity : Stray.parity)
            sums.addRandom(fresh, likeBind, isLow: lowerHalf.contains(Int(port)))
            if index > 0 { sums.addMerged(PortMeasuring.step(series.ports[index - 1], port, wide)) }
            let destination = series.destination(index)
            if let before = recent.last(destination) {
                let jump = Self.jumpChance(from: series.time(before), to: series.time(index))
                sums.addStep(PortMeasuring.step(series.ports[before], port, wide), jump, fresh, likeConnect)
                let isFlagged = recent.contains(destination) { other in
                    PortMeasuring.isSmall(PortMeasuring.step(other, port, wide), bound)
                }
                if isFlagged { sums.flagged += 1 }
            } else {
                sums.addFirst(fresh, likeConnect)
            }
            recent.add(port, index, to: destination)
        }
    }

    /// Says how likely Linux has changed its key between two choices: every 10 s it does.
    private static func jumpChance(from then: Int64?, to now: Int64?) -> Double {
        guard let then, let now else { return 0.3 }
        return min(1, max(0, Double(now - then) / 10e9) + Stray.jump)
    }
}

// Methods of the sums alone: one of the models would have them copied for each choice.
extension PortModels.Sums {
    private typealias Models = PortModels

    /// Adds what classes without a memory make of a choice.
    fileprivate mutating func addRandom(_ fresh: Double, _ likeBind: Double, isLow: Bool) {
        uniform.add(fresh)
        bound.add(likeBind)
        lowerHalf.add(likeBind * 2 * (isLow ? 1 : Models.Stray.parity))
    }

    /// Adds what counters make of the first choice of a destination.
    fileprivate mutating func addFirst(_ fresh: Double, _ likeConnect: Double) {
        firsts += 1
        connect.add(likeConnect)
        for place in Models.oneCounterShares.indices { oneCounter[place].add(likeConnect) }
        localRange.add(fresh)
    }

    /// Adds what counters make of a step within a destination.
    fileprivate mutating func addStep(_ step: Int, _ jump: Double, _ fresh: Double, _ likeConnect: Double) {
        Self.count(step, &within, &withinBack)
        following += 1
        connect.add((1 - jump) * Models.connectStep(step) + jump * likeConnect)
        for place in Models.oneCounterShares.indices {
            oneCounter[place].add((1 - jump) * Models.oneCounterStep(step, place) + jump * likeConnect)
        }
        localRange.add((1 - jump) * Models.localStep(step) + jump * fresh)
    }

    /// Counts a step in the order of all choices.
    fileprivate mutating func addMerged(_ step: Int) { Self.count(step, &merged, &mergedBack) }

    private static func count(_ step: Int, _ counts: inout [Int], _ back: inout Int) {
        if step >= 1, step <= Models.longestCount {
            counts[step] += 1
        } else if step < 0, step >= -16 {
            // Two flows whose packets or records have changed places.
            back += 1
        } else {
            counts[0] += 1
        }
    }
}

/// Remembers the last ports of each destination.
private struct RecentPorts {
    private static let kept = 4

    private var ports: [UInt16]
    private var known: [UInt8]
    private var places: [Int]

    init(destinations: Int) {
        ports = [UInt16](repeating: 0, count: destinations * Self.kept)
        known = [UInt8](repeating: 0, count: destinations)
        places = [Int](repeating: -1, count: destinations)
    }

    /// Gives the place of the last choice; nil for a destination's first.
    func last(_ destination: Int) -> Int? { places[destination] < 0 ? nil : places[destination] }

    func contains(_ destination: Int, where isMet: (UInt16) -> Bool) -> Bool {
        let base = destination * Self.kept
        return (base..<(base + Int(known[destination]))).contains { isMet(ports[$0]) }
    }

    mutating func add(_ port: UInt16, _ index: Int, to destination: Int) {
        let base = destination * Self.kept
        for place in stride(from: Self.kept - 1, to: 0, by: -1) { ports[base + place] = ports[base + place - 1] }
        ports[base] = port
        known[destination] = min(UInt8(Self.kept), known[destination] + 1)
        places[destination] = index
    }
}
