public import WeirWire

/// Names the ways to show a stream.
public enum FollowForm: String, Hashable, Sendable, CaseIterable {
    /// Shows text, with everything that is not text escaped.
    case text
    /// Shows a hex dump.
    case hex
    /// Gives the bytes and nothing else.
    case raw
}

/// Renders what both sides of a captured flow sent, piece by piece, as the relay shows its chunks.
///
/// Text and hex are in the form that `text2pcap` reads: see `TerminalSink`. Raw bytes are those of the stream alone;
/// gaps leave no trace in them, and are in the report.
public struct FollowText: Sendable {
    private let form: FollowForm
    private let color: Bool
    private var timestamp: Timestamp
    private var lastTime: Int64 = 0
    private var dissector: FlowDissector?
    private var colors = FieldColors()

    /// Makes a renderer.
    ///
    /// - Parameters:
    ///   - form: how bytes are shown.
    ///   - color: whether lines are coloured with ANSI sequences.
    ///   - localOffset: how far local time is ahead of UTC.
    public init(_ form: FollowForm, color: Bool, localOffset: @escaping Timestamp.LocalOffset = { _ in 0 }) {
        self.form = form
        self.color = color
        timestamp = Timestamp(localOffset: localOffset)
    }

    /// Colours the fields of messages in dumps from now on, where there is colour at all.
    public mutating func dissect(_ transport: Transport, client: Endpoint, server: Endpoint) {
        guard color, form == .hex else { return }
        dissector = FlowDissector(transport, clientPort: client.port, serverPort: server.port)
    }

    /// Follows that the client has turned out to be the other side.
    public mutating func turn() { dissector?.turn() }

    /// Finds the fields in a piece, also in one that is not shown: what the other side says can depend on it.
    public mutating func read(_ piece: StreamPiece, _ bytes: RawSpan) {
        // Taken out, so that it can lend messages while the colours change.
        guard var dissector = self.dissector.take() else { return }
        defer { self.dissector = dissector }
        let isStream = dissector.isStream
        let start = isStream ? piece.offset : 0
        colors.begin(start..<(start + bytes.byteCount), piece.direction)
        guard piece.content == .bytes else {
            if isStream { dissector.skip(piece.count, piece.direction) { colors.add($0) } }
            return
        }
        dissector.add(bytes, piece.direction, at: piece.time) { colors.add($0) }
        if isStream { dissector.unfinished(piece.direction) { colors.add($0) } }
    }

    /// Renders a piece of a stream, which was read before where it is to be coloured; a datagram is one, too.
    public mutating func append(_ piece: StreamPiece, _ bytes: RawSpan, to output: inout ByteBuffer) {
        guard form != .raw else { return output.append(bytes) }
        begin(piece, &output)
        switch piece.content {
        case .bytes: break
        case .gap: output.append("  not captured")
        case .cut: output.append("  cut off by the capture's limit on packets")
        }
        if color { output.append("\u{1B}[0m") }
        output.append("\n")
        switch form {
        case .hex where dissector != nil: colors.append(bytes, to: &output)
        case .hex: HexDump.append(bytes, to: &output)
        case .text: EscapedText.append(bytes, to: &output)
        case .raw: break
        }
    }

    private mutating func begin(_ piece: StreamPiece, _ output: inout ByteBuffer) {
        if color {
            let isBytes = piece.content == .bytes
            output.append(!isBytes ? "\u{1B}[31m" : piece.direction == .upstream ? "\u{1B}[36m" : "\u{1B}[33m")
        }
        lastTime = piece.time ?? lastTime
        timestamp.appendTimeOfDay(lastTime, to: &output)
        output.append(" #")
        output.appendDecimal(piece.flow)
        output.append(piece.direction == .upstream ? " up    " : " down  ")
        output.appendCount(UInt64(piece.count), "byte")
        output.append(" @")
        output.appendDecimal(piece.offset)
    }
}

/// Renders what both sides of a captured flow sent as JSON lines.
///
/// Keys, in this order: `time` (RFC 3339, UTC, ns; null where it is not known), `flow`, `event` (`data`, `gap`, `report`),
/// `direction`; with `data`: `offset`, `length`, `bytes` (base64); with `gap`: `offset`, `length`, `reason` (`missing`,
/// `cut`); with `report` what `StreamReport` holds.
public struct FollowJSON: Sendable {
    private var timestamp = Timestamp()

    /// Makes a renderer.
    public init() {}

    /// Renders a piece of a stream, and a line feed.
    public mutating func append(_ piece: StreamPiece, _ bytes: RawSpan, to output: inout ByteBuffer) {
        output.append("{\"time\":")
        if let time = piece.time {
            output.append("\"")
            timestamp.appendRFC3339(time, to: &output)
            output.append("\"")
        } else {
            output.append("null")
        }
        begin(piece.content == .bytes ? "data" : "gap", piece.flow, piece.direction, &output)
        output.append(",\"offset\":")
        output.appendDecimal(piece.offset)
        output.append(",\"length\":")
        output.appendDecimal(piece.count)
        switch piece.content {
        case .bytes:
            output.append(",\"bytes\":\"")
            output.appendBase64(bytes)
            output.append("\"")
        case .gap: output.append(",\"reason\":\"missing\"")
        case .cut: output.append(",\"reason\":\"cut\"")
        }
        output.append("}\n")
    }

    /// Renders the report of a direction, and a line feed.
    public func append(_ report: StreamReport, flow: Int, _ direction: Direction, to output: inout ByteBuffer) {
        output.append("{\"time\":null")
        begin("report", flow, direction, &output)
        for (name, value) in [
            ("whole", report.isWhole), ("syn", report.hasStart), ("fin", report.hasEnd), ("rst", report.hasReset),
        ] {
            output.append(",\"\(name)\":\(value)")
        }
        for (name, value) in report.counts { output.append(",\"\(name)\":\(value)") }
        for (name, ranges) in [("conflicts", report.conflicts), ("gaps", report.gaps), ("cut", report.cut)] {
            output.append(",\"\(name)\":{\"count\":\(ranges.count),\"bytes\":\(ranges.bytes),\"ranges\":[")
            output.append(ranges.ranges.map { "[\($0.lowerBound),\($0.upperBound)]" }.joined(separator: ","))
            output.append("]}")
        }
        output.append("}\n")
    }

    private func begin(_ event: StaticString, _ flow: Int, _ direction: Direction, _ output: inout ByteBuffer) {
        output.append(",\"flow\":")
        output.appendDecimal(flow)
        output.append(",\"event\":\"")
        output.append(event)
        output.append(direction == .upstream ? "\",\"direction\":\"upstream\"" : "\",\"direction\":\"downstream\"")
    }
}

extension StreamReport {
    /// Gives the counts by the names that JSON has for them.
    fileprivate var counts: [(String, Int)] {
        [
            ("segments", segments), ("bytes", bytes), ("out_of_order", outOfOrder),
            ("retransmissions", retransmissions),
            ("retransmitted_bytes", retransmittedBytes), ("keep_alives", keepAlives), ("uncompared_bytes", uncompared),
            ("gaps_of_limit", gapsOfLimit), ("late_bytes", late), ("bytes_before_start", beforeStart),
            ("bytes_behind_end", behindEnd), ("bytes_missing_at_end", missingAtEnd), ("other_syns", otherStarts),
        ]
    }
}
