public import WeirEngine
public import WeirWire

/// Reading and closing the open flows.
extension Supervisor {
    /// A choice among flows.
    public struct FlowFilter: Hashable, Sendable {
        /// The number that flows must exceed.
        public var after: UInt64 = 0
        /// The route of the flows; if nil, any.
        public var route: Int?
        /// The transport protocol of the flows; if nil, any.
        public var transport: Transport?

        /// Makes a filter that accepts every flow.
        public init() {}

        func takes(_ flow: borrowing Flow, route: Int) -> Bool {
            flow.id.rawValue > after && (self.route ?? route) == route
                && (transport ?? flow.transport) == flow.transport
        }
    }

    /// Returns open flows, in order of their numbers.
    ///
    /// - Parameters:
    ///   - filter: which flows to return.
    ///   - limit: the maximum number of flows.
    /// - Returns: the flows as they are now.
    /// - Complexity: O(n log n) for n open flows, partly on the loops' threads.
    public nonisolated func flows(_ filter: FlowFilter = FlowFilter(), limit: Int = 100) async -> [FlowStatus] {
        let found = await onEach { $0.flows(filter, limit: limit) }
        return Array(found.joined().sorted { $0.id.rawValue < $1.id.rawValue }.prefix(limit))
    }

    /// Finds an open flow.
    public nonisolated func flow(_ id: FlowID) async -> FlowStatus? {
        for loop in shared.loops {
            if let found = await on(loop, { $0.flow(id) }) ?? nil { return found }
        }
        return nil
    }

    /// Closes a flow: both sides see its end.
    ///
    /// - Returns: whether it was open.
    public nonisolated func closeFlow(_ id: FlowID) async -> Bool {
        for loop in shared.loops where await on(loop, { $0.dismiss(id) }) ?? false { return true }
        return false
    }

    /// Returns what has happened on each route, by its number, including open flows so far.
    public nonisolated func tallies() async -> [RouteTally] {
        var sum: [RouteTally] = []
        for part in await onEach({ $0.wholeTallies() }) {
            while sum.count < part.count { sum.append(RouteTally()) }
            for index in part.indices { sum[index].add(part[index]) }
        }
        return sum
    }
}

extension EventLoop {
    func flows(_ filter: Supervisor.FlowFilter, limit: Int) -> [FlowStatus] {
        let now = now().instant
        var found: [FlowStatus] = []
        for connection in tcp.connections.all where filter.takes(connection.flow, route: connection.route) {
            found.append(connection.flow.status(at: now, route: connection.route))
        }
        for session in udp.sessions.all where filter.takes(session.flow, route: session.route) {
            found.append(session.flow.status(at: now, route: session.route))
        }
        return Array(found.sorted { $0.id.rawValue < $1.id.rawValue }.prefix(limit))
    }

    func flow(_ id: FlowID) -> FlowStatus? {
        let now = now().instant
        if let connection = tcp.connection(id) { return connection.flow.status(at: now, route: connection.route) }
        return udp.session(id).map { $0.flow.status(at: now, route: $0.route) }
    }

    func dismiss(_ id: FlowID) -> Bool {
        if let connection = tcp.connection(id) {
            tcp.dismiss(connection)
            return true
        }
        guard let session = udp.session(id) else { return false }
        udp.end(session, .dismissed)
        return true
    }

    func wholeTallies() -> [RouteTally] {
        var whole = tallies
        func add(_ flow: borrowing Flow, _ route: Int) {
            while whole.count <= route { whole.append(RouteTally()) }
            whole[route].add(open: flow)
        }
        for connection in tcp.connections.all { add(connection.flow, connection.route) }
        for session in udp.sessions.all { add(session.flow, session.route) }
        return whole
    }
}

extension TCPRelay {
    /// Finds a flow by its number.
    func connection(_ id: FlowID) -> TCPConnection? { connections.find(id.rawValue) }
}

extension UDPRelay {
    /// Finds a session by its number.
    func session(_ id: FlowID) -> UDPSession? { sessions.find(id.rawValue) }
}

extension UDPSession {
    var route: Int { listener.listening.route }
}

extension Flow {
    fileprivate func status(at now: Instant, route: Int) -> FlowStatus {
        var status = status(at: now)
        status.route = route
        return status
    }
}
