public import WeirEngine
public import WeirWire

/// A query of the relay's records, while they are made.
///
/// A record fits if the query holds of it: of its flow, and of the messages that end in it. What is not known yet does not
/// hold: so the line with which a flow begins waits until something of the flow fits, and a request until its answer does, if
/// that decides. `Item` is what a view keeps of a record that waits.
///
/// - A chunk fits if one of the messages that end in it does; without messages, if the query holds of its bytes.
/// - A chunk that may begin a message waits, up to a limit, until it is known whether it does.
/// - What a flow amounts to, and how it ended, is known when it has ended: then its first line and its last are shown.
public struct LiveQuery<Item: Sendable>: Sendable {
    private struct Flow: Sendable {
        var facts: LiveFlowFacts
        let began: Int64
        /// Whether every record fits.
        var fits = false
        /// The records with which it begins, until something fits.
        var opening: [Item] = []
        var isShown = false
        /// The messages whose last chunk comes next.
        var waiting: [(message: Message, item: Item)] = []
        var open = OpenExchanges<Item>()
        var fitted = QueryPlan.Fitted()
        var progress = [PatternSearch.Progress(), PatternSearch.Progress()]
        var hits: [[PatternSearch.Hit]] = [[], []]
        /// The chunks that may begin a message.
        var undecided = UndecidedChunks<Item>()
    }

    /// The query.
    public let query: FlowQuery
    private let plan: QueryPlan
    private var search: PatternSearch
    private var flows: [FlowID: Flow] = [:]
    /// The flows of which nothing fits.
    private var unwanted: Set<FlowID> = []
    private let proxy: @Sendable (Transport, Endpoint) -> String?
    /// The cost of all chunks that may begin a message, in bytes; those beyond the limit count as no message.
    private var undecidedCost = 0
    private static var undecidedLimit: Int { 16 << 20 }
    private static var mostHits: Int { 64 }

    /// Creates a query that has seen no record.
    ///
    /// - Parameters:
    ///   - query: The query.
    ///   - proxy: Returns the name of the route that listens at an endpoint.
    public init(_ query: FlowQuery, proxy: @escaping @Sendable (Transport, Endpoint) -> String? = { _, _ in nil }) {
        self.query = query
        self.proxy = proxy
        plan = QueryPlan(query)
        search = PatternSearch(plan.patterns)
    }

    /// The number of flows with state.
    var count: Int { flows.count + unwanted.count }

    /// Judges the next record.
    ///
    /// - Parameters:
    ///   - record: The record.
    ///   - bytes: The bytes of its chunk, if it has any and the query needs them.
    ///   - process: Returns the process of the flow's client; nil if that is not known here.
    ///   - keep: Returns what has to be kept of the record, and its cost in bytes.
    ///   - show: Shows a record that was kept and now fits; it comes before this one.
    /// - Returns: Whether to show the record.
    public mutating func take(
        _ record: FlowRecord,
        _ bytes: RawSpan,
        process: () -> ProcessAnswer?,
        keep: () -> (item: Item, cost: Int),
        show: (Item) -> Void
    ) -> Bool {
        var isLast = false
        if case .closed = record.happening { isLast = true }
        if unwanted.contains(record.flow) {
            if isLast { unwanted.remove(record.flow) }
            return false
        }
        var flow = flows.removeValue(forKey: record.flow) ?? begin(record)
        if flow.facts.process == nil, query.needs.contains(.process) { flow.facts.process = process() }
        let fits = judge(record, bytes, &flow, keep, show)
        if !isLast { flows[record.flow] = flow }
        return fits
    }

    private func begin(_ record: FlowRecord) -> Flow {
        var flow = Flow(facts: LiveFlowFacts(record), began: record.moment.wallNanoseconds)
        if query.needs.contains(.proxy) { flow.facts.proxy = proxy(record.transport, record.path.listener) }
        return flow
    }

    private mutating func judge(
        _ record: FlowRecord,
        _ bytes: RawSpan,
        _ flow: inout Flow,
        _ keep: () -> (item: Item, cost: Int),
        _ show: (Item) -> Void
    ) -> Bool {
        flow.facts.path = record.path
        flow.facts.age = UInt64(max(record.moment.wallNanoseconds &- flow.began, 0))
        guard !flow.fits else { return true }
        switch record.happening {
        case .received, .forwarded: flow.facts.lastDatagram = flow.facts.age
        default: break
        }
        switch record.happening {
        case .opened, .connected: return judgeBeginning(&flow, keep)
        case .message(let message):
            if message.isUndecided {
                flow.undecided.mark(message.direction)
            } else {
                flow.waiting.append((message, keep().item))
            }
            return false
        case .forwarded(let chunk): return judge(chunk, bytes, &flow, keep, show)
        // What goes on of it is judged.
        case .received, .wire: return false
        case .refused(let error):
            flow.facts.hasFailed = true
            flow.facts.isUnanswered = error == .timedOut
            return judgeEvent(isError: true, &flow, show)
        case .mismatch: return judgeEvent(isError: true, &flow, show)
        case .toxic(let toxic) where toxic.effect == .reset:
            flow.facts.hasFailed = true
            return judgeEvent(isError: true, &flow, show)
        case .ended(let direction, _), .endForwarded(let direction):
            return judgeEvent(isError: false, endOf: direction, &flow, show)
        case .tls(.failed):
            flow.facts.hasFailed = true
            return judgeEvent(isError: true, &flow, show)
        case .dropped, .toxic, .tls: return judgeEvent(isError: false, &flow, show)
        case .closed(let close): return judge(close, &flow, show)
        }
    }

