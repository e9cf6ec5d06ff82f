public import WeirWire

/// Describes a flow that is open, at one moment.
public struct FlowStatus: Hashable, Sendable {
    /// Numbers the flow.
    public var id: FlowID
    /// Says what carries it.
    public var transport: Transport
    /// Holds the endpoints as far as they are known.
    public var path: FlowPath
    /// Numbers the route that it came over.
    public var route = 0
    /// Says where it is in its life.
    public var phase: Phase
    /// Says when it began, in nanoseconds since 1970 UTC.
    public var openedWallNanoseconds: Int64
    /// Says how long ago that is.
    public var age: Duration
    /// Says how long nothing has moved.
    public var idle: Duration
    /// Counts what went to the server.
    public var upstream: Counters
    /// Counts what went to the client.
    public var downstream: Counters
    /// Counts the bytes that wait to go to the server.
    public var queuedUpstream: Int
    /// Counts the bytes that wait to go to the client.
    public var queuedDownstream: Int

    /// Lists where a flow can be in its life.
    public enum Phase: String, Hashable, Sendable, CaseIterable {
        /// The server's addresses are looked up.
        case resolving
        /// The server is being reached.
        case dialing
        /// Bytes move both ways.
        case open
        /// A side has reset, and what it sent before is delivered.
        case closing
    }
}

extension Flow {
    /// Describes the flow as it is now.
    public func status(at now: Instant) -> FlowStatus {
        let phase: FlowStatus.Phase =
            switch state {
            case .waiting: .resolving
            case .dialing: .dialing
            case .open: .open
            case .delivering, .closing, .resetting, .closed: .closing
            }
        return FlowStatus(
            id: id,
            transport: transport,
            path: path,
            phase: phase,
            openedWallNanoseconds: opened.wallNanoseconds,
            age: opened.instant.duration(to: now),
            idle: lastActivity.duration(to: now),
            upstream: up.counters,
            downstream: down.counters,
            queuedUpstream: queuedBytes(.upstream),
            queuedDownstream: queuedBytes(.downstream)
        )
    }

    /// Counts what a direction has moved.
    public func counters(_ direction: Direction) -> Counters { self[direction].counters }

    /// Counts the bytes of a direction that wait in its queue.
    public func queuedBytes(_ direction: Direction) -> Int { self[direction].queue.count }
}
