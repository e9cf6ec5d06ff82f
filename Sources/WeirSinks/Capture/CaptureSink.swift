public import WeirEngine
public import WeirWire

/// A sink that renders relayed traffic as a capture: packets that show what the relay's sockets sent and received.
///
/// TCP flows get whole connections: handshakes at the times of accept and dial, one or more packets for each chunk and
/// one acknowledgment, FIN and RST as they happened, with correct checksums and sequence numbers. A chunk is on both
/// legs: on its source's at the time when it was read, on the other when it went on. Chunks left out because of a slow
/// output are a gap in the sequence numbers, and counted in the statistics.
///
/// Flows with TLS are written decrypted, like all others, or each leg's own encrypted stream with its secrets (`CapturedFlow+Wire`).
///
/// Reading order: `CaptureSink`, `CapturedFlow`, `FrameWriter`, `Frame`.
///
/// Source: draft-ietf-opsawg-pcapng, RFC 9293, RFC 768.
public struct CaptureSink: Sink {
    private var frames: FrameWriter
    private var flows: [FlowID: CapturedFlow] = [:]

    /// Creates a sink.
    public init(_ settings: CaptureSettings) {
        frames = FrameWriter(settings)
    }

    /// Whether payloads are in the file; if not, packets are cut behind their headers.
    package var keepsPayloads: Bool {
        get { frames.keepsPayloads }
        set { frames.keepsPayloads = newValue }
    }

    /// The number of bytes of chunks that were summed up or copied to packets.
    package var payloadBytesRead: Int { frames.payloadBytesRead }

    /// Forgets a flow whose end was not recorded, so that another one can have its number.
    package mutating func forget(_ flow: FlowID) { flows[flow] = nil }

    /// The interest in every byte.
    public var interest: Interest { .bytes }

    /// Whether flows with TLS are written as they were on the wire.
    public var wantsWire: Bool { frames.settings.isCipher }

    /// False: a capture treats an echo like all other traffic.
    public var showsEchoes: Bool { false }

    /// Renders the head of a file: its section, its interfaces, and the names that are known so far.
    public mutating func begin(at time: Int64, into output: inout ByteBuffer) {
        frames.begin(at: time, to: &output)
    }

    /// Renders a record's packets, if it has any.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        let time = record.moment.wallNanoseconds
        let index = index(of: record, &output)
        guard !flows.values[index].isWire else { return renderWire(record, bytes, of: index, &output) }
        switch record.happening {
        case .connected(let dial, _):
            frames.introduce(record.path.server?.address, to: &output)
            flows.values[index].connect(record, after: dial, &frames, &output)
        case .refused(let error):
            flows.values[index].refuse(record, error, &frames, &output)
        case .received(let chunk):
            flows.values[index].receive(chunk, bytes, at: time, &frames, &output)
        case .forwarded(let chunk):
            let received = time &- chunk.receivedAt.duration(to: record.moment.instant).inNanoseconds
            flows.values[index].forward(chunk, bytes, received: received, at: time, &frames, &output)
        case .ended(let direction, _):
            flows.values[index].end(direction, at: time, &frames, &output)
        case .toxic(let toxic):
            flows.values[index].note(toxic)
        case .tls(let tls):
            flows.values[index].note(tls)
        case .endForwarded(let direction):
            flows.values[index].forwardEnd(direction, at: time, &frames, &output)
        case .dropped(let drop):
            flows.values[index].note(drop)
        case .closed(let close):
            flows.values[index].close(close.reason, at: time, &frames, &output)
            flows.remove(at: index)
        default: break
        }
    }

    /// Renders a record of a flow of which the file has what was on the wire; its chunks are in that.
    private mutating func renderWire(
        _ record: FlowRecord,
        _ bytes: RawSpan,
        of index: Dictionary<FlowID, CapturedFlow>.Index,
        _ output: inout ByteBuffer
    ) {
        let time = record.moment.wallNanoseconds
        switch record.happening {
        case .opened:
            frames.introduce(record.path.server?.address, to: &output)
            flows.values[index].dial(record, &frames, &output)
        case .connected(let dial, _):
            frames.introduce(record.path.server?.address, to: &output)
            flows.values[index].connect(record, after: dial, &frames, &output)
        case .refused(let error): flows.values[index].refuse(record, error, &frames, &output)
        case .toxic(let toxic): flows.values[index].note(toxic)
        case .tls(let tls): flows.values[index].note(tls)
        case .dropped(let drop): flows.values[index].note(drop)
        case .wire(.closed): flows.remove(at: index)
        case .wire(let wire): flows.values[index].write(wire, bytes, at: time, &frames, &output)
        default: break
        }
    }

    /// Returns the index of a record's flow, and begins the flow if it is new.
    private mutating func index(
        of record: FlowRecord,
        _ output: inout ByteBuffer
    ) -> Dictionary<FlowID, CapturedFlow>.Index {
        if let index = flows.index(forKey: record.flow) { return index }
        frames.introduce(record.path.server?.address, to: &output)
        var process: ClientProcess?
        if case .found(let found) = frames.settings.process?(record.flow) { process = found }
        var flow = CapturedFlow(record, process)
        flow.open(at: record.moment.wallNanoseconds, &frames, &output)
        flows[record.flow] = flow
        return flows.index(forKey: record.flow) ?? flows.startIndex
    }

    /// Counts the chunks that were left out.
    public mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer) {
        frames.lose(chunks)
    }

    /// Renders the statistics that end a file.
    public mutating func finish(into output: inout ByteBuffer) {
        frames.finish(to: &output)
    }
}