    // MARK: - Records

    private mutating func judgeBeginning(_ flow: inout Flow, _ keep: () -> (item: Item, cost: Int)) -> Bool {
        switch truth(flow, .beginning) {
        case .yes:
            flow.fits = true
            flow.isShown = true
            return true
        case .no where !query.asksEgress: unwanted.insert(flow.facts.id)
        case .no: break
        case .unknown:
            guard !flow.isShown else { return true }
            if flow.opening.count < 8 { flow.opening.append(keep().item) }
        }
        return false
    }

    private mutating func judge(
        _ chunk: ChunkRecord,
        _ bytes: RawSpan,
        _ flow: inout Flow,
        _ keep: () -> (item: Item, cost: Int),
        _ show: (Item) -> Void
    ) -> Bool {
        if chunk.direction == .upstream {
            flow.facts.bytesUp &+= UInt64(chunk.length)
        } else {
            flow.facts.bytesDown &+= UInt64(chunk.length)
        }
        let found = look(bytes, chunk, &flow)
        let isUndecided = flow.undecided.takeMark(chunk.direction)
        if !flow.waiting.isEmpty {
            let end = flow.facts.transport == .tcp ? Int(clamping: chunk.offset) + chunk.length : chunk.length
            let (fits, kept) = judgeMessages(end: end, &flow, show)
            if !fits, !kept.isEmpty {
                let (item, cost) = keep()
                flow.open.keep(item, of: kept, cost: cost)
            }
            // The last message may be followed by the beginning of another one.
            if fits || !kept.isEmpty || !isUndecided { return fits }
        }
        if isUndecided, let fits = judgeUndecided(found, chunk.direction, &flow, keep, show) { return fits }
        settle(chunk.direction, &flow, show)
        let fits = truth(flow, .plain(found: found, isError: false)) == .yes
        if fits { showOpening(&flow, show) }
        return fits
    }

    /// Judges a chunk that may begin a message, and keeps it if that decides.
    ///
    /// - Returns: Whether to show it now; nil if there is no room to keep it.
    private mutating func judgeUndecided(
        _ found: UInt64,
        _ direction: Direction,
        _ flow: inout Flow,
        _ keep: () -> (item: Item, cost: Int),
        _ show: (Item) -> Void
    ) -> Bool? {
        switch truth(flow, .undecided(found: found)) {
        case .yes:
            showOpening(&flow, show)
            return true
        case .no: return false
        case .unknown:
            let (item, cost) = keep()
            guard undecidedCost + cost <= Self.undecidedLimit else { return nil }
            guard flow.undecided.append(item, direction, cost: cost, found: found) else { return nil }
            undecidedCost += cost
            return false
        }
    }

    /// Decides about the chunks of a direction that turned out to begin no message.
    private mutating func settle(_ direction: Direction, _ flow: inout Flow, _ show: (Item) -> Void) {
        for chunk in takeUndecided(direction, &flow)
        where truth(flow, .plain(found: chunk.found, isError: false)) == .yes {
            showOpening(&flow, show)
            show(chunk.item)
        }
    }

    /// Removes the chunks of a direction that may begin a message.
    private mutating func takeUndecided(_ direction: Direction, _ flow: inout Flow) -> [UndecidedChunks<Item>.Chunk] {
        let chunks = flow.undecided.take(direction)
        undecidedCost -= chunks.reduce(0) { $0 + $1.cost }
        return chunks
    }

