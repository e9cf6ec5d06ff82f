import WeirDissect
public import WeirEngine
public import WeirWire

/// A sink that renders one JSON object for each record: the `--log` format.
///
/// A key keeps its meaning forever; new keys may be added.
///
/// Keys, in this order: `time` (RFC 3339, UTC, ns), `flow`, `event`, `transport`, `client`, `listener`, `egress`,
/// `server` (null if unknown), then those of the event. Source: RFC 8259.
public struct JSONLinesSink: Sink {
    private let withBytes: Bool
    private let details: FlowDetails
    private let showsOriginals: Bool
    private var timestamp = Timestamp()
    private var messages: FlowMessages?

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
        if dissects { messages = FlowMessages(wantsFields: false, demand: withBytes ? nil : ByteDemand()) }
    }

    /// The chunks whose bytes the sink reads without logging them.
    public var demand: ByteDemand? { messages?.demand }

    /// The interest in every chunk, with or without bytes.
    public var interest: Interest { withBytes ? .bytes : .chunks }

    /// Appends one object and a line feed.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        guard messages != nil else { return renderRecord(record, bytes: bytes, into: &output) }
        // What is left of a flow's messages precedes its last object.
        let isLast = if case .closed = record.happening { true } else { false }
        if !isLast { renderRecord(record, bytes: bytes, into: &output) }
        renderMessages(record, bytes: bytes, into: &output)
        if isLast { renderRecord(record, bytes: bytes, into: &output) }
    }

    private mutating func renderRecord(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        switch record.happening {
        case .received(let chunk):
            guard showsOriginals else { return }
            begin("received", record, &output)
            appendChunk(chunk, bytes, &output)
        case .opened:
            begin("open", record, &output)
            details.appendJSON(record, to: &output)
        case .connected(let dial, _):
            begin("connected", record, &output)
            output.append(",\"dial_ns\":")
            output.appendDecimal(dial.inNanoseconds)
        case .refused(let error):
            begin("refused", record, &output)
            output.append(",\"error\":\"")
            output.append(error.name)
            output.append("\"")
        case .forwarded(let chunk):
            begin("data", record, &output)
            appendChunk(chunk, bytes, &output)
            output.appendToxicKeys(of: chunk, at: record.moment)
        case .ended(let direction, _):
            begin("end", record, &output)
            appendDirection(direction, &output)
        case .mismatch(let mismatch):
            begin("mismatch", record, &output)
            appendMismatch(mismatch, &output)
        case .dropped(let drop):
            begin("dropped", record, &output)
            appendDrop(drop, &output)
        case .toxic(let toxic):
            begin("toxic", record, &output)
            appendDirection(toxic.direction, &output)
            output.appendToxicKeys(toxic)
        case .endForwarded(let direction):
            begin("end_forwarded", record, &output)
            appendDirection(direction, &output)
        case .closed(let summary):
            begin("close", record, &output)
            appendClose(summary, &output)
        }
        output.append("}\n")
    }

    private mutating func renderMessages(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        // Moved out, so that it can lend messages while the sink changes.
        guard var messages = self.messages.take() else { return }
        messages.read(record, bytes) { message in
            begin("message", record, &output)
            appendDirection(message.direction, &output)
            output.appendMessageKeys(message, isOfStream: record.transport == .tcp)
            output.append("}\n")
        }
        self.messages = messages
    }

    /// Appends an object with the event `lost`, which belongs to no flow.
    public mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer) {
        output.append("{\"event\":\"lost\",\"chunks\":")
        output.appendDecimal(chunks)
        output.append(",\"length\":")
        output.appendDecimal(bytes)
        output.append("}\n")
    }

    private mutating func begin(_ event: StaticString, _ record: FlowRecord, _ output: inout ByteBuffer) {
        output.append("{\"time\":\"")
        timestamp.appendRFC3339(record.moment.wallNanoseconds, to: &output)
        output.append("\",\"flow\":")
        output.appendDecimal(record.flow.rawValue)
        output.append(",\"event\":\"")
        output.append(event)
        output.append(
            record.transport == .tcp ? "\",\"transport\":\"tcp\",\"client\":" : "\",\"transport\":\"udp\",\"client\":"
        )
        output.appendQuoted(record.path.client)
        output.append(",\"listener\":")
        output.appendQuoted(record.path.listener)
        output.append(",\"egress\":")
        output.appendQuoted(record.path.egress)
        output.append(",\"server\":")
        output.appendQuoted(record.path.server)
    }

    private func appendDirection(_ direction: Direction, _ output: inout ByteBuffer) {
        output.append(direction == .upstream ? ",\"direction\":\"upstream\"" : ",\"direction\":\"downstream\"")
    }

    private func appendChunk(_ chunk: ChunkRecord, _ bytes: RawSpan, _ output: inout ByteBuffer) {
        appendDirection(chunk.direction, &output)
        output.append(",\"offset\":")
        output.appendDecimal(chunk.offset)
        output.append(",\"length\":")
        output.appendDecimal(chunk.length)
        if let peer = chunk.peer {
            output.append(chunk.direction == .upstream ? ",\"to\":" : ",\"from\":")
            output.appendQuoted(peer)
        }
        if withBytes {
            output.append(",\"bytes\":\"")
            output.appendBase64(bytes)
            output.append("\"")
        }
        guard let echo = chunk.echo else { return }
        output.append(",\"echo_offset\":")
        output.appendDecimal(echo.offset)
        output.append(",\"echo_ns\":")
        output.appendDecimal(echo.delay.inNanoseconds)
    }

    private func appendMismatch(_ mismatch: Mismatch, _ output: inout ByteBuffer) {
        switch mismatch {
        case .refused: output.append(",\"reason\":\"refused\"")
        case .unanswered(let datagrams):
            output.append(",\"datagrams\":")
            output.appendDecimal(datagrams)
        case .byte(let offset, let sent, let received):
            output.append(",\"offset\":")
            output.appendDecimal(offset)
            output.append(",\"sent\":")
            if let sent { output.appendDecimal(Int(sent)) } else { output.append("null") }
            output.append(",\"received\":")
            if let received { output.appendDecimal(Int(received)) } else { output.append("null") }
        }
    }

    private func appendDrop(_ drop: DropRecord, _ output: inout ByteBuffer) {
        appendDirection(drop.direction, &output)
        output.append(",\"length\":")
        output.appendDecimal(drop.bytes)
        if drop.datagrams > 0 {
            output.append(",\"datagrams\":")
            output.appendDecimal(drop.datagrams)
        }
        output.append(",\"reason\":\"")
        switch drop.reason {
        case .error(let error): output.append(error.name)
        case .toxic: output.append("toxic")
        case .foreign: output.append("not the server")
        default: output.append(drop.reason.description)
        }
        output.append("\"")
        if case .foreign(let source) = drop.reason {
            output.append(",\"from\":")
            output.appendQuoted(source)
        }
        guard case .toxic(let name) = drop.reason else { return }
        output.append(",\"toxic\":")
        output.appendJSON(name)
    }

    private func appendClose(_ summary: CloseRecord, _ output: inout ByteBuffer) {
        output.append(",\"reason\":\"")
        output.append(summary.reason.rawValue)
        output.append("\",\"bytes_up\":")
        output.appendDecimal(summary.upstream.bytes)
        output.append(",\"bytes_down\":")
        output.appendDecimal(summary.downstream.bytes)
        output.append(",\"chunks_up\":")
        output.appendDecimal(summary.upstream.chunks)
        output.append(",\"chunks_down\":")
        output.appendDecimal(summary.downstream.chunks)
        output.append(",\"duration_ns\":")
        output.appendDecimal(summary.duration.inNanoseconds)
        if summary.upstream.droppedBytes + summary.downstream.droppedBytes > 0 {
            output.append(",\"dropped_up\":")
            output.appendDecimal(summary.upstream.droppedBytes)
            output.append(",\"dropped_down\":")
            output.appendDecimal(summary.downstream.droppedBytes)
        }
    }
}
