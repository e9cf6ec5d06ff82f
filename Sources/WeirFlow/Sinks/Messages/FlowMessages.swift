import WeirWire

/// Reads the messages of live flows from the records that a sink gets: on the sink's thread, never on a byte's way.
///
/// A flow whose bytes no dissector takes is given up after its first chunks: nothing of it is kept or scanned any more.
/// What is held back is bounded for a flow by `FlowDissector`, and for all flows together here.
struct FlowMessages: Sendable {
    /// Bounds the chunks of a direction, one after another, in which no message was found.
    static let patience: UInt16 = 128
    /// Bounds the bytes that all flows hold back.
    static let heldLimit = 64 << 20

    private var flows: [FlowID: LiveFlow] = [:]
    private var givenUp: Set<FlowID> = []
    private var held = 0
    private let wantsFields: Bool
    /// Tells the loops which bytes are looked at; nil where a sink shows them all.
    let demand: ByteDemand?

    init(wantsFields: Bool, demand: ByteDemand? = nil) {
        self.wantsFields = wantsFields
        self.demand = demand
    }

    /// Counts the flows of which something is kept.
    var count: Int { flows.count }

    /// Reads a record, and lends the messages that end with it.
    mutating func read(_ record: FlowRecord, _ bytes: RawSpan, to receiver: FlowDissector.Receiver) {
        switch record.happening {
        case .forwarded(let chunk): read(chunk, of: record, bytes, receiver)
        // A chunk that toxics hold back comes behind the end of its source.
        case .ended(let direction, isDelayed: false), .endForwarded(let direction):
            let before = flows[record.flow]?.dissector.heldBytes ?? 0
            flows[record.flow]?.dissector.finish(direction, to: receiver)
            held += (flows[record.flow]?.dissector.heldBytes ?? 0) - before
        case .closed:
            givenUp.remove(record.flow)
            guard var flow = flows.removeValue(forKey: record.flow) else { return }
            held -= flow.dissector.heldBytes
            flow.dissector.finish(to: receiver)
        default: break
        }
    }

    private mutating func read(
        _ chunk: ChunkRecord,
        of record: FlowRecord,
        _ bytes: RawSpan,
        _ receiver: FlowDissector.Receiver
    ) {
        let id = record.flow
        guard givenUp.isEmpty || !givenUp.contains(id) else {
            if bytes.byteCount > 0 { demand?.want(id, chunk.direction, from: .max) }
            return
        }
        let before = flows[id]?.dissector.heldBytes ?? 0
        let state = flows[id, default: LiveFlow(record, wantsFields)].read(
            chunk,
            bytes,
            at: record.moment.wallNanoseconds,
            receiver
        )
        held += state.held - before
        guard !state.isOver, held <= Self.heldLimit else {
            held -= state.held
            flows[id] = nil
            givenUp.insert(id)
            for direction in Direction.allCases { demand?.want(id, direction, from: .max) }
            return
        }
        if bytes.byteCount > 0, state.wanted > chunk.offset + UInt64(chunk.length) {
            demand?.want(id, chunk.direction, from: state.wanted)
        }
    }

    /// Lends the message of a direction that goes on behind the last chunk.
    func unfinished(_ flow: FlowID, _ direction: Direction, to receiver: FlowDissector.Receiver) {
        flows[flow]?.dissector.unfinished(direction, to: receiver)
    }
}

/// Holds how far one flow was read.
private struct LiveFlow: Sendable {
    var dissector: FlowDissector
    private var ends: (up: UInt64, down: UInt64) = (0, 0)
    /// Counts the chunks in which no message was found, since the last one.
    private var unread: (up: UInt16, down: UInt16) = (0, 0)

    init(_ record: FlowRecord, _ wantsFields: Bool) {
        dissector = FlowDissector(of: record, wantsFields: wantsFields)
    }

    /// Reads a chunk; the bytes of it that were not kept pass.
    mutating func read(
        _ chunk: ChunkRecord,
        _ bytes: RawSpan,
        at time: Int64,
        _ receiver: FlowDissector.Receiver
    ) -> (held: Int, wanted: UInt64, isOver: Bool) {
        let direction = chunk.direction
        let isUp = direction == .upstream
        if (isUp ? unread.up : unread.down) < FlowMessages.patience {
            let end = isUp ? ends.up : ends.down
            let isStream = dissector.isStream
            if isStream, chunk.offset > end {
                // The output was too slow, and chunks were left out.
                dissector.skip(Int(clamping: chunk.offset - end), direction, to: receiver)
            }
            if isStream, !chunk.parts.isEmpty, bytes.byteCount == chunk.keptBytes {
                dissector.add(bytes, parts: chunk.parts, of: chunk.length, direction, at: time, to: receiver)
            } else if bytes.byteCount == chunk.length {
                dissector.add(bytes, direction, at: time, to: receiver)
            } else if isStream {
                dissector.pass(chunk.length, direction, at: time, to: receiver)
            }
            count(dissector.isReading(direction), isUp)
        }
        let end = chunk.offset + UInt64(chunk.length)
        if isUp { ends.up = end } else { ends.down = end }
        let isStopped = (isUp ? unread.up : unread.down) >= FlowMessages.patience
        let isOver = dissector.hasGivenUp || unread.up >= FlowMessages.patience && unread.down >= FlowMessages.patience
        let wanted = isStopped ? UInt64.max : dissector.isStream ? UInt64(clamping: dissector.wanted(direction)) : 0
        return (dissector.heldBytes, wanted, isOver)
    }

    private mutating func count(_ isRead: Bool, _ isUp: Bool) {
        if isUp { unread.up = isRead ? 0 : unread.up + 1 } else { unread.down = isRead ? 0 : unread.down + 1 }
    }
}

extension FlowDissector {
    /// Makes the state of a live flow, which all that read it make alike.
    init(of record: FlowRecord, wantsFields: Bool) {
        // The client's own port says nothing; the listener's was chosen for the service, as the server's was.
        self.init(
            record.transport,
            clientPort: record.path.listener.port,
            serverPort: record.path.server?.port ?? record.path.listener.port,
            wantsFields: wantsFields
        )
    }
}
