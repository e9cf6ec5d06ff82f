import WeirDissect
public import WeirEngine
public import WeirWire

/// A sink that renders one JSON object for each record: the `--log` format.
///
/// A key keeps its meaning forever; new keys may be added.
///
/// Keys, in this order: `time` (RFC 3339, UTC, ns), `flow`, `event`, `transport`, `client`, `listener`, `egress`,
/// `server` (null if unknown), then those of the event; a message has what queries ask of it. Source: RFC 8259.
public struct JSONLinesSink: Sink {
    private let withBytes: Bool
    private let details: FlowDetails
    private let showsOriginals: Bool
    private var timestamp = Timestamp()
    private let dissects: Bool
    /// The messages whose last chunk comes next.
    private var waiting: [FlowRecord] = []

    /// Creates a sink.
    ///
    /// - Parameters:
    ///   - withBytes: whether to add each chunk's bytes in base64.
    ///   - dissects: whether to add an object for each message that ends in a chunk.
    ///   - showsOriginals: whether to add the chunks before toxics changed them, besides those that go on.
    ///   - details: the details that are added to `open`.
    public init(
        withBytes: Bool,
        dissects: Bool = false,
        showsOriginals: Bool = false,
        details: FlowDetails = FlowDetails()
    ) {
        self.withBytes = withBytes
        self.showsOriginals = showsOriginals
        self.details = details
        self.dissects = dissects
    }

    /// The interest in every chunk, with or without bytes.
    public var interest: Interest { withBytes ? .bytes : .chunks }

    /// The interest in messages, but not in their fields.
    public var messages: MessageInterest { dissects ? .summaries : .none }

    /// Appends one object and a line feed; a message's object follows that of its last chunk.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        if case .message = record.happening { return waiting.append(record) }
        // What is left of a flow's messages precedes its last object.
        let isLast = if case .closed = record.happening { true } else { false }
        if !isLast { renderRecord(record, bytes: bytes, into: &output) }
        for message in waiting { renderRecord(message, bytes: RawSpan(), into: &output) }
        if !waiting.isEmpty { waiting.removeAll(keepingCapacity: true) }
        if isLast { renderRecord(record, bytes: bytes, into: &output) }
    }

    /// Appends the object of one record at once.
    package mutating func renderRecord(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        if case .received = record.happening, !showsOriginals { return }
        output.appendJSONLine { json in
            begin(record.happening.eventName, record, &json)
            switch record.happening {
            case .opened:
                details.appendJSON(record, to: &json)
            case .connected(let dial, _):
                json.member("dial_ns", dial.inNanoseconds)
            case .refused(let error):
                json.member("error", error.name)
            case .received(let chunk):
                appendChunk(chunk, bytes, &json)
            case .forwarded(let chunk):
                appendChunk(chunk, bytes, &json)
                json.appendToxicMembers(of: chunk, at: record.moment)
            case .ended(let direction, _), .endForwarded(let direction):
                json.member("direction", direction)
            case .mismatch(let mismatch):
                appendMismatch(mismatch, &json)
            case .dropped(let drop):
                appendDrop(drop, &json)
            case .tls(let tls):
                json.appendMembers(of: tls)
            case .toxic(let toxic):
                json.member("direction", toxic.direction)
                json.appendToxicMembers(toxic)
            // No log has what was on the wire: its bytes are not those of the flow.
            case .wire: break
            case .message(let message):
                json.member("direction", message.direction)
                json.appendMembers(of: message, isOfStream: record.transport == .tcp)
                json.appendFacts(of: message)
            case .closed(let summary):
                appendClose(summary, &json)
            }
        }
    }

    /// Appends an object with the event `lost`, which belongs to no flow.
    public mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer) {
        output.appendJSONLine { json in
            json.member("event", "lost")
            json.member("chunks", chunks)
            json.member("length", bytes)
        }
    }

    private mutating func begin(_ event: StaticString, _ record: FlowRecord, _ json: inout JSONWriter) {
        json.member("time", record.moment.wallNanoseconds, by: &timestamp)
        json.member("flow", record.flow.rawValue)
        json.member("event", event)
        json.member("transport", record.transport)
        json.member("client", record.path.client)
        json.member("listener", record.path.listener)
        json.member("egress", record.path.egress)
        json.member("server", record.path.server)
    }

    private func appendChunk(_ chunk: ChunkRecord, _ bytes: RawSpan, _ json: inout JSONWriter) {
        json.member("direction", chunk.direction)
        json.member("offset", chunk.offset)
        json.member("length", chunk.length)
        if let peer = chunk.peer { json.member(chunk.direction == .upstream ? "to" : "from", peer) }
        if withBytes { json.member("bytes", base64: bytes) }
        guard let echo = chunk.echo else { return }
        json.member("echo_offset", echo.offset)
        json.member("echo_ns", echo.delay.inNanoseconds)
    }

    private func appendMismatch(_ mismatch: Mismatch, _ json: inout JSONWriter) {
        switch mismatch {
        case .refused: json.member("reason", "refused")
        case .unanswered(let datagrams): json.member("datagrams", datagrams)
        case .byte(let offset, let sent, let received, _):
            json.member("offset", offset)
            json.member("sent", sent)
            json.member("received", received)
        }
    }

    private func appendDrop(_ drop: DropRecord, _ json: inout JSONWriter) {
        json.member("direction", drop.direction)
        json.member("length", drop.bytes)
        if drop.datagrams > 0 { json.member("datagrams", drop.datagrams) }
        switch drop.reason {
        case .error(let error): json.member("reason", error.name)
        case .toxic: json.member("reason", "toxic")
        case .foreign: json.member("reason", "not the server")
        default: json.member("reason", drop.reason.description)
        }
        if case .foreign(let source) = drop.reason { json.member("from", source) }
        if case .toxic(let name) = drop.reason { json.member("toxic", name) }
    }

    private func appendClose(_ summary: CloseRecord, _ json: inout JSONWriter) {
        json.member("reason", summary.reason.rawValue)
        json.member("bytes_up", summary.upstream.bytes)
        json.member("bytes_down", summary.downstream.bytes)
        json.member("chunks_up", summary.upstream.chunks)
        json.member("chunks_down", summary.downstream.chunks)
        json.member("duration_ns", summary.duration.inNanoseconds)
        if summary.upstream.droppedBytes + summary.downstream.droppedBytes > 0 {
            json.member("dropped_up", summary.upstream.droppedBytes)
            json.member("dropped_down", summary.downstream.droppedBytes)
        }
    }
}

extension FlowRecord.Happening {
    /// The name of the event in `--log` and in the API's events.
    public var eventName: StaticString {
        switch self {
        case .opened: "open"
        case .connected: "connected"
        case .refused: "refused"
        case .received: "received"
        case .forwarded: "data"
        case .message: "message"
        case .ended: "end"
        case .mismatch: "mismatch"
        case .dropped: "dropped"
        case .toxic: "toxic"
        case .tls(.secured): "tls"
        case .tls(.failed): "tls_failed"
        case .tls(.truncated): "tls_truncated"
        case .tls(.bypassed): "tls_bypassed"
        case .tls(.unused): "tls_unused"
        case .wire: "wire"
        case .endForwarded: "end_forwarded"
        case .closed: "close"
        }
    }
}
