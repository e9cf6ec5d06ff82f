import WeirDissect
public import WeirEngine
import WeirWire

/// A finder of the parts of live flows' chunks that dissectors read, so that no others are copied for them.
///
/// It runs on the event loop, where reading the heads of messages costs less than copying their bodies. If that is not
/// so for a flow, because its messages are small or not recognized, the finder gives up that flow for good, and its
/// chunks are copied whole: `patience` limits what a flow can cost.
public struct MessageRangeFinder: Sendable {
    /// The maximum number of a flow's bytes that are read beyond a quarter of all.
    static let patience = 128 << 10
    /// The maximum number of parts of a chunk; one with more is copied whole.
    static let partLimit = 64

    private var flows: [FlowID: ReadFlow] = [:]

    /// Creates a finder that knows no flow.
    public init() {}

    /// The number of flows with state.
    var count: Int { flows.count }

    /// Reads a record for the sinks, and returns which bytes of its chunk are kept for them.
    ///
    /// - Parameters:
    ///   - record: the record; each record of a flow must be passed, in order.
    ///   - bytes: the chunk's bytes, if it has any.
    ///   - isWanted: returns whether sinks read a chunk in which nothing was found here.
    /// - Returns: the ranges of the chunk that are kept, none if no sink reads it; nil for all of it.
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

/// The progress of reading one flow on the event loop.
private struct ReadFlow: Sendable {
    /// A dissector in the same state as those of the sinks will be; nil if this flow was given up.
    private var dissector: FlowDissector?
    private var ends: (up: UInt64, down: UInt64) = (0, 0)
    private var waste = 0

    init(_ record: FlowRecord) {
        dissector = FlowDissector(of: record, wantsFields: false)
    }

    /// Reads a chunk; returns nil if nothing is known of it.
    mutating func parts(_ chunk: ChunkRecord, _ bytes: RawSpan) -> [Range<Int>]? {
        guard dissector != nil else { return nil }
        let isUp = chunk.direction == .upstream
        // A sink showed bytes in the meantime, and nothing was read here.
        guard chunk.offset == (isUp ? ends.up : ends.down), bytes.byteCount == chunk.length else {
            dissector = nil
            return nil
        }
        let end = chunk.offset + UInt64(chunk.length)
        if isUp { ends.up = end } else { ends.down = end }
        guard let (parts, effort) = dissector?.parts(of: bytes, chunk.direction) else { return nil }
        waste = max(0, waste + effort - chunk.length / 4)
        // The result for this chunk is right; the next ones are copied whole.
        if waste > MessageRangeFinder.patience || dissector?.hasGivenUp == true { dissector = nil }
        return parts
    }

    mutating func end(_ direction: Direction) { dissector?.finish(direction) { _ in } }
}
