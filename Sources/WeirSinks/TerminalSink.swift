public import WeirEngine
public import WeirWire

/// A sink that renders records as text for people and for `text2pcap`: the `--show` formats, and the final summary.
///
/// Outside a dump no line has a bare word of hex digits before a blank (a count follows a parenthesis), and any text
/// between two dumps begins with a time, so that `text2pcap` reads the whole output: it takes such a word for an
/// offset, and the text before a dump for its time. Control characters in the traffic never reach the terminal.
public struct TerminalSink: Sink {
    /// The form in which chunks are shown.
    public enum Show: String, Sendable, CaseIterable {
        /// A line and a hex dump for each chunk.
        case hex
        /// A line and the text of each chunk, with everything that is not text escaped.
        case text
        /// A line for each chunk.
        case summary
        /// Nothing.
        case none
    }

    private let show: Show
    private let limit: Int
    private let color: Bool
    private let showsOriginals: Bool
    private var timestamp: Timestamp
    private let details: FlowDetails
    private var summary: SummarySink
    private var ports: (any Sink)?
    private var lines: MessageLines?
    /// The last record's time, in ns since 1970 UTC, for a line that belongs to no record.
    private var lastTime: Int64 = 0

    /// Creates a sink.
    ///
    /// - Parameters:
    ///   - show: the form in which chunks are shown.
    ///   - limit: the maximum number of a chunk's bytes that are shown; 0 for all.
    ///   - color: whether lines are colored with ANSI sequences.
    ///   - dissects: whether a line under a chunk describes each message that ends in it.
    ///   - showsOriginals: whether chunks are shown as they were before toxics, besides those that go on.
    ///   - localOffset: how far local time is ahead of UTC.
    ///   - details: the details in an `open` line.
    ///   - ports: shows each flow's ports, and their allocators at the end; its output follows each record's own.
    public init(
        show: Show = .hex,
        limit: Int = 4096,
        color: Bool = false,
        dissects: Bool = false,
        showsOriginals: Bool = false,
        localOffset: @escaping Timestamp.LocalOffset = { _ in 0 },
        details: FlowDetails = FlowDetails(),
        ports: (any Sink)? = nil
    ) {
        self.details = details
        summary = SummarySink(details: details)
        self.ports = ports
        self.show = show
        self.limit = limit
        self.color = color
        self.showsOriginals = showsOriginals
        timestamp = Timestamp(localOffset: localOffset)
        if dissects, show != .none {
            lines = MessageLines(show, color: color, shown: limit, localOffset: localOffset)
        }
    }

    /// The interest: bytes for the dumps, lengths for the summaries, no chunks for `none`.
    public var interest: Interest {
        switch show {
        case .hex, .text: .bytes
        case .summary: .chunks
        case .none: .flows
        }
    }

    /// The interest in messages: with fields if they are colored.
    public var messages: MessageInterest { lines?.interest ?? .none }

    /// Renders the record's line, and its chunk's dump.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        summary.render(record, bytes: bytes, into: &output)
        defer { ports?.render(record, bytes: bytes, into: &output) }
        guard show != .none else { return }
        switch record.happening {
        case .message(let message):
            lines?.add(message)
            return
        case .received: if !showsOriginals { return }
        case .connected(_, let isRerouted): if !isRerouted { return }
        default: break
        }
        let shown = interest < .bytes ? 0 : limit == 0 ? bytes.byteCount : min(limit, bytes.byteCount)
        if case .forwarded(let chunk) = record.happening { lines?.begin(chunk, record.transport, shown: shown) }
        // What is left of a flow's messages precedes its last line.
        if case .closed = record.happening { lines?.append(of: record, to: &output) }
        begin(record, &output)
        switch record.happening {
        case .opened:
            output.append(" open   ")
            output.appendPath(record.path)
            details.appendText(record, to: &output)
        case .connected:
            output.append(" connected ")
            output.appendPath(record.path)
        case .refused(let error):
            appendRefusal(record.path, error, &output)
        case .received(let chunk), .forwarded(let chunk):
            appendChunk(chunk, record, &output)
            if shown < bytes.byteCount, interest == .bytes {
                output.append("  ")
                output.appendCount(UInt64(bytes.byteCount - shown), "byte")
                output.append(" not shown (--show-limit)")
            }
        case .ended(let direction, _):
            appendDirection(direction, &output)
            output.append("end")
        case .endForwarded(let direction):
            appendDirection(direction, &output)
            output.append("end forwarded")
        case .toxic(let toxic):
            appendDirection(toxic.direction, &output)
            output.appendToxic(toxic)
        case .mismatch(let mismatch):
            output.append(" down  mismatch")
            appendMismatch(mismatch, &output)
        case .dropped(let drop):
            appendDrop(drop, record.transport, &output)
        case .message: break
        case .closed(let close):
            appendClose(close, isEcho: record.path.server == nil && close.reason != .refused, &output)
        }
        endColor(&output)
        output.append("\n")
        switch record.happening {
        case .forwarded: appendBytes(bytes.extracting(first: shown), isRead: true, &output)
        case .received: appendBytes(bytes.extracting(first: shown), isRead: false, &output)
        default: break
        }
        lines?.append(of: record, to: &output)
    }

    /// Appends a chunk's bytes; if messages were read from them, with the colors of the fields.
    private mutating func appendBytes(_ bytes: RawSpan, isRead: Bool, _ output: inout ByteBuffer) {
        switch show {
        case .hex where isRead && lines != nil: lines?.appendDump(bytes, to: &output)
        case .hex: HexDump.append(bytes, to: &output)
        case .text: EscapedText.append(bytes, to: &output)
        case .summary, .none: break
        }
    }

    /// Appends how many chunks are not shown.
    public mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer) {
        guard show != .none else { return }
        timestamp.appendTimeOfDay(lastTime, to: &output)
        output.append(" ")
        output.appendCount(chunks, "chunk")
        output.append(" ")
        output.appendCount(bytes, "byte")
        output.append(" not shown: this output was too slow\n")
    }

    /// Renders the summary.
    public mutating func finish(into output: inout ByteBuffer) {
        if show != .none { summary.finish(into: &output) }
        ports?.finish(into: &output)
    }
}

