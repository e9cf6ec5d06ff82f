public import WeirWire

/// One thing that happened to one flow, at a given time, for the sinks.
///
/// It has 64 bytes: what most records do not have is behind a reference.
public struct FlowRecord: Hashable, Sendable {
    /// The flow.
    public let subject: FlowSubject
    /// The time at which it happened.
    public var moment: Moment
    /// What happened.
    public var happening: Happening

    /// The identifier of the flow.
    public var flow: FlowID { subject.id }
    /// The transport of the flow.
    public var transport: Transport { subject.transport }
    /// The flow's endpoints, as far as they are known at this time.
    public var path: FlowPath { subject.path }
    /// Whether the client has a port: not if it was never connected, because the dial for it failed before.
    public var hasClientPort: Bool { transport == .udp || path.client.port != 0 }

    /// Creates a record.
    public init(of subject: FlowSubject, moment: Moment, happening: Happening) {
        self.subject = subject
        self.moment = moment
        self.happening = happening
    }

    /// Creates a record of a flow with these properties.
    public init(flow: FlowID, transport: Transport, path: FlowPath, moment: Moment, happening: Happening) {
        self.init(of: FlowSubject(flow, transport, path), moment: moment, happening: happening)
    }

    /// The kinds of things that can happen to a flow.
    public enum Happening: Hashable, Sendable {
        /// The flow began; its first egress endpoint is known (nil if the dial never got one).
        case opened
        /// The dial succeeded, after a duration, on the path in the record; rerouted, if that is not the path of
        /// `opened` because an earlier attempt failed.
        case connected(dial: Duration, isRerouted: Bool)
        /// The server, or the system on its behalf, refused: a dial failed, or an ICMP error answered a datagram.
        case refused(ErrorNumber)
        /// A chunk arrived that a toxic changed or holds; `forwarded` follows for what goes on.
        case received(ChunkRecord)
        /// A chunk went on to the other side. If nothing changed it, this is the record of its arrival too.
        case forwarded(ChunkRecord)
        /// The source of a direction sent its last byte. If toxics are, or were, on the direction, earlier bytes may
        /// still be on their way (`isDelayed`): then `endForwarded` follows after the last chunk, or `closed` does.
        case ended(Direction, isDelayed: Bool = false)
        /// The downstream bytes are not the expected echo.
        indirect case mismatch(Mismatch)
        /// Bytes of a direction did not reach the other side.
        indirect case dropped(DropRecord)
        /// A toxic did something to the flow, other than what it did to chunks.
        indirect case toxic(ToxicRecord)
        /// TLS did something to the flow.
        indirect case tls(TLSRecord)
        /// A socket of the flow sent or received something, as it is on the wire; only sinks that want it get the record.
        indirect case wire(WireRecord)
        /// The end of a direction went on to the receiver: recorded if toxics are, or were, on the direction.
        case endForwarded(Direction)
        /// A message was read, which ends in the chunk, or with the end, of the next record of the flow that is none; or
        /// a part of one that is longer (`isUnfinished`). A flow makes none: they are read between it and the sinks.
        indirect case message(Message)
        /// The flow ended.
        indirect case closed(CloseRecord)

        /// The chunk that arrived or went on; nil if something else happened.
        public var chunk: ChunkRecord? {
            switch self {
            case .received(let chunk), .forwarded(let chunk): chunk
            default: nil
            }
        }

        /// The place of the record's bytes in its batch; nil if there are none.
        var keptRange: Range<Int>? {
            switch self {
            case .received(let chunk), .forwarded(let chunk): chunk.bytesOffset.map { $0..<($0 + chunk.keptBytes) }
            case .wire(.bytes(let bytes)): bytes.bytesOffset.map { $0..<($0 + bytes.length) }
            default: nil
            }
        }
    }
}

/// The flow that records are about; a flow has a new one when its path changes.
public final class FlowSubject: Hashable, Sendable {
    /// The identifier of the flow.
    public let id: FlowID
    /// The transport of the flow.
    public let transport: Transport
    /// The flow's endpoints, as far as they are known.
    public let path: FlowPath

    /// Creates the description of a flow.
    public init(_ id: FlowID, _ transport: Transport, _ path: FlowPath) {
        self.id = id
        self.transport = transport
        self.path = path
    }

    /// Returns whether two descriptions say the same.
    public static func == (left: FlowSubject, right: FlowSubject) -> Bool {
        left === right || left.id == right.id && left.transport == right.transport && left.path == right.path
    }

    /// Hashes the flow's number.
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// Bytes or datagrams that were lost, and the reason.
public struct DropRecord: Hashable, Sendable {
    /// The direction in which they were going.
    public var direction: Direction
    /// The number of bytes; 0 if only the number of datagrams is known.
    public var bytes: UInt64
    /// The number of datagrams; 0 for a stream.
    public var datagrams: UInt64
    /// The reason.
    public var reason: DropReason

    /// Creates the description of a loss.
    public init(direction: Direction, bytes: UInt64, datagrams: UInt64 = 0, reason: DropReason) {
        self.direction = direction
        self.bytes = bytes
        self.datagrams = datagrams
        self.reason = reason
    }
}

/// The reason why bytes were lost.
public enum DropReason: Hashable, Sendable, CustomStringConvertible {
    /// A side reset before they could be delivered.
    case reset
    /// The relay ended before they could be delivered.
    case shutdown
    /// The flow ended by its idle time-out, or to make room for another flow.
    case closed
    /// The flow's queue was full.
    case queueFull
    /// The kernel's receive buffer was full before the relay read it.
    case receiveBufferFull
    /// The toxic with this name dropped them.
    case toxic(String)
    /// The datagram was longer than the relay can forward, and was cut.
    case truncated
    /// The datagram came from this endpoint, which is not the server.
    case foreign(Endpoint)
    /// The kernel did not send it.
    case error(ErrorNumber)

    /// The reason in a few words.
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

/// A summary of a flow at its end.
public struct CloseRecord: Hashable, Sendable {
    /// The reason why the flow ended.
    public var reason: CloseReason
    /// The counts of the upstream direction.
    public var upstream: Counters
    /// The counts of the downstream direction.
    public var downstream: Counters
    /// The time that the flow was open.
    public var duration: Duration

    /// Creates the summary of a flow.
    public init(reason: CloseReason, upstream: Counters, downstream: Counters, duration: Duration) {
        self.reason = reason
        self.upstream = upstream
        self.downstream = downstream
        self.duration = duration
    }
}

/// The counts of one direction of a flow.
public struct Counters: Hashable, Sendable {
    /// The number of bytes that were forwarded.
    public var bytes: UInt64 = 0
    /// The number of chunks that were forwarded.
    public var chunks: UInt64 = 0
    /// The number of bytes that were read and did not reach the other side.
    public var droppedBytes: UInt64 = 0
    /// The number of datagrams that did not reach the other side.
    public var droppedDatagrams: UInt64 = 0

    /// Creates counters at zero.
    public init() {}
}
