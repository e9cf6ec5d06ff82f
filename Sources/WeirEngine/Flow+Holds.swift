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

extension HeldChunk {
    /// What identifies a held chunk within its flow.
    public struct Name: Hashable, Sendable {
        /// The direction of the chunk.
        public var direction: Direction
        /// The name of the toxic that holds it.
        public var toxic: String
        /// The number of the chunk among those that the toxic has held on this flow, from 1.
        public var number: UInt64

        /// Creates the name of a chunk.
        public init(_ direction: Direction, toxic: String, number: UInt64) {
            self.direction = direction
            self.toxic = toxic
            self.number = number
        }
    }

    /// The name of the chunk.
    public var name: Name { Name(direction, toxic: toxic, number: number) }
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

    /// Decides about a chunk; does nothing if it is no longer held.
    mutating func decide(_ chunk: HeldChunk.Name, _ decision: HoldDecision, _ turn: inout Turn) {
        advanceToxics(&turn)
        var output: [ToxicChain.Output] = []
        let now = turn.now.instant
        guard self[chunk.direction].chain.decide(chunk.number, of: chunk.toxic, decision, at: now, into: &output)
        else { return }
        apply(output, chunk.direction, &turn)
        updateDirect()
    }
}
