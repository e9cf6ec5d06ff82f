import WeirWire

/// Finds in the chunks of live flows the parts that readers of messages look at, so that no others are copied for them.
///
/// It runs on the event loop, where reading the heads of messages costs less than copying their bodies. Where it does not,
/// because messages are small or the bytes are none, a flow is left to its sinks for good, and its chunks are copied whole:
/// what a flow can cost is bounded by `patience`.
public struct PartFinder: Sendable {
    /// Bounds the bytes of a flow that are looked at beyond a quarter of all.
    static let patience = 128 << 10
    /// Bounds the parts of a chunk; one that has more is copied whole.
    static let partLimit = 64

    private var flows: [FlowID: ReadFlow] = [:]

    /// Makes a finder that knows of no flow.
    public init() {}

    /// Counts the flows of which something is kept.
    var count: Int { flows.count }

    /// Reads a record that sinks are to get, and says which bytes of its chunk are kept for them.
    ///
    /// - Parameters:
    ///   - record: what happened; each record of a flow comes here, in order.
    ///   - bytes: the chunk's bytes, if it has any.
    ///   - isWanted: says whether sinks look at a chunk of which nothing was found here.
    /// - Returns: the ranges of the chunk that are kept, none where nobody looks at it; nil for all of it.
    public mutating func parts(
        of record: FlowRecord,
        _ bytes: RawSpan,
        isWanted: (ChunkRecord) -> Bool
    ) -> [Range<Int>]? {
        switch record.happening {
        case .forwarded(let chunk):
            if record.transport == .tcp, let parts = flows[record.flow, default: ReadFlow(record)].parts(chunk, bytes) {
                return parts.count > Self.partLimit ? nil : parts
            }
            return isWanted(chunk) ? nil : []
        case .ended(let direction, isDelayed: false), .endForwarded(let direction): flows[record.flow]?.end(direction)
        case .closed: flows[record.flow] = nil
        default: break
        }
        return []
    }
}

/// Holds how far one flow was read on the event loop.
private struct ReadFlow: Sendable {
    /// Is as far as those of the sinks will be; nil where they are left alone.
    private var dissector: FlowDissector?
    private var ends: (up: UInt64, down: UInt64) = (0, 0)
    private var waste = 0

    init(_ record: FlowRecord) {
        dissector = FlowDissector(of: record, wantsFields: false)
    }

    /// Reads a chunk; nil says that nothing is known of it.
    mutating func parts(_ chunk: ChunkRecord, _ bytes: RawSpan) -> [Range<Int>]? {
        guard dissector != nil else { return nil }
        let isUp = chunk.direction == .upstream
        // Somebody showed bytes in between, and nothing was read here.
        guard chunk.offset == (isUp ? ends.up : ends.down), bytes.byteCount == chunk.length else {
            dissector = nil
            return nil
        }
        let end = chunk.offset + UInt64(chunk.length)
        if isUp { ends.up = end } else { ends.down = end }
        guard let (parts, effort) = dissector?.parts(of: bytes, chunk.direction) else { return nil }
        waste = max(0, waste + effort - chunk.length / 4)
        // What was found of this chunk is right; the next ones are copied whole.
        if waste > PartFinder.patience || dissector?.hasGivenUp == true { dissector = nil }
        return parts
    }

    mutating func end(_ direction: Direction) { dissector?.finish(direction) { _ in } }
}
