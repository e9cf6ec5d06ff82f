import WeirDissect
import WeirEngine
import WeirWire

/// A flow of a capture, with one of its messages or with none, for queries.
struct RowSubject: QuerySubject {
    let row: FlowRow
    /// The program of the client, if the capture names it.
    var process: String?
    /// The message; nil if the flow as a whole is asked, or bytes that belong to none.
    var exchange: Exchange?
    /// The names in the flow's hellos of TLS.
    var names: [String] = []
    /// The patterns to which the bits of `found` belong.
    var patterns: [SearchPattern] = []
    /// The patterns that were found where there is no message.
    var found: UInt64 = 0
    /// Whether the flow's failure is asked: that it was refused, not answered or reset.
    var isFailure = false
    /// The protocols of the flow, if its failure is asked.
    var protocols: Set<String> = []

    init(_ row: FlowRow) { self.row = row }

    var transport: Transport { row.flow.transport }
    var number: Int { row.number }

    func endpoints(_ side: FlowQuery.Side) -> [Endpoint] {
        let ends = [row.path?.client ?? row.flow.client, row.path?.server ?? row.flow.server]
        switch side {
        case .any: return ends + [row.path?.listener, row.path?.egress].compactMap { $0 }
        case .client: return [ends[0]]
        case .server: return [ends[1]]
        case .listener: return [row.path?.listener].compactMap { $0 }
        case .egress: return [row.path?.egress].compactMap { $0 }
        }
    }

    func ended(_ ending: FlowQuery.Ending) -> Truth {
        let closes = [row.close, row.flow.close, row.serverLeg?.flow.close]
        return Truth(closes.contains { $0.map { ending.holds($0) } ?? false })
    }

    func compares(_ quantity: FlowQuery.Quantity, _ comparison: FlowQuery.Comparison, _ value: UInt64) -> Truth {
        if comparison.holds(quantity.value(of: row.flow), value) { return .yes }
        return Truth(row.serverLeg.map { comparison.holds(quantity.value(of: $0.flow), value) } ?? false)
    }

    func hasProcess(_ name: Wildcard) -> Truth { Truth(process.map { name.matches($0) } ?? false) }

    /// Captures name no routes.
    func hasProxy(_ name: Wildcard) -> Truth { .no }

    func holds(_ word: FlowQuery) -> Truth {
        if let exchange { return exchange.holds(word, names: names, patterns: patterns) }
        switch word {
        case .contains(let pattern):
            return Truth(patterns.firstIndex(of: pattern).map { found >> UInt64($0) & 1 != 0 } ?? false)
        case .name(let wanted): return Truth(names.contains { wanted.matches($0) })
        case .error: return Truth(isFailure)
        case .speaks(let name): return Truth(isFailure && protocols.contains(name))
        default: return .no
        }
    }
}

extension FlowQuery {
    /// Returns whether a flow matches, without its messages and bytes; a flow with two joined legs matches if either of them
    /// does.
    public func matches(_ row: FlowRow) -> Bool { truth(of: RowSubject(row)) == .yes }
}

extension FlowQuery.Quantity {
    fileprivate func value(of flow: ObservedFlow) -> UInt64 {
        switch self {
        case .packets: UInt64(flow.packets)
        case .bytes: UInt64(flow.payload)
        case .packetsUp: UInt64(flow.packetsUp)
        case .packetsDown: UInt64(flow.packetsDown)
        case .bytesUp: UInt64(flow.payloadUp)
        case .bytesDown: UInt64(flow.payloadDown)
        case .duration: flow.duration ?? 0
        case .status, .took: 0
        }
    }
}

extension FlowRow {
    /// Whether the flow itself failed: it was refused, not answered, or reset.
    var hasFailed: Bool {
        switch close {
        case .refused, .unanswered, .clientReset, .serverReset: true
        default: false
        }
    }
}
