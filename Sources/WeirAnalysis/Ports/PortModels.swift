import WeirEngine

/// The likelihoods of a series of ports under each class of allocators, in one range.
///
/// Each class is a model with few free parameters: the length of a step, how often a counter restarts, the parity of
/// ports. Each allows a small share of choices that do not fit, so that a single odd packet decides nothing.
///
/// Complexity: O(n) in the number of choices.
struct PortModels {
    /// The shares of choices that are allowed not to fit the range, the parity or the pattern.
    enum Stray {
        static let range = 0.001
        static let parity = 0.005
        static let step = 0.02
        static let jump = 0.003
        static let count = 0.001
    }

    let series: PortSeries
    let range: PortRange
    /// Whether the range's bounds are known, and with them the parity of its first port.
    let isBounded: Bool
    let size: Double
    /// The parities of `connect`, that of the range's first port, and of `bind`, the other one.
    private let parities: (connect: Int, bind: Int)
    var sums = Sums()

    /// The logarithms of the likelihoods, summed choice by choice.
    struct Sums {
        var uniform = LogSum()
        var bound = LogSum()
        var lowerHalf = LogSum()
        var connect = LogSum()
        /// The sums for `connect` of Linux before 5.12, with one counter behind a hash: flows of others make even steps
        /// of any length.
        var oneCounter = [LogSum](repeating: LogSum(), count: PortModels.oneCounterShares.count)
        var localRange = LogSum()
        /// The numbers of choices that begin a destination, and of those outside the range.
        var firsts = 0
        var outside = 0
        var even = 0
        var flagged = 0
        var following = 0
        /// The number of steps by their length, in the order of all choices and within destinations; index 0 counts the
        /// others.
        var merged = [Int](repeating: 0, count: PortModels.longestCount + 1)
        var within = [Int](repeating: 0, count: PortModels.longestCount + 1)
        var mergedBack = 0
        var withinBack = 0
        /// The gain of a linear search from a random start over a random choice, if all ports were kept.
        var randomStart = 0.0
    }

    /// The longest plausible step of a counter that other flows share.
    static let longestCount = 512
    static let skip = 256
    /// The shares of a counter's steps after which a destination's next flow comes.
    static let oneCounterShares = [0.2, 0.08, 0.03]

    /// The natural logarithm of the likelihood of each class.
    typealias Likelihoods = [PortAllocator: Double]

    /// Computes the likelihoods of a series that is in the order of time.
    ///
    /// - Parameters:
    ///   - series: the choices, at least 1.
    ///   - range: the range from which they are taken.
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
        // The parity of an estimated range is that of most ports.
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

    /// Returns the probability that Linux changed its key between two choices, which it does every 10 s.
    private static func jumpChance(from then: Int64?, to now: Int64?) -> Double {
        guard let then, let now else { return 0.3 }
        return min(1, max(0, Double(now - then) / 10e9) + Stray.jump)
    }
}

// Methods of the sums only: a method of the models would copy them for each choice.
extension PortModels.Sums {
    private typealias Models = PortModels

    /// Adds the likelihood of a choice under classes without a memory.
    fileprivate mutating func addRandom(_ fresh: Double, _ likeBind: Double, isLow: Bool) {
        uniform.add(fresh)
        bound.add(likeBind)
        lowerHalf.add(likeBind * 2 * (isLow ? 1 : Models.Stray.parity))
    }

    /// Adds the likelihood of the first choice of a destination under counters.
    fileprivate mutating func addFirst(_ fresh: Double, _ likeConnect: Double) {
        firsts += 1
        connect.add(likeConnect)
        for place in Models.oneCounterShares.indices { oneCounter[place].add(likeConnect) }
        localRange.add(fresh)
    }

    /// Adds the likelihood of a step within a destination under counters.
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

/// The last ports of each destination.
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

    /// Returns the index of the last choice; nil for a destination's first.
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

/// A sum of logarithms of probabilities, kept as a product for as long as it fits, which saves most logarithms.
struct LogSum {
    private var sum = 0.0
    private var product = 1.0

    /// Adds the natural logarithm of a probability.
    ///
    /// - Parameter chance: above 1e-100, below 1e100.
    mutating func add(_ chance: Double) {
        product *= chance
        guard product < 1e-200 || product > 1e200 else { return }
        sum += PortMath.ln(product)
        product = 1
    }

    /// The sum.
    var value: Double { sum + PortMath.ln(product) }
}

/// The probabilities of the steps of Linux's counters.
extension PortModels {
    /// Returns the probability of a step of Linux's `connect`: 2 times 1 to 8; it is more past ports in use.
    static func connectStep(_ step: Int) -> Double {
        guard step & 1 == 0, step != 0 else { return 0 }
        if step >= 2, step <= 16 { return (1 - Stray.step) / 8 }
        return step >= -32 && step <= 2 * skip ? Stray.step / Double(skip + 8) : 0
    }

    /// Returns the probability of an even step, geometric in half its length.
    static func oneCounterStep(_ step: Int, _ place: Int) -> Double {
        guard step & 1 == 0, step >= 2, step <= 4 * skip else { return 0 }
        return oneCounterChances[place][step / 2]
    }

    private static let oneCounterChances = oneCounterShares.map { share in
        (0...(2 * skip)).map { $0 == 0 ? 0 : share * PortMath.e(Double($0 - 1) * PortMath.ln(1 - share)) }
    }

    /// Returns the probability of a step with IP_LOCAL_PORT_RANGE: 1 to 8.
    static func localStep(_ step: Int) -> Double {
        guard step != 0 else { return 0 }
        if step >= 1, step <= 8 { return (1 - Stray.step) / 8 }
        return step >= -16 && step <= skip ? Stray.step / Double(skip + 8) : 0
    }
}
