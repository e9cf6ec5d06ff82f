import WeirDissect
import WeirWire

/// What a query has to know of the flows of a capture.
struct QueryNotes: Sendable {
    /// What is known of a flow of the table.
    private struct Known: Sendable {
        var names: [String] = []
        /// The protocols of its messages.
        var protocols: Set<String> = []
        var fitted = QueryPlan.Fitted()
        var open = OpenExchanges<Message>()
        /// The search in both directions, the client's first.
        var progress = [PatternSearch.Progress(), PatternSearch.Progress()]
        /// The patterns that may be in a message that is not read yet, in both directions.
        var hits: [[PatternSearch.Hit]] = [[], []]
    }

    /// A message that ends in the last packet.
    private struct Ended: Sendable {
        var place: Int
        var exchange: Exchange
    }

    let plan: QueryPlan
    private let query: FlowQuery
    private var search: PatternSearch
    private var known: [Int: Known] = [:]
    var processes: [Int: String] = [:]
    private var ended: [Ended] = []
    /// The patterns whose matches end in the last packet, by flow.
    private var found: [Int: UInt64] = [:]
    /// The number of hits that are kept for a message and direction: one in it is enough.
    private static let mostHits = 64

    init(_ query: FlowQuery) {
        self.query = query
        plan = QueryPlan(query)
        search = PatternSearch(plan.patterns)
    }

    /// Whether bytes are searched.
    var searches: Bool { !search.isEmpty }

    /// Begins a packet.
    mutating func begin(_ flows: borrowing CaptureFlows) {
        if !ended.isEmpty { ended.removeAll(keepingCapacity: true) }
        if !found.isEmpty { found.removeAll(keepingCapacity: true) }
        guard let place = flows.tcp, place.hasTurned, known[place.index] != nil else { return }
        known[place.index]?.progress.swapAt(0, 1)
        known[place.index]?.hits.swapAt(0, 1)
    }

    // MARK: - Bytes

    /// Searches bytes of a flow.
    mutating func look(_ piece: PayloadFeed.Piece, _ bytes: RawSpan) {
        let side = Int(piece.direction.rawValue)
        var now = known.removeValue(forKey: piece.place) ?? Known()
        defer { known[piece.place] = now }
        if piece.isDatagram {
            now.progress[side] = PatternSearch.Progress()
            now.hits[side] = []
        } else if piece.isGap {
            return search.skip(piece.count, &now.progress[side])
        }
        var hits: [PatternSearch.Hit] = []
        search.add(bytes, to: &now.progress[side]) { hits.append($0) }
        if piece.isDatagram { search.finish(&now.progress[side]) { hits.append($0) } }
        note(hits, of: piece.place, side, &now)
    }

    private mutating func note(_ hits: [PatternSearch.Hit], of place: Int, _ side: Int, _ now: inout Known) {
        for hit in hits {
            now.fitted.found |= 1 << UInt64(hit.pattern)
            found[place, default: 0] |= 1 << UInt64(hit.pattern)
            if now.hits[side].count < Self.mostHits { now.hits[side].append(hit) }
        }
    }

    /// Ends the search.
    mutating func finish() {
        guard searches else { return }
        for place in Array(known.keys) {
            guard var now = known.removeValue(forKey: place) else { continue }
            for side in now.progress.indices {
                var hits: [PatternSearch.Hit] = []
                search.finish(&now.progress[side]) { hits.append($0) }
                note(hits, of: place, side, &now)
            }
            known[place] = now
        }
    }

    // MARK: - Messages

    /// Notes a message of a flow; `emit` receives what it lets be shown of a view of messages.
    mutating func note(
        _ message: Message,
        of place: Int,
        _ row: FlowRow?,
        to emit: (Message) -> Void = { _ in }
    ) {
        var now = known.removeValue(forKey: place) ?? Known()
        defer { known[place] = now }
        if let name = message.facts.serverName, !now.names.contains(name), now.names.count < 4 {
            now.names.append(name)
        }
        var exchange = Exchange(message)
        exchange.found = takeHits(of: message, &now.hits)
        if !now.protocols.contains(exchange.name), now.protocols.count < 4 { now.protocols.insert(exchange.name) }
        let outcome = now.open.judge(
            message,
            &exchange,
            { exchange in row.map { truth($0, place, exchange, now.names) } ?? .unknown },
            emit
        )
        switch outcome {
        case .shown: emit(message)
        case .kept: if row != nil { now.open.keep(message, of: [message], cost: message.cost) }
        case .left: break
        }
        // An answer that is still to come counts then.
        plan.note(exchange, names: now.names, in: &now.fitted)
        ended.append(Ended(place: place, exchange: exchange))
    }

