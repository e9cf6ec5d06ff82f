public import WeirDissect
public import WeirWire

/// The text form of a capture's summary.
public struct SummaryText: Sendable {
    private let color: Bool
    private var timestamp: Timestamp

    /// Creates a renderer.
    ///
    /// - Parameters:
    ///   - color: whether headings are highlighted with ANSI sequences.
    ///   - localOffset: how far local time is ahead of UTC.
    public init(color: Bool, localOffset: @escaping Timestamp.LocalOffset = { _ in 0 }) {
        self.color = color
        timestamp = Timestamp(localOffset: localOffset)
    }

    /// Appends the whole summary.
    ///
    /// - Parameters:
    ///   - summary: the counts.
    ///   - flows: the flows, and the fragments.
    ///   - numbers: the flows' legs: a flow counts once.
    ///   - damage: what is wrong with the files, a line each.
    ///   - output: receives the text.
    public mutating func append(
        _ summary: CaptureSummary,
        _ flows: borrowing CaptureFlows,
        _ numbers: FlowRows = FlowRows(),
        damage: [String],
        to output: inout ByteBuffer
    ) {
        appendCounts(summary, flows, numbers, &output)
        appendTimes(summary, &output)
        appendTable("protocols", summary.protocols.map { ("\($0.kind)", $0.count) }, of: summary.total, &output)
        appendTable("not decoded to the end", summary.reasons.map { ($0.name, $0.count) }, of: summary.total, &output)
        let talkers = summary.talkers(flows.table, most: 10)
        appendTable("top talkers", talkers.map { ("\($0.address)", $0.count) }, of: summary.total, &output)
        heading("damage", &output)
        let notes = damage + summary.notes(flows)
        if notes.isEmpty { output.append("  none\n") }
        for note in notes { output.append("  \(note)\n") }
    }

    private func appendCounts(
        _ summary: CaptureSummary,
        _ flows: borrowing CaptureFlows,
        _ numbers: FlowRows,
        _ output: inout ByteBuffer
    ) {
        heading("capture", &output)
        let types = summary.linkTypes.map { "\($0)" }.joined(separator: ", ")
        if !types.isEmpty { line("link type", types, &output) }
        if !summary.applications.isEmpty {
            line("written by", summary.applications.map(Self.printable).joined(separator: ", "), &output)
        }
        line("packets", "\(summary.total.packets)", &output)
        line("bytes", "\(summary.total.bytes), \(summary.capturedBytes) captured", &output)
        let kinds = numbers.kinds(in: flows.table)
        line("flows", "\(kinds.tcp) tcp, \(kinds.udp) udp", &output)
    }

    private mutating func appendTimes(_ summary: CaptureSummary, _ output: inout ByteBuffer) {
        guard let earliest = summary.earliest, let latest = summary.latest, let duration = summary.duration else {
            return
        }
        for (name, time) in [("first packet", earliest), ("last packet", latest)] {
            var text = ByteBuffer()
            timestamp.appendDateAndTime(time, to: &text)
            line(name, text.string, &output)
        }
        let seconds = Double(duration) / 1e9
        line("seconds", Self.fixed(seconds, 6), &output)
        guard duration > 0 else { return }
        line("packets/s", Self.fixed(Double(summary.total.packets) / seconds, 1), &output)
        line("Mbit/s", Self.fixed(Double(summary.total.bytes) * 8 / seconds / 1e6, 3), &output)
    }

    private func appendTable(
        _ title: String,
        _ rows: [(name: String, count: CaptureSummary.Count)],
        of total: CaptureSummary.Count,
        _ output: inout ByteBuffer
    ) {
        guard !rows.isEmpty else { return }
        heading(title, &output)
        let width = rows.map { $0.name.utf8.count }.max() ?? 0
        let packets = max("\(total.packets)".utf8.count, 7)
        let bytes = max("\(rows.map(\.count.bytes).max() ?? 0)".utf8.count, 5)
        output.append("  ")
        output.appendLeft("", width)
        output.append("  ")
        output.appendRight("packets", packets)
        output.append("       %  ")
        output.appendRight("bytes", bytes)
        output.append("       %\n")
        for row in rows {
            output.append("  ")
            output.appendLeft(row.name, width)
            output.append("  ")
            output.appendRight("\(row.count.packets)", packets)
            output.append("  ")
            output.appendRight(Self.percent(row.count.packets, of: total.packets), 6)
            output.append("  ")
            output.appendRight("\(row.count.bytes)", bytes)
            output.append("  ")
            output.appendRight(Self.percent(row.count.bytes, of: total.bytes), 6)
            output.append("\n")
        }
    }

    private func heading(_ text: String, _ output: inout ByteBuffer) {
        if color { output.append("\u{1B}[1m") }
        output.append(text)
        if color { output.append("\u{1B}[0m") }
        output.append("\n")
    }

    private func line(_ name: String, _ value: String, _ output: inout ByteBuffer) {
        output.append("  ")
        output.appendLeft(name, 14)
        output.append(value)
        output.append("\n")
    }

    private static func percent(_ part: Int, of whole: Int) -> String {
        fixed(whole > 0 ? 100 * Double(part) / Double(whole) : 0, 2)
    }

    /// Returns a number with a fixed number of decimal places.
    private static func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let rounded = (value * scale).rounded()
        guard rounded.isFinite, abs(rounded) < 1e18 else { return "\(value)" }
        let number = Int(rounded)
        let fraction = "\(abs(number) % Int(scale))"
        let zeros = String(repeating: "0", count: digits - fraction.utf8.count)
        return "\(number / Int(scale)).\(zeros)\(fraction)"
    }

    /// Returns a text from a file without characters that could control a terminal: only printable ASCII.
    private static func printable(_ text: String) -> String {
        String(text.unicodeScalars.filter { (0x20...0x7e).contains($0.value) }.map(Character.init))
    }
}

extension CaptureSummary {
    /// Returns the irregularities of the packets.
    func notes(_ flows: borrowing CaptureFlows) -> [String] {
        let fragments = flows.decoder.reassembler
        let counters = fragments.counters
        return [
            (cutPackets, "packet", "cut off by the capture's limit on packets"),
            (backwards, "packet", "with a time before that of the packet before"),
            (timeless, "packet", "without a time"),
            (Int(clamping: dropped), "packet", "dropped while capturing, as the capture says"),
            (fragments.waitingDatagrams, "datagram", "of which fragments are missing"),
            (counters.conflicting, "datagram", "whose fragments hold different bytes where they overlap"),
            (counters.evicted, "datagram", "given up since too many fragments waited"),
            (counters.refused, "fragment", "that there was no room for"),
            (flows.table.packetsLeftOut, "packet", "of flows beyond the most that are kept"),
        ].filter { $0.0 > 0 }
            .map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s") \($0.2)" }
    }
}
