import WeirWire

/// Counts what happened on one route: flows that have ended and flows that are open together.
///
/// A flow counts for itself while it lives; its counts are added here when it ends, or when somebody asks. Moving a byte
/// costs nothing for it.
public struct RouteTally: Hashable, Sendable {
    /// Counts one direction.
    public struct Way: Hashable, Sendable {
        /// Counts what went on, and what did not.
        public var counters = Counters()
        /// Counts the bytes that wait in the queues of flows that are open.
        public var queuedBytes = 0

        /// Makes counts that stand at zero.
        public init() {}

        mutating func add(_ other: Counters) {
            counters.bytes += other.bytes
            counters.chunks += other.chunks
            counters.droppedBytes += other.droppedBytes
            counters.droppedDatagrams += other.droppedDatagrams
        }
    }

    /// Counts the flows that have begun.
    public var flows: UInt64 = 0
    /// Counts the flows that are open.
    public var openFlows = 0
    /// Counts failed dials, and datagrams that were answered by an error.
    public var refusals: UInt64 = 0
    /// Counts what goes to the server.
    public var upstream = Way()
    /// Counts what goes to the client.
    public var downstream = Way()
    /// Counts how long it took to reach the server.
    public var dials = LatencyHistogram()
    /// Counts how long echoes took, where they are looked for.
    public var echoes = LatencyHistogram()

    /// Makes a tally that stands at zero.
    public init() {}

    /// Adds the counts of a flow that has ended.
    public mutating func add(ended flow: borrowing Flow) { addCounts(flow) }

    /// Adds the counts of a flow that is open, for a look at the whole.
    public mutating func add(open flow: borrowing Flow) {
        addCounts(flow)
        openFlows += 1
        upstream.queuedBytes += flow.queuedBytes(.upstream)
        downstream.queuedBytes += flow.queuedBytes(.downstream)
    }

    /// Takes notice of what a record says.
    public mutating func notice(_ happening: FlowRecord.Happening) {
        switch happening {
        case .opened: flows += 1
        case .connected(let dial, _): dials.add(dial)
        case .refused: refusals += 1
        case .forwarded(let chunk): if let echo = chunk.echo { echoes.add(echo.delay) }
        default: break
        }
    }

    /// Adds another tally of the same route.
    public mutating func add(_ other: RouteTally) {
        flows += other.flows
        openFlows += other.openFlows
        refusals += other.refusals
        upstream.add(other.upstream.counters)
        downstream.add(other.downstream.counters)
        upstream.queuedBytes += other.upstream.queuedBytes
        downstream.queuedBytes += other.downstream.queuedBytes
        dials.add(other.dials)
        echoes.add(other.echoes)
    }

    private mutating func addCounts(_ flow: borrowing Flow) {
        upstream.add(flow.counters(.upstream))
        downstream.add(flow.counters(.downstream))
    }
}
