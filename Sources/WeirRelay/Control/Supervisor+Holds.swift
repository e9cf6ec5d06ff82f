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
            let isDone = await on(loop) { $0.decide(number, of: toxic, direction, flow: flow, decision) }
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

extension EventLoop {
    fileprivate func heldChunks(_ route: Int?, _ limit: Int) -> [HeldChunk] {
        var found: [HeldChunk] = []
        func add(_ flow: borrowing Flow, _ number: Int) {
            guard (route ?? number) == number else { return }
            for var chunk in flow.heldChunks {
                chunk.route = number
                found.append(chunk)
            }
        }
        for connection in tcp.connections.all { add(connection.flow, connection.route) }
        for session in udp.sessions.all { add(session.flow, session.route) }
        return Array(found.sorted(by: HeldChunk.isOlder).prefix(limit))
    }

    fileprivate func decide(
        _ number: UInt64,
        of toxic: String,
        _ direction: Direction,
        flow: FlowID,
        _ decision: HoldDecision
    ) -> Bool {
        if let connection = tcp.connection(flow) {
            return tcp.change(connection) { $0.decide(number, of: toxic, direction, decision, at: $1, into: &$2) }
        }
        guard let session = udp.session(flow) else { return false }
        return udp.change(session) { $0.decide(number, of: toxic, direction, decision, at: $1, into: &$2) }
    }
}