// MARK: - Lines

extension TerminalSink {
    private mutating func begin(_ record: FlowRecord, _ output: inout ByteBuffer) {
        if color { output.append(Self.sequence(for: record.happening)) }
        lastTime = record.moment.wallNanoseconds
        timestamp.appendTimeOfDay(record.moment.wallNanoseconds, to: &output)
        output.append(" #")
        output.appendDecimal(record.flow.rawValue)
        switch record.happening {
        case .opened, .connected, .refused, .closed: output.append(record.transport == .tcp ? " tcp" : " udp")
        default: break
        }
    }

    private static func sequence(for happening: FlowRecord.Happening) -> StaticString {
        switch happening {
        case .opened, .connected: "\u{1B}[1m"
        case .forwarded(let chunk) where chunk.direction == .upstream: "\u{1B}[36m"
        case .forwarded, .received: "\u{1B}[33m"
        case .refused, .mismatch, .dropped, .toxic: "\u{1B}[31m"
        case .ended, .endForwarded, .closed, .message: "\u{1B}[2m"
        }
    }

    private func endColor(_ output: inout ByteBuffer) {
        if color { output.append("\u{1B}[0m") }
    }

    private func appendDirection(_ direction: Direction, _ output: inout ByteBuffer) {
        output.append(direction == .upstream ? " up    " : " down  ")
    }

    private func appendRefusal(_ path: FlowPath, _ error: ErrorNumber, _ output: inout ByteBuffer) {
        output.append(" refused ")
        if let egress = path.egress { egress.write(to: &output) } else { output.append("(no egress)") }
        output.append(" -> ")
        if let server = path.server { server.write(to: &output) } else { output.append("(no server)") }
        output.append(", ")
        output.append(error.description)
    }

    private func appendChunk(_ chunk: ChunkRecord, _ record: FlowRecord, _ output: inout ByteBuffer) {
        appendDirection(chunk.direction, &output)
        if case .received = record.happening { output.append("received ") }
        output.appendCount(UInt64(chunk.length), "byte")
        output.append(" @")
        output.appendDecimal(chunk.offset)
        if let peer = chunk.peer {
            output.append(chunk.direction == .upstream ? "  to " : "  from ")
            peer.write(to: &output)
        }
        output.appendToxics(of: chunk, at: record.moment)
        guard let echo = chunk.echo else { return }
        output.append("  echo of up @")
        output.appendDecimal(echo.offset)
        output.append(", ")
        output.appendDuration(echo.delay)
    }

    private func appendMismatch(_ mismatch: Mismatch, _ output: inout ByteBuffer) {
        switch mismatch {
        case .refused: output.append(", the server was not reached")
        case .unanswered(let datagrams):
            output.append(" ")
            output.appendCount(datagrams, "datagram")
            output.append(" never came back")
        case .byte(let offset, let sent, let received):
            output.append(" @")
            output.appendDecimal(offset)
            output.append(", sent ")
            output.append(sent.map { "0x" + String($0, radix: 16) } ?? "nothing")
            output.append(", came back ")
            output.append(received.map { "0x" + String($0, radix: 16) } ?? "nothing")
        }
    }

    private func appendDrop(_ drop: DropRecord, _ transport: Transport, _ output: inout ByteBuffer) {
        appendDirection(drop.direction, &output)
        output.append("dropped")
        output.appendLoss(bytes: drop.bytes, datagrams: drop.datagrams)
        output.append(", ")
        output.append(drop.reason.description)
    }

    private func appendClose(_ close: CloseRecord, isEcho: Bool, _ output: inout ByteBuffer) {
        output.append(" close  up ")
        output.appendCounters(close.upstream)
        if isEcho, close.downstream == Counters() {
            // An echo server's own answers are no separate traffic.
            output.append(" sent back ")
        } else {
            output.append(" down ")
            output.appendCounters(close.downstream)
            output.append(" ")
        }
        output.appendDuration(close.duration)
        output.append(", ")
        output.append(close.reason.rawValue)
    }
}

extension ByteBuffer {
    /// Appends the counts of one direction, and of its losses: `(14 bytes) (1 chunk) dropped (5 bytes)`.
    mutating func appendCounters(_ counters: Counters) {
        appendCount(counters.bytes, "byte")
        append(UInt8(ascii: " "))
        appendCount(counters.chunks, "chunk")
        guard counters.droppedBytes > 0 || counters.droppedDatagrams > 0 else { return }
        append(" dropped")
        appendLoss(bytes: counters.droppedBytes, datagrams: counters.droppedDatagrams)
    }

    /// Appends the counts that are not zero, or `(0 bytes)`, each after a blank.
    mutating func appendLoss(bytes: UInt64, datagrams: UInt64) {
        if datagrams > 0 {
            append(UInt8(ascii: " "))
            appendCount(datagrams, "datagram")
        }
        guard datagrams == 0 || bytes > 0 else { return }
        append(UInt8(ascii: " "))
        appendCount(bytes, "byte")
    }
}
