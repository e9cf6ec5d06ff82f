import WeirWire

/// What queries ask of a message; of an answer, also what its request had.
struct Exchange: Sendable {
    /// The name of the protocol.
    var name: String
    var method: String?
    var path: String?
    /// The host in a request of HTTP, without a port.
    var host: String?
    var status: UInt64?
    /// The time from the request to this answer, in ns.
    var took: UInt64?
    var isError: Bool
    /// Whether an answer is still to come, which may decide.
    var isOpen: Bool
    /// The patterns that were found in it, a bit for each.
    var found: UInt64 = 0

    /// Reads a message.
    init(_ message: borrowing Message) {
        name = "\(message.name)"
        isError = message.isError
        isOpen = message.isRequest
        if let delay = message.answer?.delay { took = UInt64(max(delay, 0)) }
        (method, status) = (message.facts.method, message.facts.status)
        path = message.facts.target.map { Self.path(of: $0) }
        host = message.facts.host.map { Self.withoutPort($0) }
    }

    /// Adds what its request had.
    mutating func join(_ request: Exchange) {
        method = method ?? request.method
        path = path ?? request.path
        host = host ?? request.host
        isError = isError || request.isError
        found |= request.found
    }

    /// Returns whether it fits a word that asks for messages.
    ///
    /// - Parameters:
    ///   - word: The word.
    ///   - names: The names in the flow's hellos of TLS.
    ///   - patterns: The patterns to which the bits of `found` belong.
    ///   - assumed: Whether to take it for an error in any case.
    /// - Returns: Whether it fits; unknown if the answer to it decides.
    func holds(_ word: FlowQuery, names: [String], patterns: [SearchPattern], isError assumed: Bool = false) -> Truth {
        switch word {
        case .speaks(let name): return Truth(self.name == name)
        case .method(let wanted): return Truth(method.map { wanted.matches($0) } ?? false)
        case .path(let wanted): return Truth(path.map { wanted.matches($0) } ?? false)
        case .name(let wanted):
            return Truth(host.map { wanted.matches($0) } ?? false || names.contains { wanted.matches($0) })
        case .error: return isError || assumed ? .yes : isOpen ? .unknown : .no
        case .compare(.status, let comparison, let value):
            return status.map { Truth(comparison.holds($0, value)) } ?? (isOpen ? .unknown : .no)
        case .compare(.took, let comparison, let value):
            return took.map { Truth(comparison.holds($0, value)) } ?? (isOpen ? .unknown : .no)
        case .contains(let pattern):
            guard let index = patterns.firstIndex(of: pattern) else { return .no }
            return found >> UInt64(index) & 1 != 0 ? .yes : isOpen ? .unknown : .no
        default: return .no
        }
    }

    /// Returns a target's path with its query, without scheme and host.
    ///
    /// Source: RFC 9112 section 3.2.2.
    private static func path(of target: String) -> String {
        guard let scheme = target.firstRange(of: "://"), !target.hasPrefix("/") else { return target }
        let rest = target[scheme.upperBound...]
        return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
    }

    /// Returns a host without its port: `[::1]:80` becomes `[::1]`.
    private static func withoutPort(_ host: String) -> String {
        guard let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") else { return host }
        return host[host.index(after: colon)...].allSatisfy(\.isNumber) ? String(host[..<colon]) : host
    }
}

/// The requests of a flow that wait for their answers, and what is shown only if those fit.
///
/// `Item` is what a view shows of a message: a line, or an event.
struct OpenExchanges<Item: Sendable>: Sendable {
    private struct Request: Sendable {
        var direction: Direction
        var offset: Int
        var exchange: Exchange
        /// The numbers of what is shown if it fits.
        var items: [Int] = []
        var isShown = false
    }

    /// What is shown if a request fits.
    private struct Kept: Sendable {
        var item: Item
        var cost: Int
        /// The number of requests that keep it.
        var requests: Int
    }

