public import WeirDissect
public import WeirWire

/// The ways to show a stream.
public enum FollowForm: String, Hashable, Sendable, CaseIterable {
    /// Text, with everything that is not text escaped.
    case text
    /// A hex dump.
    case hex
    /// The bytes and nothing else.
    case raw
    /// What `text2pcap` reads: a time and a hex dump for each piece.
    case text2pcap
}

/// The text form of what both sides of a captured flow sent, piece by piece, as the relay shows its chunks.
///
/// Raw output has only the stream's bytes, and the form for `text2pcap` only times and dumps; gaps leave no trace in them,
/// but are in the report.
public struct FollowText: Sendable {
    private let form: FollowForm
    private let color: Bool
    private let isUnicode: Bool
    private var timestamp: Timestamp
    private var lastTime: Int64 = 0
    private var dissector: FlowDissector?
    private var colors = FieldColors()

    /// Creates a renderer.
    ///
    /// - Parameters:
    ///   - form: how bytes are shown.
    ///   - color: whether lines are colored with ANSI sequences.
    ///   - isUnicode: whether text may have characters that ASCII does not have.
    ///   - localOffset: how far local time is ahead of UTC.
    public init(
        _ form: FollowForm,
        color: Bool,
        isUnicode: Bool = true,
        localOffset: @escaping Timestamp.LocalOffset = { _ in 0 }
    ) {
        self.form = form
        self.color = color
        self.isUnicode = isUnicode
        timestamp = Timestamp(localOffset: localOffset)
    }

    /// Colors the fields of messages in dumps from now on, if color is on.
    public mutating func dissect(_ transport: Transport, client: Endpoint, server: Endpoint) {
        guard color, form == .hex else { return }
        dissector = FlowDissector(transport, clientPort: client.port, serverPort: server.port)
    }

    /// Notes that the client turned out to be the other side.
    public mutating func turn() { dissector?.turn() }

    /// Finds the fields in a piece, even one that is not shown: the meaning of the other side's bytes can depend on it.
    public mutating func read(_ piece: StreamPiece, _ bytes: RawSpan) {
        // Moved out, so that it can lend messages while the colors change.
        guard var dissector = self.dissector.take() else { return }
        defer { self.dissector = dissector }
        let isStream = dissector.isStream
        dissector.enter(piece.layer)
        let start = isStream ? piece.offset : 0
        colors.begin(start..<(start + bytes.byteCount), piece.direction)
        guard piece.content == .bytes else {
            if isStream { dissector.skip(piece.count, piece.direction) { colors.add($0) } }
            return
        }
        dissector.add(bytes, piece.direction, at: piece.time) { colors.add($0) }
        if isStream { dissector.unfinished(piece.direction) { colors.add($0) } }
    }

    /// Appends a piece of a stream, or a datagram; to color its fields, pass it to `read` first.
    public mutating func append(_ piece: StreamPiece, _ bytes: RawSpan, to output: inout ByteBuffer) {
        guard form != .raw else { return output.append(bytes) }
        guard form != .text2pcap else { return append(forText2pcap: piece, bytes, to: &output) }
        begin(piece, &output)
        switch piece.content {
        case .bytes: break
        case .gap: output.append("  not captured")
        case .cut: output.append("  cut off by the capture's limit on packets")
        case .encrypted: output.append("  not decrypted")
        }
        if color { output.append("\u{1B}[0m") }
        output.append("\n")
        switch form {
        case .hex where dissector != nil: colors.append(bytes, to: &output)
        case .hex: HexDump.append(bytes, to: &output)
        case .text: EscapedText.append(bytes, isUnicode: isUnicode, to: &output)
        case .raw, .text2pcap: break
        }
    }

    private mutating func append(forText2pcap piece: StreamPiece, _ bytes: RawSpan, to output: inout ByteBuffer) {
        guard piece.content == .bytes, bytes.byteCount > 0 else { return }
        lastTime = piece.time ?? lastTime
        timestamp.appendTimeOfDay(lastTime, to: &output)
        output.append("\n")
        HexDump.append(bytes, to: &output)
    }

    private mutating func begin(_ piece: StreamPiece, _ output: inout ByteBuffer) {
        if color {
            let isBytes = piece.content == .bytes
            output.append(isBytes ? piece.direction.color : "\u{1B}[31m")
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

/// The JSON form of what both sides of a captured flow sent, one object a line.
///
/// Keys, in this order: `time` (RFC 3339, UTC, ns; null if it is not known), `flow`, `event` (`data`, `gap`, `report`),
/// `direction`; with `data`: `offset`, `length`, `bytes` (base64); with `gap`: `offset`, `length`, `reason` (`missing`,
/// `cut`, `encrypted`); with `report` the contents of `StreamReport`.
public struct FollowJSON: Sendable {
    private var timestamp = Timestamp()

    /// Creates a renderer.
    public init() {}

    /// Appends a piece of a stream, and a line feed.
    public mutating func append(_ piece: StreamPiece, _ bytes: RawSpan, to output: inout ByteBuffer) {
        output.appendJSONLine { json in
            json.member("time", piece.time, by: &timestamp)
            begin(piece.content == .bytes ? "data" : "gap", piece.flow, piece.direction, &json)
            json.member("offset", piece.offset)
            json.member("length", piece.count)
            switch piece.content {
            case .bytes: json.member("bytes", base64: bytes)
            case .gap: json.member("reason", "missing")
            case .cut: json.member("reason", "cut")
            case .encrypted: json.member("reason", "encrypted")
            }
        }
    }

    /// Appends the report of a direction, and a line feed.
    public func append(_ report: StreamReport, flow: Int, _ direction: Direction, to output: inout ByteBuffer) {
        output.appendJSONLine { json in
            json.member("time", nil as Int?)
            begin("report", flow, direction, &json)
            json.member("whole", report.isWhole)
            json.member("syn", report.hasStart)
            json.member("fin", report.hasEnd)
            json.member("rst", report.hasReset)
            for (key, value) in report.counts { json.member(key, value) }
            append("conflicts", report.conflicts, &json)
            append("gaps", report.gaps, &json)
            append("cut", report.cut, &json)
        }
    }

    private func append(_ key: StaticString, _ ranges: OffsetRanges, _ json: inout JSONWriter) {
        json.object(key) { json in
            json.member("count", ranges.count)
            json.member("bytes", ranges.bytes)
            json.array("ranges") { json in
                for range in ranges.ranges {
                    json.array { json in
                        json.element(range.lowerBound)
                        json.element(range.upperBound)
                    }
                }
            }
        }
    }

    private func begin(_ event: StaticString, _ flow: Int, _ direction: Direction, _ json: inout JSONWriter) {
        json.member("flow", flow)
        json.member("event", event)
        json.member("direction", direction)
    }
}

extension StreamReport {
    /// The counts with their keys in JSON.
    fileprivate var counts: [(StaticString, Int)] {
        [
            ("segments", segments), ("bytes", bytes), ("out_of_order", outOfOrder),
            ("retransmissions", retransmissions),
            ("retransmitted_bytes", retransmittedBytes), ("keep_alives", keepAlives), ("uncompared_bytes", uncompared),
            ("gaps_of_limit", gapsOfLimit), ("late_bytes", late), ("bytes_before_start", beforeStart),
            ("bytes_behind_end", behindEnd), ("bytes_missing_at_end", missingAtEnd), ("other_syns", otherStarts),
        ]
    }
}