    /// Returns whether a request with its answer fits, either of which may be missing.
    mutating func matches(_ request: Message?, _ answer: Message?, of row: FlowRow) -> Bool {
        var now = known.removeValue(forKey: row.place) ?? Known()
        defer { known[row.place] = now }
        var whole: Exchange?
        for message in [request, answer] {
            guard let message else { continue }
            var exchange = Exchange(message)
            exchange.found = takeHits(of: message, &now.hits)
            if let request = whole { exchange.join(request) }
            whole = exchange
        }
        guard var whole else { return false }
        whole.isOpen = false
        return truth(row, row.place, whole, now.names) == .yes
    }

    /// Removes the hits in a message, and returns their patterns.
    private func takeHits(of message: Message, _ hits: inout [[PatternSearch.Hit]]) -> UInt64 {
        guard searches else { return 0 }
        let side = Int(message.direction.rawValue)
        var bits: UInt64 = 0
        for hit in hits[side] where hit.start >= message.range.lowerBound && hit.end <= message.range.upperBound {
            bits |= 1 << UInt64(hit.pattern)
        }
        hits[side].removeAll { $0.end <= message.range.upperBound }
        return bits
    }

    /// Lets requests be shown that nobody answered, if they fit.
    mutating func finish(_ row: (Int) -> FlowRow, to emit: (Int, Message) -> Void) {
        for place in known.keys.sorted() {
            guard var now = known.removeValue(forKey: place) else { continue }
            let row = row(place)
            now.open.finish({ truth(row, place, $0, now.names) }, { emit(place, $0) })
            known[place] = now
        }
    }

    // MARK: - Answers

    private func truth(_ row: FlowRow, _ place: Int, _ exchange: Exchange?, _ names: [String]) -> Truth {
        var subject = RowSubject(row)
        subject.exchange = exchange
        subject.names = names
        subject.patterns = plan.patterns
        subject.found = found[place] ?? 0
        subject.process = processes[place]
        return query.truth(of: subject)
    }

    /// Returns whether the last packet fits as one of a flow: a message that ends in it does, or the packet if none ends.
    func matchesPacket(_ row: FlowRow) -> Bool {
        let names = known[row.place]?.names ?? []
        let exchanges = ended.filter { $0.place == row.place }.map(\.exchange)
        guard !exchanges.isEmpty else { return truth(row, row.place, nil, names) == .yes }
        return exchanges.contains { exchange in
            var exchange = exchange
            exchange.isOpen = false
            exchange.found |= found[row.place] ?? 0
            return truth(row, row.place, exchange, names) == .yes
        }
    }

    /// Returns whether a flow fits, after everything was read.
    func matches(_ row: FlowRow) -> Bool {
        let (subject, fitted) = subject(row)
        return plan.truth(of: subject, fitted, hasFailed: row.hasFailed) == .yes
    }

    /// Returns whether a flow fits without its messages, or whether its failure does.
    func matches(_ row: FlowRow, isFailure: Bool) -> Bool {
        var (subject, fitted) = subject(row)
        subject.found = fitted.found
        subject.isFailure = isFailure
        return query.truth(of: subject) == .yes
    }

    /// Returns the flow of a row, with both its legs, and what was found in it.
    private func subject(_ row: FlowRow) -> (RowSubject, QueryPlan.Fitted) {
        let places = [row.place] + [row.serverLeg?.place].compactMap { $0 }
        var (subject, fitted) = (RowSubject(row), QueryPlan.Fitted())
        subject.patterns = plan.patterns
        for place in places {
            fitted.formUnion(known[place]?.fitted ?? QueryPlan.Fitted())
            subject.names += known[place]?.names ?? []
            subject.protocols.formUnion(known[place]?.protocols ?? [])
            subject.process = subject.process ?? processes[place]
        }
        return (subject, fitted)
    }
}