    /// Judges the messages that end in a chunk, or that go on after it.
    ///
    /// - Returns: Whether one fits, and those that their answers decide.
    private mutating func judgeMessages(end: Int, _ flow: inout Flow, _ show: (Item) -> Void) -> (Bool, [Message]) {
        var (fits, kept) = (false, [Message]())
        let waiting = flow.waiting
        flow.waiting.removeAll()
        for (message, item) in waiting {
            if let name = message.facts.serverName, flow.facts.names.count < 4 { flow.facts.names.append(name) }
            var exchange = Exchange(message)
            exchange.found = hits(of: message, upTo: end, &flow)
            let facts = flow
            var answered: [Item] = []
            let outcome = flow.open.judge(message, &exchange, { truth(facts, .message($0)) }, { answered.append($0) })
            plan.note(exchange, names: flow.facts.names, in: &flow.fitted)
            let first = takeUndecided(message.direction, &flow)
            switch outcome {
            case .shown:
                showOpening(&flow, show)
                for item in answered + first.map(\.item) { show(item) }
                show(item)
                fits = true
            case .kept:
                for chunk in first { flow.open.keep(chunk.item, of: [message], cost: chunk.cost) }
                flow.open.keep(item, of: [message], cost: message.cost)
                kept.append(message)
            case .left: break
            }
        }
        return (fits, kept)
    }

    private mutating func judgeEvent(
        isError: Bool,
        endOf direction: Direction? = nil,
        _ flow: inout Flow,
        _ show: (Item) -> Void
    ) -> Bool {
        // The end of a stream can end messages.
        _ = judgeMessages(end: .max, &flow, show)
        if let direction { settle(direction, &flow, show) }
        if isError, truth(flow, .plain(found: 0, isError: true)) == .yes { showOpening(&flow, show) }
        return flow.isShown
    }

    private mutating func judge(_ close: CloseRecord, _ flow: inout Flow, _ show: (Item) -> Void) -> Bool {
        for side in flow.progress.indices {
            var found: UInt64 = 0
            search.finish(&flow.progress[side]) { found |= 1 << UInt64($0.pattern) }
            flow.fitted.found |= found
        }
        flow.facts.close = close
        switch close.reason {
        case .clientReset, .serverReset, .refused: flow.facts.hasFailed = true
        default: break
        }
        _ = judgeMessages(end: .max, &flow, show)
        for direction in Direction.allCases { settle(direction, &flow, show) }
        let facts = flow
        var unanswered: [Item] = []
        flow.open.finish({ truth(facts, .message($0)) }, { unanswered.append($0) })
        if !unanswered.isEmpty { showOpening(&flow, show) }
        for item in unanswered { show(item) }
        let subject = LiveSubject(flow: flow.facts, matter: .plain(found: 0, isError: false), patterns: plan.patterns)
        if plan.truth(of: subject, flow.fitted, hasFailed: flow.facts.hasFailed) == .yes { showOpening(&flow, show) }
        return flow.isShown
    }

    // MARK: - Helpers

    private func truth(_ flow: Flow, _ matter: LiveSubject.Matter) -> Truth {
        query.truth(of: LiveSubject(flow: flow.facts, matter: matter, patterns: plan.patterns))
    }

    private func showOpening(_ flow: inout Flow, _ show: (Item) -> Void) {
        flow.isShown = true
        for item in flow.opening { show(item) }
        flow.opening = []
    }

    /// Searches a chunk, and returns the patterns of which a match ends in it.
    private mutating func look(_ bytes: RawSpan, _ chunk: ChunkRecord, _ flow: inout Flow) -> UInt64 {
        guard !search.isEmpty else { return 0 }
        let side = Int(chunk.direction.rawValue)
        let isDatagram = flow.facts.transport == .udp
        var (found, hits) = (UInt64(0), flow.hits[side])
        if isDatagram {
            flow.progress[side] = PatternSearch.Progress()
            hits = []
        } else if let offset = Int(exactly: chunk.offset), offset > flow.progress[side].offset {
            // Chunks were left out.
            search.skip(offset - flow.progress[side].offset, &flow.progress[side])
        }
        let note = { (hit: PatternSearch.Hit) in
            found |= 1 << UInt64(hit.pattern)
            if hits.count < Self.mostHits { hits.append(hit) }
        }
        if bytes.byteCount == chunk.length {
            search.add(bytes, to: &flow.progress[side], note)
            if isDatagram { search.finish(&flow.progress[side], note) }
        } else {
            search.skip(chunk.length, &flow.progress[side])
        }
        flow.hits[side] = hits
        flow.fitted.found |= found
        return found
    }

    /// Returns the patterns that are in a message; those of a whole one are removed.
    private func hits(of message: Message, upTo end: Int, _ flow: inout Flow) -> UInt64 {
        guard !search.isEmpty else { return 0 }
        let side = Int(message.direction.rawValue)
        let last = message.isUnfinished ? end : message.range.upperBound
        var bits: UInt64 = 0
        for hit in flow.hits[side] where hit.start >= message.range.lowerBound && hit.end <= last {
            bits |= 1 << UInt64(hit.pattern)
        }
        if !message.isUnfinished { flow.hits[side].removeAll { $0.end <= last } }
        return bits
    }
}
