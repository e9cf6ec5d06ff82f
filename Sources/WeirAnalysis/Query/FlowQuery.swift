import WeirDissect
import WeirEngine
public import WeirWire

/// A condition that selects flows and their messages: `weir show --where`, `weir relay --only` and `/v1/events?query=`.
///
/// ```
/// port 65432 and tcp
/// not (host 10.0.0.0/8 or client port 1024-2047)
/// http and status >= 400 and path /api
/// error or took > 100ms
/// ```
///
/// Some words ask for a flow, others for one message of it, or for a request with its answer. `QueryPlan` says how they are
/// joined, and `QueryWord.all` lists them.
public indirect enum FlowQuery: Hashable, Sendable {
    /// The flow has this transport.
    case transport(Transport)
    /// The flow has this version of the Internet Protocol.
    case family(IPAddress.Family)
    /// An address on this side begins with so many bits of this address.
    case host(IPAddress, prefix: Int, Side)
    /// A port on this side is in the range.
    case port(ClosedRange<UInt16>, Side)
    /// The flow ended this way.
    case close(Ending)
    /// The flow has this number.
    case number(Int)
    /// The quantity compares with the value as given.
    case compare(Quantity, Comparison, UInt64)
    /// The program of the flow's client has this name.
    case process(Wildcard)
    /// The flow's route has this name.
    case proxy(Wildcard)
    /// The message is of the protocol with this name.
    case speaks(String)
    /// The request names this host, or the flow does in a hello of TLS.
    case name(Wildcard)
    /// The request has this method.
    case method(Wildcard)
    /// The request's target is this, without the scheme and the host.
    case path(Wildcard)
    /// Something went wrong.
    case error
    /// The bytes are among those that were sent.
    case contains(SearchPattern)
    /// The query does not hold.
    case not(FlowQuery)
    /// Both queries hold.
    case and(FlowQuery, FlowQuery)
    /// At least one of the queries holds.
    case or(FlowQuery, FlowQuery)

    /// A side of a flow; only flows that Weir recorded have a listener and an egress.
    public enum Side: String, Hashable, Sendable, CaseIterable {
        /// Every side.
        case any
        /// The client.
        case client
        /// The server.
        case server
        /// The relay's side of the client's leg.
        case listener
        /// The relay's side of the server's leg.
        case egress
    }

    /// The quantities to compare.
    public enum Quantity: String, Hashable, Sendable, CaseIterable {
        /// The number of packets in both directions.
        case packets
        /// The number of bytes of payload in both directions.
        case bytes
        /// The number of packets from the client.
        case packetsUp = "packets_up"
        /// The number of packets from the server.
        case packetsDown = "packets_down"
        /// The number of bytes of payload from the client.
        case bytesUp = "bytes_up"
        /// The number of bytes of payload from the server.
        case bytesDown = "bytes_down"
        /// The time from the first packet to the last, in ns.
        case duration
        /// The status of an answer.
        case status
        /// The time from a request to its answer, in ns.
        case took

        /// Whether messages have it, not flows.
        var isOfMessage: Bool { self == .status || self == .took }
        /// Whether it is a time.
        var isTime: Bool { self == .duration || self == .took }
        /// Whether only captures have it: a relay sees no packets.
        var isOfPackets: Bool { self == .packets || self == .packetsUp || self == .packetsDown }
    }

    /// The comparison operators.
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        /// Greater than or equal.
        case atLeast = ">="
        /// Less than or equal.
        case atMost = "<="
        /// Not equal.
        case notEqual = "!="
        /// Equal.
        case equal = "="
        /// Greater than.
        case more = ">"
        /// Less than.
        case less = "<"

        /// Returns whether two values compare so.
        func holds(_ left: UInt64, _ right: UInt64) -> Bool {
            switch self {
            case .atLeast: left >= right
            case .atMost: left <= right
            case .notEqual: left != right
            case .equal: left == right
            case .more: left > right
            case .less: left < right
            }
        }
    }

    /// The ways in which a flow can end: what a capture shows, and what only the relay knows.
    public enum Ending: String, Hashable, Sendable, CaseIterable {
        case open, unanswered, refused
        case clientFinished = "client_finished"
        case serverFinished = "server_finished"
        case finished
        case clientReset = "client_reset"
        case serverReset = "server_reset"
        /// The client, the server or the relay reset it.
        case reset
        case idle, evicted, requested, toxic, shutdown
        case tls = "tls_failed"

        /// Returns whether a flow of a capture ended so.
        func holds(_ close: FlowClose) -> Bool {
            self == .reset ? close == .clientReset || close == .serverReset : rawValue == close.rawValue
        }

        /// Returns whether a flow of the relay ended so.
        func holds(_ reason: CloseReason, _ transport: Transport, isUnanswered: Bool) -> Bool {
            switch reason {
            case .finished: self == .finished
            case .clientReset: self == .clientReset || self == .reset
            case .serverReset: self == .serverReset || self == .reset
            case .refused: self == (isUnanswered ? .unanswered : .refused)
            case .toxic: self == .toxic
            case .idle: self == .idle || self == .reset && transport == .tcp
            case .evicted: self == .evicted || self == .reset && transport == .tcp
            case .tls: self == .tls
            case .requested: self == .requested || self == .reset && transport == .tcp
            case .shutdown: self == .shutdown || self == .reset && transport == .tcp
            }
        }
    }
}

