import WeirWire

/// The answer to a query of which something may not be known yet.
enum Truth: Hashable, Sendable {
    case no, unknown, yes

    init(_ value: Bool) { self = value ? .yes : .no }

    static prefix func ! (truth: Truth) -> Truth {
        switch truth {
        case .no: .yes
        case .unknown: .unknown
        case .yes: .no
        }
    }

    func and(_ other: @autoclosure () -> Truth) -> Truth {
        if self == .no { return .no }
        let other = other()
        return other == .yes ? self : other
    }

    func or(_ other: @autoclosure () -> Truth) -> Truth {
        if self == .yes { return .yes }
        let other = other()
        return other == .no ? self : other
    }
}

/// What a query can ask: a flow of a capture or of the relay, with one of its messages or with none.
protocol QuerySubject {
    /// The transport of the flow.
    var transport: Transport { get }
    /// The number of the flow.
    var number: Int { get }

    /// Returns the endpoints on a side of the flow.
    func endpoints(_ side: FlowQuery.Side) -> [Endpoint]

    /// Returns whether the flow ended in a way.
    func ended(_ ending: FlowQuery.Ending) -> Truth

    /// Returns whether a quantity of the flow compares with a value as given.
    func compares(_ quantity: FlowQuery.Quantity, _ comparison: FlowQuery.Comparison, _ value: UInt64) -> Truth

    /// Returns whether the client's program has a name.
    func hasProcess(_ name: Wildcard) -> Truth

    /// Returns whether the flow's route has a name.
    func hasProxy(_ name: Wildcard) -> Truth

    /// Returns whether the message fits one word of those that ask for messages or for bytes.
    func holds(_ word: FlowQuery) -> Truth
}

extension FlowQuery {
    /// Returns whether the query holds of a flow and a message.
    func truth(of subject: some QuerySubject) -> Truth {
        switch self {
        case .transport(let transport): return Truth(subject.transport == transport)
        case .family(let family): return Truth(subject.endpoints(.any).contains { $0.address.family == family })
        case .host(let address, let prefix, let side):
            return Truth(subject.endpoints(side).contains { $0.address.begins(with: address, bits: prefix) })
        case .port(let range, let side): return Truth(subject.endpoints(side).contains { range.contains($0.port) })
        case .close(let ending): return subject.ended(ending)
        case .number(let number): return Truth(subject.number == number)
        case .compare(let quantity, let comparison, let value) where !quantity.isOfMessage:
            return subject.compares(quantity, comparison, value)
        case .process(let name): return subject.hasProcess(name)
        case .proxy(let name): return subject.hasProxy(name)
        case .compare, .speaks, .name, .method, .path, .error, .contains: return subject.holds(self)
        case .not(let query): return !query.truth(of: subject)
        case .and(let left, let right): return left.truth(of: subject).and(right.truth(of: subject))
        case .or(let left, let right): return left.truth(of: subject).or(right.truth(of: subject))
        }
    }
}

extension IPAddress {
    /// Returns whether the first bits equal those of another address of the same family.
    fileprivate func begins(with other: IPAddress, bits: Int) -> Bool {
        guard family == other.family else { return false }
        if isV4 { return bits == 0 || (low ^ other.low) >> UInt64(32 - bits) == 0 }
        if bits <= 64 { return bits == 0 || (high ^ other.high) >> UInt64(64 - bits) == 0 }
        return high == other.high && (low ^ other.low) >> UInt64(128 - bits) == 0
    }
}
