/// The classes of allocators of ephemeral ports that are told apart.
///
/// Source: RFC 6056 section 3.3 (the algorithms), Linux net/ipv4/inet_hashtables.c and inet_connection_sock.c.
public enum PortAllocator: String, Hashable, Sendable, CaseIterable {
    /// A counter, up by one for all destinations together.
    case sequential
    /// A counter for each destination, up by one: RFC 6056 algorithms 3 and 4 without further randomness.
    case sequentialPerDestination = "sequential-per-destination"
    /// A linear search from a random port, restarted now and then: RFC 6056 algorithm 1.
    case sequentialRandomStart = "sequential-random-start"
    /// Linux's `connect`: a counter for each destination, steps of 2 to 16, ports of the parity of the range's first
    /// one.
    case linuxConnect = "linux-connect"
    /// Linux's `connect` with IP_LOCAL_PORT_RANGE: a counter for each destination, steps of 1 to 8, any parity.
    case linuxLocalRange = "linux-local-range"
    /// A random choice from the whole range: Linux's UDP, OpenBSD; RFC 6056 algorithm 2.
    case uniformRandom = "uniform-random"
    /// Linux's `bind` to port 0: random, ports of the other parity than `connect`'s, by default odd ones.
    case oddBind = "odd-bind"
    /// Linux's `bind` to port 0 with SO_REUSEADDR: as odd-bind, from the lower half of the range.
    case lowerHalfBind = "lower-half-bind"
    /// Several allocators at once: the ports fit no single class.
    case mixed
    /// No class: the samples, their destinations or their times do not suffice to name one.
    case tooFew = "too-few"

    /// The class in a few words.
    var title: String {
        switch self {
        case .sequential: "one counter"
        case .sequentialPerDestination: "a counter for each destination"
        case .sequentialRandomStart: "a search from a random port"
        case .linuxConnect: "Linux connect()"
        case .linuxLocalRange: "Linux connect() in a range of its own"
        case .uniformRandom: "random"
        case .oddBind: "Linux bind() to port 0"
        case .lowerHalfBind: "Linux bind() to port 0 with SO_REUSEADDR"
        case .mixed: "several allocators"
        case .tooFew: "too few to tell"
        }
    }

    /// The classes that a verdict can name.
    static let named = allCases.filter { $0 != .tooFew }
}

/// A limit of what a verdict says.
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
    /// The parity of the ports alone identifies the class.
    case parityAlone = "parity-alone"
    /// Few steps were quick enough to tell a counter with a new key every 10 s from chance.
    case slowSteps = "slow-steps"
    /// Times are not known.
    case noTimes = "no-times"
    /// Algorithm 1 of RFC 6056 looks the same while few ports are in use.
    case randomStartPossible = "random-start-possible"
    /// The program caused the class, by binding before it connects.
    case boundByCaller = "bound-by-caller"

    /// The caveat in a sentence.
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

/// The allocator of a series of ports, or the reasons why none can be named.
public struct PortVerdict: Hashable, Sendable {
    /// The class; `tooFew` if none is named.
    public var allocator: PortAllocator
    /// The class's share of the total likelihood, at most 0.999999; if none is named, the share of the most likely one.
    public var confidence: Double
    /// If no class is named, the classes that cannot be told apart, the likeliest first.
    public var candidates: [PortAllocator] = []
    /// The reasons for the verdict, in a few words each.
    public var reasons: [String] = []
    /// The caveats of the verdict.
    public var caveats: [PortCaveat] = []

    /// Creates a verdict.
    public init(_ allocator: PortAllocator, confidence: Double) {
        self.allocator = allocator
        self.confidence = confidence
    }
}

/// A series' verdict with the statistics behind it.
public struct PortReport: Sendable {
    /// The client, transport and side of the ports.
    public var key: PortSeriesKey
    /// The statistics.
    public var statistics: PortStatistics
    /// The verdict.
    public var verdict: PortVerdict
}
