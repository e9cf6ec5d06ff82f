public import WeirWire

/// The state of an open flow at one moment.
public struct FlowStatus: Hashable, Sendable {
    /// The identifier of the flow.
    public var id: FlowID
    /// The transport of the flow.
    public var transport: Transport
    /// The endpoints, as far as they are known.
    public var path: FlowPath
    /// The number of the flow's route.
    public var route = 0
    /// The phase of its life.
    public var phase: Phase
    /// The time at which it began, in ns since 1970 UTC.
    public var openedWallNanoseconds: Int64
    /// The time since it began.
    public var age: Duration
    /// The time since a byte last moved.
    public var idle: Duration
    /// The counts of the direction to the server.
    public var upstream: Counters
    /// The counts of the direction to the client.
    public var downstream: Counters
    /// The number of bytes that wait to go to the server.
    public var queuedUpstream: Int
    /// The number of bytes that wait to go to the client.
    public var queuedDownstream: Int

    /// The phases of a flow's life.
    public enum Phase: String, Hashable, Sendable, CaseIterable {
        /// Weir is looking up the server's addresses.
        case resolving
        /// Weir is dialing the server.
        case dialing
        /// Bytes move both ways.
        case open
        /// A side has reset, or a toxic ends the flow, and earlier bytes are being delivered.
        case closing
    }
}

extension Flow {
    /// Returns the state of the flow.
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

    /// Returns the counts of a direction.
    public func counters(_ direction: Direction) -> Counters { self[direction].counters }

    /// Returns the number of bytes of a direction that wait in its queue, or that toxics hold.
    public func queuedBytes(_ direction: Direction) -> Int {
        self[direction].queue.count + self[direction].chain.heldBytes
    }
}
