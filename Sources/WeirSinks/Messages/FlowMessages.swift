import WeirDissect
package import WeirEngine
package import WeirWire

/// A reader of the messages of live flows, from their records: on a thread of its own, never in the path of a byte.
///
/// A flow whose bytes no dissector recognizes is given up after its first chunks: nothing of it is kept or scanned any
/// more. `FlowDissector` limits the bytes held for one flow; this type limits those for all flows together.
package struct FlowMessages: Sendable {
    /// The maximum number of successive chunks of a direction without a message.
    static let patience: UInt16 = 128
    /// The maximum number of bytes held for all flows.
    static let heldLimit = 64 << 20

    private var flows: [FlowID: LiveFlow] = [:]
    private var givenUp: Set<FlowID> = []
    private var held = 0
    private var interest: MessageInterest
    /// The chunks whose bytes are read, for the event loops.
    private let demand: ByteDemand?

    /// Creates a reader that knows no flow.
    ///
    /// - Parameters:
    ///   - interest: the messages that are wanted.
    ///   - demand: is told which chunks' bytes are needed.
    package init(_ interest: MessageInterest = .none, demand: ByteDemand? = nil) {
        self.interest = interest
        self.demand = demand
    }

    /// The number of flows with state.
    var count: Int { flows.count }

    /// Reads other messages from now on; without any interest, what is known of the flows is forgotten.
    package mutating func follow(_ interest: MessageInterest) {
        guard interest != self.interest else { return }
        if interest == .none { self = FlowMessages(demand: demand) }
        self.interest = interest
    }

    /// Reads a record, and lends the messages that end with it; if all fields are wanted, also those that the next chunk
    /// continues, and one without a name for bytes of which it is not known yet whether they begin a message.
    package mutating func read(_ record: FlowRecord, _ bytes: RawSpan, to receiver: (Message) -> Void) {
        guard interest > .none else { return }
        switch record.happening {
        case .forwarded(let chunk):
            read(chunk, of: record, bytes, receiver)
            guard interest == .fields, record.transport == .tcp, let flow = flows[record.flow] else { return }
            flow.dissector.readUnfinished(chunk.direction, receiver)
        // A chunk that toxics hold back arrives after the end of its source.
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
        let state = flows[id, default: LiveFlow(record, interest == .fields)].read(
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
}

/// The progress of reading one flow.
private struct LiveFlow: Sendable {
    var dissector: FlowDissector
    private var ends: (up: UInt64, down: UInt64) = (0, 0)
    /// The number of chunks without a message, since the last one.
    private var unread: (up: UInt16, down: UInt16) = (0, 0)

    init(_ record: FlowRecord, _ wantsFields: Bool) {
        dissector = FlowDissector(of: record, wantsFields: wantsFields)
    }

    /// Reads a chunk; bytes of it that were not kept are skipped.
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
                // Chunks were left out, or nobody wanted messages then.
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
    /// Lends what goes on after the last chunk of a direction: a message, or bytes of which it is not known whether they
    /// begin one.
    fileprivate func readUnfinished(_ direction: Direction, _ receiver: Receiver) {
        var isFound = false
        unfinished(direction) { message in
            var message = message
            message.isUnfinished = true
            isFound = true
            receiver(message)
        }
        guard !isFound, let range = waitingBytes(direction) else { return }
        var message = Message()
        (message.direction, message.range, message.isUnfinished) = (direction, range, true)
        receiver(message)
    }

    /// Creates the state of a live flow, the same for all its readers.
    init(of record: FlowRecord, wantsFields: Bool) {
        // The client's own port identifies no service; the listener's was chosen for one, like the server's.
        self.init(
            record.transport,
            clientPort: record.path.listener.port,
            serverPort: record.path.server?.port ?? record.path.listener.port,
            wantsFields: wantsFields
        )
    }
}
