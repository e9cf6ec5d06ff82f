public import WeirDissect
import WeirEngine
public import WeirWire

/// The text form of flows: a table.
public struct FlowsText: Sendable {
    private let color: Bool
    private var timestamp: Timestamp
    private let widths: Widths

    private struct Widths {
        var number = 4
        var seconds = 8
        var packetsUp = 10
        var bytesUp = 8
        var packetsDown = 12
        var bytesDown = 8
    }

    /// Creates a renderer with columns that are wide enough for the given rows.
    ///
    /// - Parameters:
    ///   - rows: the rows to render.
    ///   - color: whether lines are colored with ANSI sequences.
    ///   - localOffset: how far local time is ahead of UTC.
    public init(_ rows: [FlowRow], color: Bool, localOffset: @escaping Timestamp.LocalOffset = { _ in 0 }) {
        self.color = color
        timestamp = Timestamp(localOffset: localOffset)
        var widths = Widths()
        for row in rows {
            widths.number = max(widths.number, Self.digits(row.number))
            widths.seconds = max(widths.seconds, Self.digits((row.flow.duration ?? 0) / 1_000_000_000) + 7)
            widths.packetsUp = max(widths.packetsUp, Self.digits(row.flow.packetsUp))
            widths.bytesUp = max(widths.bytesUp, Self.digits(row.flow.bytesUp))
            widths.packetsDown = max(widths.packetsDown, Self.digits(row.flow.packetsDown))
            widths.bytesDown = max(widths.bytesDown, Self.digits(row.flow.bytesDown))
        }
        self.widths = widths
    }

    /// Appends the line of headings.
    public func appendHeading(to output: inout ByteBuffer) {
        if color { output.append("\u{1B}[1m") }
        output.appendRight("flow", widths.number)
        output.append("  start                     ")
        output.append("  ")
        output.appendRight("seconds", widths.seconds)
        output.append("  ")
        output.appendRight("packets up", widths.packetsUp)
        output.append("  ")
        output.appendRight("bytes", widths.bytesUp)
        output.append("  ")
        output.appendRight("packets down", widths.packetsDown)
        output.append("  ")
        output.appendRight("bytes", widths.bytesDown)
        output.append("  close            client and server")
        if color { output.append("\u{1B}[0m") }
        output.append("\n")
    }

    /// Appends the line of a flow.
    public mutating func append(_ row: FlowRow, to output: inout ByteBuffer) {
        let flow = row.flow
        if color { output.append(Self.sequence(for: row.close)) }
        output.appendRight("\(row.number)", widths.number)
        output.append("  ")
        if let start = flow.start {
            timestamp.appendDateAndTime(start, to: &output)
        } else {
            output.append("no time                   ")
        }
        output.append("  ")
        appendSeconds(flow.duration, to: &output)
        for (count, width) in [
            (flow.packetsUp, widths.packetsUp), (flow.bytesUp, widths.bytesUp), (flow.packetsDown, widths.packetsDown),
            (flow.bytesDown, widths.bytesDown),
        ] {
            output.append("  ")
            output.appendRight("\(count)", width)
        }
        output.append("  ")
        output.appendLeft(row.close?.rawValue ?? "", 15)
        output.append(flow.transport == .tcp ? "  tcp " : "  udp ")
        appendEnds(row, to: &output)
        if let found = row.found { appendFound(found, to: &output) }
        if color { output.append("\u{1B}[0m") }
        output.append("\n")
    }

    /// Appends the endpoints: all four if the path is known.
    private func appendEnds(_ row: FlowRow, to output: inout ByteBuffer) {
        if let path = row.path { return output.appendPath(path) }
        row.flow.client.write(to: &output)
        output.append(" -> ")
        row.flow.server.write(to: &output)
    }

    /// Appends the protocol and the flow's identifying fields: `  tls sni example.com`.
    private func appendFound(_ found: FlowProbes.Found, to output: inout ByteBuffer) {
        output.append("  ")
        output.append(found.name)
        for finding in Finding.allCases {
            guard let text = found.findings[finding] else { continue }
            output.append(" ")
            output.append(finding.rawValue)
            output.append(" ")
            MessageText(escaping: text).append(to: &output)
        }
    }

    private func appendSeconds(_ duration: UInt64?, to output: inout ByteBuffer) {
        guard let duration else { return output.appendRight("", widths.seconds) }
        var text = ByteBuffer(capacity: 32)
        text.appendDecimal(duration / 1_000_000_000)
        text.append(".")
        text.appendDecimal(Int(duration % 1_000_000_000 / 1000), width: 6)
        output.appendRight(text.string, widths.seconds)
    }

    private static func sequence(for close: FlowClose?) -> StaticString {
        switch close {
        case .refused, .clientReset, .serverReset, .unanswered: "\u{1B}[31m"
        case .finished: "\u{1B}[2m"
        case .open, .clientFinished, .serverFinished, nil: ""
        }
    }

    private static func digits(_ number: some BinaryInteger) -> Int { "\(number)".utf8.count }
}

extension ByteBuffer {
    /// Appends ASCII text, padded with blanks on the left to a width.
    mutating func appendRight(_ text: String, _ width: Int) {
        for _ in 0..<max(width - text.utf8.count, 0) { append(UInt8(ascii: " ")) }
        append(text)
    }

    /// Appends ASCII text, padded with blanks on the right to a width.
    mutating func appendLeft(_ text: String, _ width: Int) {
        append(text)
        for _ in 0..<max(width - text.utf8.count, 0) { append(UInt8(ascii: " ")) }
    }
}

extension FlowsText {
    /// Appends the line below the flows: their number and counts, each flow once, and those of packets outside of flows.
    ///
    /// - Parameters:
    ///   - rows: the rows above the line.
    ///   - count: the number of all flows.
    ///   - flows: the flows, and the packets outside of them.
    ///   - output: receives the line.
    public func appendTotals(
        _ rows: [FlowRow],
        among count: Int,
        of flows: borrowing CaptureFlows,
        to output: inout ByteBuffer
    ) {
        let shown = rows.reduce(into: (packets: 0, bytes: 0)) { sum, row in
            sum.packets += row.flow.packets
            sum.bytes += row.flow.bytes
        }
        output.append("total: ")
        output.appendCount(UInt64(rows.count), "flow")
        if rows.count != count {
            output.append(" of ")
            output.appendDecimal(count)
        }
        output.append(" ")
        output.appendCount(UInt64(shown.packets), "packet")
        output.append(" ")
        output.appendCount(UInt64(shown.bytes), "byte")
        if flows.packetsOfNoFlow > 0 {
            output.append(", of no flow ")
            output.appendCount(UInt64(flows.packetsOfNoFlow), "packet")
            output.append(" ")
            output.appendCount(UInt64(flows.bytesOfNoFlow), "byte")
        }
        if flows.table.packetsLeftOut > 0 {
            output.append(", of flows beyond the most that are kept ")
            output.appendCount(UInt64(flows.table.packetsLeftOut), "packet")
            output.append(" ")
            output.appendCount(UInt64(flows.table.bytesLeftOut), "byte")
        }
        output.append("\n")
    }
}
