/// Names the classes of allocators of ephemeral ports that are told apart.
///
/// Source: RFC 6056 section 3.3 (the algorithms), Linux net/ipv4/inet_hashtables.c and inet_connection_sock.c.
public enum PortAllocator: String, Hashable, Sendable, CaseIterable {
    /// Counts upwards by one for all destinations together.
    case sequential
    /// Counts upwards by one for each destination: RFC 6056 algorithms 3 and 4 without further randomness.
    case sequentialPerDestination = "sequential-per-destination"
    /// Begins at a random port, goes on linearly, and begins anew now and then: RFC 6056 algorithm 1.
    case sequentialRandomStart = "sequential-random-start"
    /// Is Linux's `connect`: a counter a destination, steps of 2 to 16, ports of the parity of the range's first one.
    case linuxConnect = "linux-connect"
    /// Is Linux's `connect` with IP_LOCAL_PORT_RANGE: a counter a destination, steps of 1 to 8, any parity.
    case linuxLocalRange = "linux-local-range"
    /// Chooses any port of the range at random: Linux's UDP, OpenBSD; RFC 6056 algorithm 2.
    case uniformRandom = "uniform-random"
    /// Is Linux's `bind` to port 0: random, ports of the other parity than `connect`'s, odd ones by default.
    case oddBind = "odd-bind"
    /// Is Linux's `bind` to port 0 with SO_REUSEADDR: as odd-bind, from the lower half of the range.
    case lowerHalfBind = "lower-half-bind"
    /// Is several at once: what was seen fits no single class.
    case mixed
    /// Is no class: the samples, their destinations or their times do not suffice to name one.
    case tooFew = "too-few"

    /// Lists the classes that a verdict can name.
    static let named = allCases.filter { $0 != .tooFew }
}

/// Warns of what a verdict does not say.
public enum PortCaveat: String, Hashable, Sendable, CaseIterable {
    /// The destination is the relay.
    case throughARelay = "through-a-relay"
    /// Several hosts may share the address.
    case natSuspected = "nat-suspected"
    /// The range is one of the known ones, taken because the ports fit it.
    case rangeAssumed = "range-assumed"
    /// The range is estimated from the ports.
    case rangeEstimated = "range-estimated"
    /// All flows went to one destination.
    case oneDestination = "one-destination"
    /// The parity of the ports alone tells the class.
    case parityAlone = "parity-alone"
    /// Few steps were quick enough to tell a counter with a new key every 10 s from chance.
    case slowSteps = "slow-steps"
    /// Times are not known.
    case noTimes = "no-times"
    /// Algorithm 1 of RFC 6056 looks the same while few ports are in use.
    case randomStartPossible = "random-start-possible"
    /// The class is what the program asked for, by binding before it connects.
    case boundByCaller = "bound-by-caller"

    /// Says it in a sentence.
    public var explanation: String {
        switch self {
        case .throughARelay:
            "the destination is the relay: the counter is that of client, relay address and relay port; the class is the same, the numbers are others"
        case .natSuspected: "several hosts or allocators may share this address; a NAT that rewrites ports hides them"
        case .rangeAssumed: "the range is not known: a known one that the ports fit is taken for it"
        case .rangeEstimated: "the range is not known, and estimated from the ports"
        case .oneDestination: "all flows went to one destination: counters of others are not seen"
        case .parityAlone: "no destination was used twice within 10 s: parity and range alone tell the class"
        case .slowSteps: "most steps took longer than 10 s, in which Linux changes its key"
        case .noTimes: "times are not known: steps over a change of key cannot be told"
        case .randomStartPossible: "a random start with a linear search looks the same while few ports are in use"
        case .boundByCaller:
            "the program bound its socket before it connected, or listens: connect alone would choose otherwise"
        }
    }
}

/// Names the allocator of a series of ports, or says why none can be named.
public struct PortVerdict: Hashable, Sendable {
    /// Names the class; `tooFew` where none is named.
    public var allocator: PortAllocator
    /// Holds the class's share of all likelihood, at most 0.999999; of the most likely one where none is named.
    public var confidence: Double
    /// Lists the classes that cannot be told apart, the likeliest first, where none is named.
    public var candidates: [PortAllocator] = []
    /// Says in a few words each what led to the verdict.
    public var reasons: [String] = []
    /// Lists what the verdict does not say.
    public var caveats: [PortCaveat] = []

    /// Makes a verdict.
    public init(_ allocator: PortAllocator, confidence: Double) {
        self.allocator = allocator
        self.confidence = confidence
    }
}

/// Holds a series' verdict with what led to it.
public struct PortReport: Sendable {
    /// Says whose ports they are.
    public var key: PortSeriesKey
    /// Holds the statistics.
    public var statistics: PortStatistics
    /// Names the class.
    public var verdict: PortVerdict
}
