import Synchronization
import WeirWire

/// Tells event loops which chunks' bytes a sink still looks at, so that those of other chunks are not copied for it.
///
/// The sink's thread says it for a flow and direction, and loops ask; neither waits. What was never said, or was forgotten
/// for another flow's sake, is wanted: a byte too many costs its copy and nothing else.
public final class ByteDemand: Sendable {
    /// Holds what is known of one flow.
    private final class Place: Sendable {
        /// Holds the flow's number plus one; 0 while it changes.
        let flow = Atomic<UInt64>(0)
        let upstream = Atomic<UInt64>(0)
        let downstream = Atomic<UInt64>(0)

        func offset(_ direction: Direction) -> UInt64 {
            direction == .upstream
                ? upstream.load(ordering: .acquiring) : downstream.load(ordering: .acquiring)
        }
    }

    private let places: [Place]

    /// Makes a demand for everything.
    ///
    /// - Parameter places: of how many flows it knows more, at least 1.
    public init(places: Int = 1024) {
        self.places = (0..<max(places, 1)).map { _ in Place() }
    }

    /// Says from which offset on the bytes of a direction are looked at; one thread alone says it.
    func want(_ flow: FlowID, _ direction: Direction, from offset: UInt64) {
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

    /// Says whether any byte of a chunk is looked at; asked on any thread.
    public func wants(_ chunk: ChunkRecord, of flow: FlowID) -> Bool {
        let (place, name) = (places[Int(flow.rawValue % UInt64(places.count))], flow.rawValue &+ 1)
        guard place.flow.load(ordering: .acquiring) == name else { return true }
        let offset = place.offset(chunk.direction)
        // The place may have become another flow's between the two reads.
        guard place.flow.load(ordering: .acquiring) == name else { return true }
        return chunk.offset &+ UInt64(chunk.length) > offset
    }
}
