public import WeirEngine
public import WeirWire

/// A sink that renders records as text for people: the `--show` formats, and the final summary.
///
///     #3 tcp :36068 → :9000 ⇒ :44008 → db.internal:5432   psql 14501, alice
///     15:37:18.7608 #3 ▲ postgresql query select 1 as one           38 B @0
///       00000000  51 00 00 00 18 73 65 6c  65 63 74 20 31 20 61 73  |Q....select 1 as|
///     15:37:19.0020 #3 closed, finished in 0.24 s   ▲ 38 B  ▼ 64 B
///
/// On a terminal no line is wider than the terminal, and what says little is left out: addresses that the reader knows,
/// ends of directions that the flow's own end follows, and toxics that act as they were asked to. In a file lines are
/// whole and have dates. Control characters in the traffic never reach the terminal.
public struct TerminalSink: Sink {
    /// The form in which flows and chunks are shown.
    public enum Show: String, Sendable, CaseIterable {
        /// A line and a hex dump for each chunk.
        case hex
        /// A line and the text of each chunk, with everything that is not text escaped.
        case text
        /// A line for each message, or for a request with its answer.
        case messages
        /// A line for each chunk.
        case summary
        /// A line of ports for each flow.
        case ports
        /// A time and a hex dump for each chunk, as `text2pcap` reads them.
        case text2pcap
        /// Nothing.
        case none
    }

    /// What is shown, beside the form.
    public struct Options: Sendable {
        /// The maximum number of a chunk's bytes that are shown; 0 for all.
        public var limit = 4096
        /// Whether a chunk's line describes the messages that end in it.
        public var dissects = false
        /// Whether the fields of messages stand under the dump.
        public var showsFields = false
        /// Whether chunks are shown as they were before toxics, besides those that go on.
        public var showsOriginals = false
        /// Whether ends of directions, and toxics that act, have lines.
        public var isVerbose = false

        /// Creates the options of a sink that shows bytes alone.
        public init() {}
    }

    let show: Show
    let options: Options
    let details: FlowDetails
    private(set) var style: TerminalStyle
    /// A function that returns the terminal's width, which may change; nil if there is no terminal.
    private let width: (@Sendable () -> Int?)?
    private var widthIsKnownUntil = Int64.min
    var timestamp: Timestamp
    private var summary: SummarySink
    private var ports: (any Sink)?
    var lines: MessageLines?
    private var requests: RequestLines
    private var portRows = PortRows()
    /// The ends of directions that have no line yet.
    private var ends: [FlowID: [FlowRecord]] = [:]
    /// The toxics that were reported to change the length of a message.
    var warnedOf: Set<String> = []
    /// The last record's time, in ns since 1970 UTC, for a line that belongs to no record.
    private var lastTime: Int64 = 0

    /// Creates a sink.
    ///
    /// - Parameters:
    ///   - show: the form in which flows and chunks are shown.
    ///   - options: what is shown, beside the form.
    ///   - style: the reader.
    ///   - width: returns the terminal's width, which is asked for once a second; nil if it does not change.
    ///   - localOffset: how far local time is ahead of UTC.
    ///   - details: the details in the line of a flow that begins.
    ///   - ports: shows each flow's ports, and their allocators at the end; its output follows each record's own.
    public init(
        show: Show = .hex,
        _ options: Options = Options(),
        style: TerminalStyle = TerminalStyle(),
        width: (@Sendable () -> Int?)? = nil,
        localOffset: @escaping Timestamp.LocalOffset = { _ in 0 },
        details: FlowDetails = FlowDetails(),
        ports: (any Sink)? = nil
    ) {
        self.details = details
        self.ports = ports
        self.show = show
        self.options = options
        self.style = style
        self.width = width
        summary = SummarySink(details: details, style: style)
        timestamp = Timestamp(localOffset: localOffset)
        requests = RequestLines()
        switch show {
        case .hex, .text, .summary: lines = options.dissects ? MessageLines(show, options, style) : nil
        case .messages, .ports, .text2pcap, .none: lines = nil
        }
    }

    /// The interest: bytes for the dumps, lengths for the summaries, no chunks for ports and for `none`.
    public var interest: Interest {
        switch show {
        case .hex, .text, .text2pcap: .bytes
        case .summary, .messages: .chunks
        case .ports, .none: .flows
        }
    }

    /// The interest in messages: with fields if they are shown or colored.
    public var messages: MessageInterest { show == .messages ? .summaries : lines?.interest ?? .none }