// MARK: - What it asks for

extension FlowQuery {
    /// What must be known to answer a query.
    public struct Needs: OptionSet, Hashable, Sendable {
        /// The bits of the needs.
        public let rawValue: UInt8

        /// Creates needs from their bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The messages, with their fields.
        public static let messages = Needs(rawValue: 1)
        /// The bytes that were sent.
        public static let bytes = Needs(rawValue: 2)
        /// How the flow ended, and what it amounts to.
        public static let end = Needs(rawValue: 4)
        /// The client's process.
        public static let process = Needs(rawValue: 8)
        /// The names of routes.
        public static let proxy = Needs(rawValue: 16)
        /// The numbers of packets.
        public static let packets = Needs(rawValue: 32)
    }

    /// What must be known to answer the query.
    public var needs: Needs {
        switch self {
        case .transport, .family, .host, .port, .number: []
        case .close: .end
        case .compare(let quantity, _, _):
            quantity.isOfMessage ? .messages : quantity.isOfPackets ? [.end, .packets] : .end
        case .process: .process
        case .proxy: .proxy
        case .speaks, .name, .method, .path, .error: .messages
        case .contains: .bytes
        case .not(let query): query.needs
        case .and(let left, let right), .or(let left, let right): left.needs.union(right.needs)
        }
    }

    /// The queries that `and` joins, or the query alone.
    var conjuncts: [FlowQuery] {
        guard case .and(let left, let right) = self else { return [self] }
        return left.conjuncts + right.conjuncts
    }

    /// Whether it asks for messages, or for bytes.
    public var asksForMessages: Bool { !needs.isDisjoint(with: [.messages, .bytes]) }

    /// The query's two parts, for a view that chooses among messages and then among flows: what flows alone decide, and what
    /// asks for messages or bytes; `and` joins them.
    public var parts: (flows: FlowQuery?, messages: FlowQuery?) {
        func joined(_ queries: [FlowQuery]) -> FlowQuery? {
            queries.first.map { queries.dropFirst().reduce($0) { .and($0, $1) } }
        }
        return (joined(conjuncts.filter { !$0.asksForMessages }), joined(conjuncts.filter(\.asksForMessages)))
    }

    /// Whether what only a flow's end tells stands in one `or` or `not` with what asks for messages or bytes.
    public var mixesEndsWithMessages: Bool { conjuncts.contains { $0.asksForMessages && $0.needs.contains(.end) } }

    /// Whether the answer is known only after the whole capture was read.
    public var needsWholeFlow: Bool { needs.contains(.end) }

    /// The number that a flow must have to match, if the query asks for one.
    public var number: Int? {
        switch self {
        case .number(let number): number
        case .and(let left, let right): left.number ?? right.number
        default: nil
        }
    }

    /// The patterns to search for, each once, in the order of the query.
    var patterns: [SearchPattern] {
        switch self {
        case .contains(let pattern): [pattern]
        case .not(let query): query.patterns
        case .and(let left, let right), .or(let left, let right):
            left.patterns + right.patterns.filter { !left.patterns.contains($0) }
        default: []
        }
    }
}
