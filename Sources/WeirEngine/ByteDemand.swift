import Synchronization
package import WeirWire

/// The chunks whose bytes the reader of messages still needs, for event loops to ask: they do not copy the bytes of other
/// chunks for it.
///
/// The reader's thread sets the demand for a flow and direction, and loops ask; neither waits. If it was never set, or
/// was forgotten to make room for another flow, the bytes are wanted: an unneeded byte costs only its copy.
public final class ByteDemand: Sendable {
    /// The demand for one flow.
    private final class Place: Sendable {
        /// The flow's number plus one; 0 while it changes.
        let flow = Atomic<UInt64>(0)
        let upstream = Atomic<UInt64>(0)
        let downstream = Atomic<UInt64>(0)

        func offset(_ direction: Direction) -> UInt64 {
            direction == .upstream
                ? upstream.load(ordering: .acquiring) : downstream.load(ordering: .acquiring)
        }
    }

    private let places: [Place]

    /// Creates a demand for everything.
    ///
    /// - Parameter places: the number of flows for which it stores more, at least 1.
    public init(places: Int = 1024) {
        self.places = (0..<max(places, 1)).map { _ in Place() }
    }

    /// Sets the offset from which on the bytes of a direction are read; only one thread may call it.
    package func want(_ flow: FlowID, _ direction: Direction, from offset: UInt64) {
        let (place, name) = (places[Int(flow.rawValue % UInt64(places.count))], flow.rawValue &+ 1)
        if place.flow.load(ordering: .relaxed) != name {
            place.flow.store(0, ordering: .sequentiallyConsistent)
            place.upstream.store(0, ordering: .sequentiallyConsistent)
            place.downstream.store(0, ordering: .sequentiallyConsistent)
            place.flow.store(name, ordering: .sequentiallyConsistent)
        }
        switch direction {
        case .upstream: place.upstream.store(offset, ordering: .sequentiallyConsistent)
        case .downstream: place.downstream.store(offset, ordering: .sequentiallyConsistent)
        }
    }

    /// Returns whether the reader needs any byte of a chunk; callable on any thread.
    public func wants(_ chunk: ChunkRecord, of flow: FlowID) -> Bool {
        let (place, name) = (places[Int(flow.rawValue % UInt64(places.count))], flow.rawValue &+ 1)
        guard place.flow.load(ordering: .acquiring) == name else { return true }
        let offset = place.offset(chunk.direction)
        // The place may have become another flow's between the two reads.
        guard place.flow.load(ordering: .acquiring) == name else { return true }
        return chunk.offset &+ UInt64(chunk.length) > offset
    }
}
