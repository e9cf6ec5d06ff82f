public import WeirEngine
public import WeirWire

/// Reading the chunks that toxics hold, and deciding about them.
extension Supervisor {
    /// Returns chunks that wait for a decision, oldest first.
    ///
    /// - Parameters:
    ///   - route: the route of the chunks; if nil, any.
    ///   - limit: the maximum number of chunks.
    /// - Returns: the chunks with their bytes.
    public func heldChunks(route: Int? = nil, limit: Int = 100) async -> [HeldChunk] {
        var all: [HeldChunk] = []
        for loop in shared.loops { all += await on(loop) { $0.heldChunks(route, limit) } ?? [] }
        return Array(all.sorted(by: HeldChunk.isOlder).prefix(limit))
    }

    /// Decides about a held chunk.
    ///
    /// - Returns: false if it is no longer held.
    public func decide(
        _ number: UInt64,
        of toxic: String,
        _ direction: Direction,
        flow: FlowID,
        _ decision: HoldDecision
    ) async -> Bool {
        for loop in shared.loops {
            let chunk = HeldChunk.Name(direction, toxic: toxic, number: number)
            let isDone = await on(loop) { $0.decide(chunk, flow: flow, decision) }
            if isDone ?? false { return true }
        }
        return false
    }
}

extension HeldChunk {
    fileprivate static func isOlder(_ left: HeldChunk, _ right: HeldChunk) -> Bool {
        (left.since, left.flow.rawValue, left.number) < (right.since, right.flow.rawValue, right.number)
    }
}

extension FlowHost {
    fileprivate func heldChunks(_ route: Int?, _ limit: Int) -> [HeldChunk] {
        var found: [HeldChunk] = []
        for relayed in flows where (route ?? relayed.route) == relayed.route {
            for var chunk in relayed.flow.heldChunks {
                chunk.route = relayed.route
                found.append(chunk)
            }
        }
        return Array(found.sorted(by: HeldChunk.isOlder).prefix(limit))
    }

    fileprivate func decide(_ chunk: HeldChunk.Name, flow: FlowID, _ decision: HoldDecision) -> Bool {
        guard let relayed = find(flow) else { return false }
        // What is due by now goes on first: it is no longer held.
        dispatch(relayed, .wake)
        guard relayed.flow.heldChunks.contains(where: { $0.name == chunk }) else { return false }
        dispatch(relayed, .decided(chunk, decision))
        return true
    }
}
