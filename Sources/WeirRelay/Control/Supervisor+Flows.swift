import Glibc
import Synchronization
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

extension Supervisor {
    /// Joins two TCP connections that exist already to one flow of a route: what arrives on one leaves on the other.
    ///
    /// The flow is counted already (`Shared.reserveFlow`), and neither end blocks.
    ///
    /// - Parameters:
    ///   - client: the connection to the client.
    ///   - server: the connection to the server.
    ///   - route: the number of a route with a target.
    ///   - shown: the endpoints of the client's side that the flow has.
    /// - Returns: false if the relay has ended; both are closed then.
    nonisolated func adopt(
        client: consuming Descriptor,
        server: consuming Descriptor,
        route: Int,
        shown: (client: Endpoint, listener: Endpoint)
    ) -> Bool {
        let loop = shared.loops[shared.loopWithFewestFlows()]
        loop.flows.add(1, ordering: .relaxed)
        let accepted = AcceptedConnection(
            socket: SentDescriptor(client),
            client: shown.client,
            listener: shown.listener,
            route: route,
            server: SentDescriptor(server)
        )
        return loop.mailbox.post(.adopt(accepted))
    }

    /// Records a dial that failed, as a flow that was refused; not if as many flows are open as the limit allows.
    nonisolated func record(_ failed: FailedDial) {
        guard shared.reserveFlow() else { return }
        let loop = shared.loops[shared.loopWithFewestFlows()]
        loop.flows.add(1, ordering: .relaxed)
        loop.mailbox.post(.perform { ($0.carrier(of: .tcp) as? TCPCarrier)?.record(failed) })
    }
}

extension FlowHost {
    func flows(_ filter: Supervisor.FlowFilter, limit: Int) -> [FlowStatus] {
        let now = loop.now().instant
        let found = flows.filter { filter.takes($0.flow, route: $0.route) }.map { $0.status(at: now) }
        return Array(found.sorted { $0.id.rawValue < $1.id.rawValue }.prefix(limit))
    }

    func flow(_ id: FlowID) -> FlowStatus? { find(id)?.status(at: loop.now().instant) }

    func dismiss(_ id: FlowID) -> Bool {
        guard let relayed = find(id) else { return false }
        relayed.end(with: .dismissed)
        return true
    }

    func wholeTallies() -> [RouteTally] {
        var whole = loop.tallies
        for relayed in flows {
            while whole.count <= relayed.route { whole.append(RouteTally()) }
            whole[relayed.route].add(open: relayed.flow)
        }
        return whole
    }
}

extension RelayedFlow {
    fileprivate func status(at now: Instant) -> FlowStatus {
        var status = flow.status(at: now)
        status.route = route
        return status
    }
}