    private var requests: [Request] = []
    private var kept: [Int: Kept] = [:]
    /// The number of the next item.
    private var next = 0
    /// The cost of the items that wait, in bytes.
    private(set) var cost = 0
    private static var limit: Int { 128 }
    /// The maximum cost of what waits, in bytes; what exceeds it is not shown.
    private static var costLimit: Int { 256 << 10 }

    /// The outcome of a message.
    enum Outcome: Hashable, Sendable {
        /// It does not fit.
        case left
        /// It fits.
        case shown
        /// It is a request, and its answer decides.
        case kept
    }

    /// Whether a request is kept until its answer decides.
    var isKeeping: Bool { !kept.isEmpty }

    /// Judges a message.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - exchange: What is known of it; its request is joined to it.
    ///   - truth: Returns whether the query holds.
    ///   - emit: Receives what was kept of the request, if the answer fits.
    /// - Returns: What becomes of the message.
    mutating func judge(
        _ message: borrowing Message,
        _ exchange: inout Exchange,
        _ truth: (Exchange) -> Truth,
        _ emit: (Item) -> Void
    ) -> Outcome {
        if let answer = message.answer {
            return judge(answerTo: answer.request, message, &exchange, truth, emit)
        }
        let holds = truth(exchange)
        guard message.isRequest else { return holds == .yes ? .shown : .left }
        let place = place(message.direction, message.range.lowerBound) ?? begin(message, exchange)
        requests[place].exchange = exchange
        if holds == .yes { requests[place].isShown = true }
        return holds == .yes ? .shown : holds == .unknown ? .kept : .left
    }

    private mutating func judge(
        answerTo offset: Int,
        _ message: borrowing Message,
        _ exchange: inout Exchange,
        _ truth: (Exchange) -> Truth,
        _ emit: (Item) -> Void
    ) -> Outcome {
        let place = place(message.direction.opposite, offset)
        if let place { exchange.join(requests[place].exchange) }
        let holds = truth(exchange)
        if holds == .yes, let place {
            show(requests[place].items, emit)
            requests[place].items = []
        }
        if let place, !message.isUnfinished { drop(requests.remove(at: place).items) }
        return holds == .yes ? .shown : .left
    }

    /// Keeps an item of messages that `judge` kept: it is shown once if one of them fits.
    mutating func keep(_ item: Item, of messages: [Message], cost itemCost: Int) {
        guard cost + itemCost <= Self.costLimit else { return }
        var waiting = 0
        for message in messages {
            guard let place = place(message.direction, message.range.lowerBound) else { continue }
            requests[place].items.append(next)
            waiting += 1
        }
        guard waiting > 0 else { return }
        kept[next] = Kept(item: item, cost: itemCost, requests: waiting)
        next += 1
        cost += itemCost
    }

    /// Shows items, unless another request has shown them.
    private mutating func show(_ items: [Int], _ emit: (Item) -> Void) {
        for number in items {
            guard let shown = kept.removeValue(forKey: number) else { continue }
            cost -= shown.cost
            emit(shown.item)
        }
    }

    /// Forgets items that no other request keeps.
    private mutating func drop(_ items: [Int]) {
        for number in items {
            guard var item = kept.removeValue(forKey: number) else { continue }
            item.requests -= 1
            if item.requests > 0 { kept[number] = item } else { cost -= item.cost }
        }
    }

    /// Decides about the requests that nobody answers any more.
    mutating func finish(_ truth: (Exchange) -> Truth, _ emit: (Item) -> Void) {
        for request in requests where !request.items.isEmpty {
            var exchange = request.exchange
            exchange.isOpen = false
            if truth(exchange) == .yes { show(request.items, emit) }
        }
        (requests, kept, cost) = ([], [:], 0)
    }

    private func place(_ direction: Direction, _ offset: Int) -> Int? {
        // The last one: of datagrams all begin at 0.
        requests.lastIndex { $0.direction == direction && $0.offset == offset }
    }

    private mutating func begin(_ message: borrowing Message, _ exchange: Exchange) -> Int {
        if requests.count == Self.limit { drop(requests.removeFirst().items) }
        requests.append(
            Request(direction: message.direction, offset: message.range.lowerBound, exchange: exchange)
        )
        return requests.count - 1
    }
}
