import Testing
import WeirAnalysis
import WeirEngine
import WeirWire

/// Chooses ports as a stated model of an allocator does; the same seed gives the same ports.
struct SyntheticPorts {
    /// Names a model.
    enum Model: String, CaseIterable, CustomTestStringConvertible {
        /// Linux since 5.17.9: RFC 6056 algorithm 4, 65,536 counters, a new key every 10 s, steps of 2 times 1 to 8.
        case linuxConnect
        /// The same with a range whose first port is odd.
        case linuxConnectOddRange
        /// Linux 4.2 to 5.11: algorithm 3, one counter behind a hash of the destination, steps of 2 times 1 to 8.
        case linuxConnectOneCounter
        /// Linux since 6.8 with IP_LOCAL_PORT_RANGE.
        case linuxLocalRange
        /// Linux's `bind` to port 0, TCP.
        case linuxBind
        /// The same with SO_REUSEADDR.
        case linuxBindReuse
        /// Linux's UDP, OpenBSD.
        case uniform
        /// XNU's TCP: one counter, plus 1; a tenth of the ports goes to flows that are not seen.
        case macOS
        /// Algorithm 3 with plus 1, as Windows is said to do; the range of IANA.
        case windows
        /// FreeBSD: a random port, or the next free one; ports are given back at once.
        case freeBSDQuiet
        /// The same while all ports are kept.
        case freeBSDBusy
        /// FreeBSD 6 to 8: random, but plus 1 for five choices of six while they come quickly.
        case freeBSDFast
        /// Two Linux hosts behind one address.
        case twoHosts
        /// A program that binds half of its sockets before it connects them.
        case halfBound

        var testDescription: String { rawValue }

        /// Names the verdict that is right.
        var right: PortAllocator {
            switch self {
            case .linuxConnect, .linuxConnectOddRange, .linuxConnectOneCounter: .linuxConnect
            case .linuxLocalRange: .linuxLocalRange
            case .linuxBind: .oddBind
            case .linuxBindReuse: .lowerHalfBind
            case .uniform, .freeBSDQuiet: .uniformRandom
            case .macOS: .sequential
            case .windows: .sequentialPerDestination
            case .freeBSDBusy, .freeBSDFast: .sequentialRandomStart
            case .twoHosts, .halfBound: .mixed
            }
        }

        /// Names verdicts that are true as well: of two hosts each one is Linux's `connect`.
        var alsoTrue: PortAllocator? { self == .twoHosts ? .linuxConnect : nil }

        var range: PortRange {
            switch self {
            case .linuxConnectOddRange: PortRange(20_001, 40_000)
            case .macOS, .windows: PortRange(49_152, 65_535)
            case .freeBSDQuiet, .freeBSDBusy, .freeBSDFast: PortRange(10_000, 65_535)
            case .linuxLocalRange: PortRange(40_000, 40_999)
            default: PortRange(32_768, 60_999)
            }
        }
    }

    private let model: Model
    private let range: PortRange
    private var random: SplitMix64
    private var counters: [Int: Int] = [:]
    private var used: Set<Int> = []
    private var last = 0
    private let secret: UInt64

    /// Makes the choices of a model.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - count: how many.
    ///   - seed: what everything random is drawn from.
    ///   - destinations: how many servers they go to; over 10,000, each to one of its own.
    ///   - interval: the seconds between them.
    ///   - transport: what they carry.
    /// - Returns: the choices.
    static func series(
        _ model: Model,
        count: Int,
        seed: UInt64,
        destinations: Int = 2,
        interval: Double = 0.02,
        transport: Transport = .tcp
    ) -> PortSeries {
        var allocator = SyntheticPorts(model, seed: seed)
        let client = IPAddress(v4: 0x0a00_0002)
        var series = PortSeries(PortSeriesKey(client: client, transport: transport))
        for number in 0..<count {
            // The order of the servers is one that nobody planned.
            let server = destinations > 10_000 ? number : Int.random(in: 0..<destinations, using: &allocator.random)
            let time = 1_800_000_003 + Double(number) * interval
            let port = allocator.next(to: server, at: time)
            let destination = Endpoint(address: IPAddress(v4: 0x0a00_0100 + UInt32(server)), port: 443)
            series.add(UInt16(port), to: destination, at: Int64(time * 1e9))
        }
        return series
    }

    init(_ model: Model, seed: UInt64) {
        self.model = model
        range = model.range
        random = SplitMix64(seed: seed)
        secret = random.next()
        last = range.low + Int.random(in: 0..<range.size, using: &random)
    }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    private func hash(_ values: Int...) -> Int {
        var mixer = SplitMix64(
            seed: values.reduce(secret) { ($0 ^ UInt64(bitPattern: Int64($1))) &* 0x9e37_79b9_7f4a_7c15 }
        )
        return Int(mixer.next() >> 2)
    }

    mutating func next(to server: Int, at time: Double) -> Int {
        switch model {
        case .linuxConnect, .linuxConnectOddRange: return connect(server, time, step: 2)
        case .linuxLocalRange: return connect(server, time, step: 1)
        case .linuxConnectOneCounter:
            let offset = (hash(server) + counters[0, default: 0]) % (range.size & ~1) & ~1
            counters[0, default: 0] += 2 * below(8) + 2
            return range.low + offset
        case .linuxBind: return bind(range.size)
        case .linuxBindReuse: return bind((range.size >> 2) << 1)
        case .uniform: return range.low + below(range.size)
        case .macOS:
            repeat { last = last >= range.high ? range.low : last + 1 } while below(10) == 0
            return last
        case .windows:
            let port = range.low + (hash(server) + counters[server, default: 0]) % range.size
            counters[server, default: 0] += 1
            return port
        case .freeBSDQuiet: return range.low + below(range.size)
        case .freeBSDBusy:
            var port = range.low + below(range.size)
            while used.contains(port) { port = port == range.high ? range.low : port + 1 }
            used.insert(port)
            return port
        case .freeBSDFast:
            last = below(6) == 0 ? range.low + below(range.size) : last >= range.high ? range.low : last + 1
            return last
        case .twoHosts: return connect(server + 1000 * below(2), time, step: 2)
        case .halfBound: return below(2) == 0 ? bind(range.size) : connect(server, time, step: 2)
        }
    }

    /// Source: Linux 6.18 net/ipv4/inet_hashtables.c, `__inet_hash_connect`.
    private mutating func connect(_ server: Int, _ time: Double, step: Int) -> Int {
        let key = hash(server, Int(time / 10))
        let slot = key & 65_535
        let remaining = range.size & ~1
        var offset = (counters[slot, default: 0] + key >> 16) % remaining
        if step == 2 { offset &= ~1 }
        counters[slot, default: 0] += below(8) * step + step
        return range.low + offset
    }

    /// Source: Linux 6.18 net/ipv4/inet_connection_sock.c, `inet_csk_find_open_port`.
    private mutating func bind(_ remaining: Int) -> Int { range.low + (below(remaining & ~1) | 1) }
}
