public import WeirWire

/// Tells a sink one thing that happened to one flow, at a time.
public struct FlowRecord: Hashable, Sendable {
    /// Numbers the flow.
    public var flow: FlowID
    /// Says what carries the flow.
    public var transport: Transport
    /// Holds the flow's endpoints as they are known at this time.
    public var path: FlowPath
    /// Says when it happened.
    public var moment: Moment
    /// Says what happened.
    public var happening: Happening

    /// Makes a record.
    public init(flow: FlowID, transport: Transport, path: FlowPath, moment: Moment, happening: Happening) {
        self.flow = flow
        self.transport = transport
        self.path = path
        self.moment = moment
        self.happening = happening
    }

    /// Lists what can happen to a flow.
    public enum Happening: Hashable, Sendable {
        /// The flow began; its first egress endpoint is known (nil where the dial never got one).
        case opened
        /// The dial succeeded, after a duration, on the path that the record holds; rerouted, where that is not the path
        /// of `opened`, because an earlier attempt failed.
        case connected(dial: Duration, isRerouted: Bool)
        /// The server, or the system on its behalf, refused: a dial failed, or a datagram was answered by an ICMP error.
        case refused(ErrorNumber)
        /// A chunk came in that a toxic has changed or holds; `forwarded` follows for what goes on.
        case received(ChunkRecord)
        /// A chunk went on to the other side. Where nothing changed it, this is the record of its arrival too.
        case forwarded(ChunkRecord)
        /// The source of a direction sent its last byte. Where toxics are, or were, on the direction, what came before may
        /// still be on its way (`isDelayed`): then `endForwarded` follows behind the last chunk, or `closed` does.
        case ended(Direction, isDelayed: Bool = false)
        /// What came downstream is not the echo that was expected.
        case mismatch(Mismatch)
        /// Bytes of a direction did not make it to the other side.
        case dropped(DropRecord)
        /// A toxic did something to the flow, beside what it did to chunks.
        case toxic(ToxicRecord)
        /// The end of a direction went on to the receiver: recorded where toxics are, or were, on the direction.
        case endForwarded(Direction)
        /// The flow ended.
        case closed(CloseRecord)

        /// Describes the chunk that came in, or went on; nil where something else happened.
        public var chunk: ChunkRecord? {
            switch self {
            case .received(let chunk), .forwarded(let chunk): chunk
            default: nil
            }
        }
    }
}

/// Describes one chunk of one direction: the bytes of one read of a stream, or one datagram.
public struct ChunkRecord: Hashable, Sendable {
    /// Says which way the chunk runs.
    public var direction: Direction
    /// Numbers the chunk in its direction, from 0.
    public var number: UInt64
    /// Counts the bytes of the direction before this chunk.
    public var offset: UInt64
    /// Counts the chunk's bytes.
    public var length: Int
    /// Says when the chunk was read; the record's own time says when it went on.
    public var receivedAt: Instant
    /// Says which upstream bytes this downstream chunk repeats, if it is an echo.
    public var echo: Echo?
    /// The endpoint on the server's side that sent this datagram or gets it, if it is not the server that was dialed.
    public var peer: Endpoint?
    /// Says that toxics had the chunk: a `received` record told its arrival.
    public var isTampered = false
    /// Lists what toxics have changed in it, with offsets in the chunk.
    public var changes: [ToxicChange] = []
    /// Says where the batch keeps the bytes: an offset into `RecordBatch.bytes`, or nil where no sink wants bytes.
    public var bytesOffset: Int?
    /// Lists the ranges of the chunk whose bytes the batch keeps, where that is not all of it: those that readers of messages
    /// look at.
    public var parts: [Range<Int>] = []

    /// Counts the bytes that the batch keeps.
    public var keptBytes: Int {
        guard bytesOffset != nil else { return 0 }
        return parts.isEmpty ? length : parts.reduce(0) { $0 + $1.count }
    }

    /// Makes the description of a chunk.
    public init(
        direction: Direction,
        number: UInt64,
        offset: UInt64,
        length: Int,
        receivedAt: Instant,
        echo: Echo? = nil,
        bytesOffset: Int? = nil
    ) {
        self.direction = direction
        self.number = number
        self.offset = offset
        self.length = length
        self.receivedAt = receivedAt
        self.echo = echo
        self.bytesOffset = bytesOffset
    }
}

/// Describes bytes or datagrams that were lost, and why.
public struct DropRecord: Hashable, Sendable {
    /// Says which way they were to run.
    public var direction: Direction
    /// Counts the bytes; 0 where only the number of datagrams is known.
    public var bytes: UInt64
    /// Counts the datagrams; 0 for a stream.
    public var datagrams: UInt64
    /// Says why.
    public var reason: DropReason

    /// Makes the description of a loss.
    public init(direction: Direction, bytes: UInt64, datagrams: UInt64 = 0, reason: DropReason) {
        self.direction = direction
        self.bytes = bytes
        self.datagrams = datagrams
        self.reason = reason
    }
}

/// Says why bytes were lost.
public enum DropReason: Hashable, Sendable, CustomStringConvertible {
    /// A side reset before they could be delivered.
    case reset
    /// The relay ended before they could be delivered.
    case shutdown
    /// The flow ended by its idle time-out or for another flow's sake.
    case closed
    /// The flow's queue was full.
    case queueFull
    /// The kernel's receive buffer was full before the relay read it.
    case receiveBufferFull
    /// The toxic with this name dropped them.
    case toxic(String)
    /// The datagram was longer than a datagram can be relayed, and was cut.
    case truncated
    /// The datagram came from this endpoint, which is not the server.
    case foreign(Endpoint)
    /// The kernel did not send it.
    case error(ErrorNumber)

    /// Says it in a few words.
    public var description: String {
        switch self {
        case .reset: "reset"
        case .shutdown: "shutdown"
        case .closed: "closed"
        case .queueFull: "queue full"
        case .receiveBufferFull: "receive buffer full"
        case .toxic(let name): "toxic \(ToxicRecord.quoted(name))"
        case .truncated: "truncated"
        case .foreign(let source): "from \(source), which is not the server"
        case .error(let error): error.description
        }
    }
}

/// Sums up a flow at its end.
public struct CloseRecord: Hashable, Sendable {
    /// Says why the flow ended.
    public var reason: CloseReason
    /// Counts what went upstream.
    public var upstream: Counters
    /// Counts what went downstream.
    public var downstream: Counters
    /// Says how long the flow was open.
    public var duration: Duration

    /// Makes the summary of a flow.
    public init(reason: CloseReason, upstream: Counters, downstream: Counters, duration: Duration) {
        self.reason = reason
        self.upstream = upstream
        self.downstream = downstream
        self.duration = duration
    }
}

/// Counts one direction of a flow.
public struct Counters: Hashable, Sendable {
    /// Counts the bytes that were forwarded.
    public var bytes: UInt64 = 0
    /// Counts the chunks that were forwarded.
    public var chunks: UInt64 = 0
    /// Counts the bytes that were read and did not reach the other side.
    public var droppedBytes: UInt64 = 0
    /// Counts the datagrams that did not reach the other side.
    public var droppedDatagrams: UInt64 = 0

    /// Makes counters that stand at zero.
    public init() {}
}
