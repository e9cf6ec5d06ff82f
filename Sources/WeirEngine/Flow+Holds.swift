public import WeirWire

/// A chunk that a `hold` keeps until a user decides.
public struct HeldChunk: Hashable, Sendable {
    /// The identifier of the flow.
    public var flow: FlowID
    /// The number of the flow's route.
    public var route = 0
    /// The direction of the chunk.
    public var direction: Direction
    /// The name of the toxic that holds it.
    public var toxic: String
    /// The number of the chunk among those that the toxic has held on this flow, from 1.
    public var number: UInt64
    /// The bytes of the chunk.
    public var bytes: [UInt8]
    /// The time of its arrival.
    public var since: Instant
    /// The time at which it goes on unchanged.
    public var until: Instant
}

extension Flow {
    /// The chunks that wait for a decision.
    public var heldChunks: [HeldChunk] {
        Direction.allCases.flatMap { direction in
            self[direction].chain.heldChunks.map { toxic, chunk in
                HeldChunk(
                    flow: id,
                    direction: direction,
                    toxic: toxic,
                    number: chunk.holdNumber ?? 0,
                    bytes: chunk.bytes,
                    since: chunk.arrivedAt,
                    until: chunk.due
                )
            }
        }
    }

    /// Decides about a chunk that is held.
    ///
    /// - Parameters:
    ///   - number: the chunk's number.
    ///   - toxic: the name of the toxic that holds it.
    ///   - direction: the direction of the chunk.
    ///   - decision: what happens to the chunk.
    ///   - now: the time.
    ///   - actions: receives the actions.
    /// - Returns: false if the chunk is no longer held.
    public mutating func decide(
        _ number: UInt64,
        of toxic: String,
        _ direction: Direction,
        _ decision: HoldDecision,
        at now: Moment,
        into actions: inout [FlowAction]
    ) -> Bool {
        advanceToxics(now, &actions)
        var output: [ToxicChain.Output] = []
        let isDone = self[direction].chain.decide(number, of: toxic, decision, at: now.instant, into: &output)
        apply(output, direction, now, &actions)
        updateDirect()
        settle(now, &actions)
        scheduleWake(now, &actions)
        return isDone
    }
}