    /// Renders the lines of a record, and its chunk's dump.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        summary.render(record, bytes: bytes, into: &output)
        lastTime = record.moment.wallNanoseconds
        if width != nil { followWidth() }
        switch show {
        case .hex, .text, .summary: renderWhole(record, bytes: bytes, into: &output)
        case .messages: renderMessages(record, into: &output)
        case .text2pcap: renderForText2pcap(record, bytes: bytes, into: &output)
        case .ports: renderPorts(record, into: &output)
        case .none: break
        }
        ports?.render(record, bytes: bytes, into: &output)
    }

    /// Asks for the terminal's width, at most once a second.
    private mutating func followWidth() {
        guard lastTime >= widthIsKnownUntil, let width = width?() else { return }
        widthIsKnownUntil = lastTime &+ 1_000_000_000
        style = TerminalStyle(width: width, isUnicode: style.isUnicode, color: style.color)
    }

    private mutating func renderWhole(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        switch record.happening {
        case .message(let message): lines?.add(message)
        case .received(let chunk):
            if options.showsOriginals { appendChunk(chunk, of: record, bytes, isOriginal: true, &output) }
        case .forwarded(let chunk):
            if !ends.isEmpty, let ended = ends.removeValue(forKey: record.flow) {
                for end in ended { appendEnd(end, &output) }
            }
            appendChunk(chunk, of: record, bytes, isOriginal: false, &output)
        case .ended, .endForwarded:
            // An end can complete messages, too.
            if lines?.isWaiting == true { appendMessages(of: record, &output) }
            if options.isVerbose {
                appendEnd(record, &output)
            } else if case .ended = record.happening {
                ends[record.flow, default: []].append(record)
            }
        case .closed:
            if !ends.isEmpty { ends[record.flow] = nil }
            // What is left of a flow's messages precedes its last line.
            appendMessages(of: record, &output)
            appendFlow(record, &output)
        case .opened, .connected, .refused, .mismatch, .dropped, .toxic, .tls: appendFlow(record, &output)
        case .wire: break
        }
    }

    private mutating func renderMessages(_ record: FlowRecord, into output: inout ByteBuffer) {
        for request in requests.expire(at: lastTime) { appendRequest(request, &output) }
        switch record.happening {
        case .message(let message):
            guard !message.isUnfinished else { return }
            for request in requests.add(message, record) { appendRequest(request, &output) }
        case .closed(let summary):
            for request in requests.close(record.flow) { appendRequest(request, &output) }
            // An end that is an error explains what was not answered.
            if [.clientReset, .serverReset].contains(summary.reason) { appendFlow(record, &output) }
        case .refused, .mismatch, .dropped, .tls(.failed), .tls(.unused): appendFlow(record, &output)
        case .opened, .connected, .received, .forwarded, .ended, .endForwarded, .toxic, .tls, .wire: break
        }
    }

    private mutating func renderForText2pcap(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        guard case .forwarded = record.happening, bytes.byteCount > 0 else { return }
        timestamp.appendTimeOfDay(record.moment.wallNanoseconds, to: &output)
        output.append("\n")
        HexDump.append(bytes.extracting(first: shownCount(of: bytes)), to: &output)
    }

    private mutating func renderPorts(_ record: FlowRecord, into output: inout ByteBuffer) {
        guard let row = portRows.row(of: record, details) else { return }
        let start = begin(record, &output)
        row.append(isAligned: true, style, to: &output)
        output.endLine(from: start, style)
    }

    /// Returns how many of a chunk's bytes are shown.
    func shownCount(of bytes: RawSpan) -> Int {
        options.limit == 0 ? bytes.byteCount : min(options.limit, bytes.byteCount)
    }

    /// Appends how many chunks are not shown.
    public mutating func renderLoss(chunks: UInt64, bytes: UInt64, into output: inout ByteBuffer) {
        guard interest > .flows, show != .text2pcap else { return }
        let start = output.count
        appendTime(lastTime, &output)
        output.append(" ")
        output.appendCount(chunks, "chunk")
        output.append(", ")
        output.appendDecimal(bytes)
        output.append(" B not shown: this output was too slow")
        output.endLine(from: start, style)
    }

    /// Renders what waited for more, and the summary.
    public mutating func finish(into output: inout ByteBuffer) {
        for request in requests.finish() { appendRequest(request, &output) }
        summary.style = style
        switch show {
        case .hex, .text, .summary, .messages: summary.finish(into: &output)
        case .ports, .text2pcap, .none: break
        }
        ports?.finish(into: &output)
    }
}

// MARK: - Parts of lines

extension TerminalSink {
    /// Appends a time of day on a terminal, a date and a time elsewhere.
    mutating func appendTime(_ time: Int64, _ output: inout ByteBuffer) {
        guard style.isTerminal else { return timestamp.appendDateAndTime(time, to: &output) }
        timestamp.appendTimeOfDay(time, to: &output)
        output.truncate(to: output.count - 2)
    }

    /// Begins a line with the record's time and its flow; returns where it begins.
    mutating func begin(_ record: FlowRecord, hasTime: Bool = true, _ output: inout ByteBuffer) -> Int {
        let start = output.count
        if hasTime {
            appendTime(record.moment.wallNanoseconds, &output)
            output.append(" ")
        }
        let flow = record.flow.rawValue
        if style.color { output.append(HexDump.colors[Int(truncatingIfNeeded: flow % UInt64(HexDump.colors.count))]) }
        output.append("#")
        output.appendDecimal(flow)
        if style.color { output.append("\u{1B}[0m") }
        output.append(" ")
        return start
    }

    /// Appends the sign of a direction, in its color.
    func appendSign(_ direction: Direction, _ output: inout ByteBuffer) {
        beginColor(direction.color, &output)
        output.append(style.sign(direction))
    }

    /// Begins a color, which `endColor` ends.
    func beginColor(_ sequence: StaticString, _ output: inout ByteBuffer) {
        if style.color { output.append(sequence) }
    }

    func endColor(_ output: inout ByteBuffer) { beginColor("\u{1B}[0m", &output) }
}
