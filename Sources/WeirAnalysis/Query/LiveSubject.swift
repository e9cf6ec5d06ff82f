public import WeirEngine
import WeirWire

/// A flow of the relay, with what it carries at the moment, for queries.
struct LiveSubject: QuerySubject {
    /// What is asked of a flow.
    enum Matter {
        /// The flow alone, of which no byte is known.
        case beginning
        /// A message.
        case message(Exchange)
        /// Bytes, or an event, without a message: the patterns that were found, and whether it is a failure.
        case plain(found: UInt64, isError: Bool)
        /// Bytes that may be the beginning of a message.
        case undecided(found: UInt64)
    }

    let flow: LiveFlowFacts
    let matter: Matter
    let patterns: [SearchPattern]

    var transport: Transport { flow.transport }
    var number: Int { Int(clamping: flow.id.rawValue) }

    func endpoints(_ side: FlowQuery.Side) -> [Endpoint] {
        let path = flow.path
        let ends: [Endpoint?] =
            switch side {
            case .any: [path.client, path.server, path.listener, path.egress]
            case .client: [path.client]
            case .server: [path.server]
            case .listener: [path.listener]
            case .egress: [path.egress]
            }
        return ends.compactMap { $0 }
    }

    func ended(_ ending: FlowQuery.Ending) -> Truth {
        guard let close = flow.close else { return .unknown }
        return Truth(ending.holds(close.reason, transport, isUnanswered: flow.isUnanswered))
    }

    func compares(_ quantity: FlowQuery.Quantity, _ comparison: FlowQuery.Comparison, _ value: UInt64) -> Truth {
        let (up, down) = (flow.close?.upstream.bytes ?? flow.bytesUp, flow.close?.downstream.bytes ?? flow.bytesDown)
        let known: UInt64
        switch quantity {
        case .bytes: known = up &+ down
        case .bytesUp: known = up
        case .bytesDown: known = down
        // A UDP session stays open for a while after its last datagram, which no capture shows.
        case .duration where transport == .udp: known = flow.lastDatagram
        case .duration: known = flow.close.map { UInt64(max($0.duration.inNanoseconds, 0)) } ?? flow.age
        case .packets, .packetsUp, .packetsDown, .status, .took: return .no
        }
        if flow.close != nil { return Truth(comparison.holds(known, value)) }
        // It only grows.
        switch comparison {
        case .more, .atLeast: return comparison.holds(known, value) ? .yes : .unknown
        case .less, .atMost: return comparison.holds(known, value) ? .unknown : .no
        case .equal: return known > value ? .no : .unknown
        case .notEqual: return known > value ? .yes : .unknown
        }
    }

    func hasProcess(_ name: Wildcard) -> Truth {
        switch flow.process {
        case nil: .unknown
        case .found(let process): Truth(name.matches(process.name))
        case .unknown, .notAsked: .no
        }
    }

    func hasProxy(_ name: Wildcard) -> Truth { Truth(flow.proxy.map { name.matches($0) } ?? false) }

    func holds(_ word: FlowQuery) -> Truth {
        switch (matter, word) {
        case (.beginning, _): .unknown
        case (.message(let exchange), _): exchange.holds(word, names: flow.names, patterns: patterns)
        case (.plain(let found, _), .contains(let pattern)): Truth(has(pattern, found))
        case (.undecided(let found), .contains(let pattern)): has(pattern, found) ? .yes : .unknown
        case (.undecided, .name(let wanted)): flow.names.contains { wanted.matches($0) } ? .yes : .unknown
        case (.undecided, _): .unknown
        case (.plain(_, let isError), .error): Truth(isError)
        case (.plain, .name(let wanted)): Truth(flow.names.contains { wanted.matches($0) })
        case (.plain, _): .no
        }
    }

    private func has(_ pattern: SearchPattern, _ found: UInt64) -> Bool {
        patterns.firstIndex(of: pattern).map { found >> UInt64($0) & 1 != 0 } ?? false
    }
}

/// What is known of a flow of the relay.
struct LiveFlowFacts: Sendable {
    let id: FlowID
    let transport: Transport
    var path: FlowPath
    /// The process of the client; nil until it is known.
    var process: ProcessAnswer?
    /// The name of the route.
    var proxy: String?
    /// The names in hellos of TLS.
    var names: [String] = []
    var bytesUp: UInt64 = 0
    var bytesDown: UInt64 = 0
    /// The time since it began, in ns.
    var age: UInt64 = 0
    /// The time from its beginning to its last datagram, in ns; of a UDP session.
    var lastDatagram: UInt64 = 0
    /// Whether the last dial was not answered.
    var isUnanswered = false
    /// Whether the server was not reached, or a side reset.
    var hasFailed = false
    /// How it ended; nil until it has.
    var close: CloseRecord?

    init(_ record: FlowRecord) {
        id = record.flow
        transport = record.transport
        path = record.path
    }
}

extension FlowQuery {
    /// The records that must be seen to answer it live.
    public var liveInterest: Interest {
        needs.contains(.bytes) ? .bytes : needs.contains(.messages) ? .chunks : .flows
    }

    /// The messages that must be seen to answer it live.
    public var liveMessages: MessageInterest { needs.contains(.messages) ? .fields : .none }

    /// Whether it asks for the egress, which changes if the relay dials again.
    var asksEgress: Bool {
        switch self {
        case .host(_, _, let side), .port(_, let side): side == .egress || side == .any
        case .not(let query): query.asksEgress
        case .and(let left, let right), .or(let left, let right): left.asksEgress || right.asksEgress
        default: false
        }
    }
}
