import WeirWire

/// The counts of one route: ended and open flows together.
///
/// A flow keeps its own counts while it lives; they are added here when it ends, or when a reader asks. Moving a byte
/// costs nothing extra.
public struct RouteTally: Hashable, Sendable {
    /// The counts of one direction.
    public struct Way: Hashable, Sendable {
        /// The counts of what went on, and what did not.
        public var counters = Counters()
        /// The number of bytes that wait in the queues of open flows.
        public var queuedBytes = 0

        /// Creates counts at zero.
        public init() {}

        mutating func add(_ other: Counters) {
            counters.bytes += other.bytes
            counters.chunks += other.chunks
            counters.droppedBytes += other.droppedBytes
            counters.droppedDatagrams += other.droppedDatagrams
        }
    }

    /// The number of flows that have begun.
    public var flows: UInt64 = 0
    /// The number of open flows.
    public var openFlows = 0
    /// The number of failed dials, and of datagrams that were answered with an error.
    public var refusals: UInt64 = 0
    /// The counts of the direction to the server.
    public var upstream = Way()
    /// The counts of the direction to the client.
    public var downstream = Way()
    /// The latencies of dials to the server.
    public var dials = LatencyHistogram()
    /// The latencies of echoes, if echo detection is on.
    public var echoes = LatencyHistogram()

    /// Creates a tally at zero.
    public init() {}

    /// Adds the counts of a flow that has ended.
    public mutating func add(ended flow: borrowing Flow) { addCounts(flow) }

    /// Adds the counts of an open flow, for a look at the whole.
    public mutating func add(open flow: borrowing Flow) {
        addCounts(flow)
        openFlows += 1
        upstream.queuedBytes += flow.queuedBytes(.upstream)
        downstream.queuedBytes += flow.queuedBytes(.downstream)
    }

    /// Counts what a record reports.
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
