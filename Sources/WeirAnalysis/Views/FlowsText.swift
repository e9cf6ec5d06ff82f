public import WeirDissect
import WeirEngine
public import WeirWire

/// The text form of flows: a table that fits its terminal.
///
/// In a pipe every cell is whole, and times have their dates. On a terminal the widest cells are cut, and endpoints lose
/// the addresses that say little: those of the loopback, and those that the cell had just before. Endpoints that a query names
/// are never cut as long as other columns can be left out.
public struct FlowsText: Sendable {
    private let style: TerminalStyle
    private var columns: [FlowColumn]
    /// The sides whose endpoints must be seen.
    private let named: Set<FlowQuery.Side>
    private var widths: [Int] = []
    /// How the endpoints of a flow are written, where there is room for it.
    private var ends = EndsForm(sides: EndsForm.all, isShort: false)
    private var timestamp: Timestamp

    /// The form of the endpoints of flows.
    struct EndsForm: Sendable {
        /// The sides that are shown.
        var sides: Set<FlowQuery.Side>
        /// Whether addresses that say little are left out.
        var isShort: Bool

        static let all: Set<FlowQuery.Side> = [.client, .listener, .egress, .server]

        /// The forms that show these sides, the one that says the most first.
        static func forms(naming named: Set<FlowQuery.Side>) -> [EndsForm] {
            [all, named.union([.client, .server])].flatMap { sides in
                [EndsForm(sides: sides, isShort: false), EndsForm(sides: sides, isShort: true)]
            }
        }
    }

    /// The columns that are left out to make room for endpoints that a query names, in this order.
    private static let spare: [FlowColumn] = [
        .what, .took, .packetsDown, .packetsUp, .down, .up, .transport, .end, .time,
    ]

    /// The number of rows that decide how wide columns of text are; all decide for columns of numbers.
    private static let measured = 1000
    /// The columns that what a flow is, and its endpoints with their heading, have at least.
    private static let (leastWhat, leastEnds) = (8, FlowColumn.ends.heading.utf8CodeUnitCount)

    /// Creates a renderer with columns that are wide enough for the given rows, as far as they fit.
    ///
    /// - Parameters:
    ///   - rows: the rows to render.
    ///   - style: the reader.
    ///   - columns: the columns; nil for those that fit.
    ///   - named: the sides whose endpoints a query names.
    ///   - localOffset: how far local time is ahead of UTC.
    public init(
        _ rows: [FlowRow],
        _ style: TerminalStyle = TerminalStyle(),
        columns: [FlowColumn]? = nil,
        naming named: Set<FlowQuery.Side> = [],
        localOffset: @escaping Timestamp.LocalOffset = { _ in 0 }
    ) {
        self.style = style
        self.columns = columns ?? FlowColumn.shown(in: style.width)
        // Chosen columns stay.
        self.named = columns == nil ? named : []
        timestamp = Timestamp(localOffset: localOffset)
        widths = self.columns.map { $0.heading.utf8CodeUnitCount }
        measure(rows)
    }

    private mutating func measure(_ rows: [FlowRow]) {
        var cell = ByteBuffer()
        for (index, column) in columns.enumerated() where column != .ends && column != .what {
            // Times have one width; numbers are measured without being written.
            let isSampled = !column.isRight || column == .took
            for row in isSampled ? rows.prefix(Self.measured) : rows[...] {
                if isSampled {
                    cell.removeAll()
                    append(column, of: row, to: &cell)
                }
                widths[index] = max(
                    widths[index],
                    isSampled ? cell.columns(from: 0) : number(column, of: row).map(digits) ?? 0
                )
            }
        }
        var spare = named.isEmpty ? [] : Self.spare.filter(columns.contains)[...]
        while !fitEnds(of: rows), let column = spare.popFirst(), let index = columns.firstIndex(of: column) {
            columns.remove(at: index)
            widths.remove(at: index)
        }
    }

    /// Chooses the form of endpoints for which there is room beside the other columns.
    ///
    /// - Returns: Whether there is one; otherwise they are cut.
    private mutating func fitEnds(of rows: [FlowRow]) -> Bool {
        guard let place = columns.firstIndex(of: .ends) else { return true }
        let others = columns.indices.reduce(0) { sum, index in
            sum + (index == place ? 0 : columns[index] == .what ? Self.leastWhat : widths[index]) + (index > 0 ? 2 : 0)
        }
        let room = style.width.map { max($0 - others, Self.leastEnds) } ?? .max
        var cell = ByteBuffer()
        for form in EndsForm.forms(naming: named) {
            ends = form
            var widest = FlowColumn.ends.heading.utf8CodeUnitCount
            for row in rows.prefix(Self.measured) {
                cell.removeAll()
                appendEnds(row, to: &cell)
                widest = max(widest, cell.columns(from: 0))
            }
            widths[place] = min(widest, room)
            if widest <= room { return true }
        }
        return false
    }

    /// Appends the line of headings.
    public func appendHeading(to output: inout ByteBuffer) {
        let start = output.count
        if style.color { output.append("\u{1B}[1m") }
        for index in columns.indices {
            if index > 0 { output.append("  ") }
            let heading = columns[index].heading
            let blanks = max(widths[index] - heading.utf8CodeUnitCount, 0)
            if columns[index].isRight { output.appendBlanks(blanks) }
            output.append(heading)
            if !columns[index].isRight, index < columns.count - 1 { output.appendBlanks(blanks) }
        }
        if style.color { output.append("\u{1B}[0m") }
        output.endLine(from: start, style)
    }

    /// Appends the line of a flow.
    public mutating func append(_ row: FlowRow, to output: inout ByteBuffer) {
        let start = output.count
        let color = style.color ? Self.sequence(for: row.close) : ""
        output.append(color)
        for index in columns.indices {
            if index > 0 { output.append("  ") }
            let (column, width) = (columns[index], widths[index])
            let place = output.count
            if column.isRight, let number = number(column, of: row) {
                output.appendBlanks(width - digits(number))
                output.appendDecimal(number)
            } else if column.isRight {
                var cell = ByteBuffer(capacity: 32)
                append(column, of: row, to: &cell)
                output.appendBlanks(width - cell.count)
                cell.withUnsafeBytes { output.append($0.bytes) }
            } else {
                append(column, of: row, to: &output)
                guard index < columns.count - 1 else { break }
                let limit = column == .ends && style.isTerminal ? width : nil
                output.endCell(from: place, limit, atLeast: width, style, then: color)
            }
        }
        output.removeBlanks(after: start)
        if color.utf8CodeUnitCount > 0 { output.append("\u{1B}[0m") }
        output.endLine(from: start, style)
    }

    /// Returns the number in a cell; nil if it is none.
    private func number(_ column: FlowColumn, of row: FlowRow) -> UInt64? {
        switch column {
        case .flow: UInt64(row.number)
        case .packetsUp: UInt64(row.flow.packetsUp)
        case .up: UInt64(row.flow.payloadUp)
        case .frameBytesUp: UInt64(row.flow.bytesUp)
        case .packetsDown: UInt64(row.flow.packetsDown)
        case .down: UInt64(row.flow.payloadDown)
        case .frameBytesDown: UInt64(row.flow.bytesDown)
        case .took, .time, .transport, .ends, .client, .listener, .egress, .server, .end, .what: nil
        }
    }

    private func digits(_ number: UInt64) -> Int { UInt64.digits(number) }

    /// Appends a cell that is no number.
    private mutating func append(_ column: FlowColumn, of row: FlowRow, to output: inout ByteBuffer) {
        switch column {
        case .time: appendTime(row.flow.start, to: &output)
        case .transport: output.append(row.flow.transport == .tcp ? "tcp" : "udp")
        case .ends: appendEnds(row, to: &output)
        case .client: append(row.path?.client ?? row.flow.client, to: &output)
        case .listener: append(row.path?.listener, to: &output)
        case .egress: append(row.path?.egress, to: &output)
        case .server: append(row.path == nil ? row.flow.server : row.path?.server, to: &output)
        case .took: appendDuration(row.flow.duration, to: &output)
        case .end: output.append(row.close?.rawValue ?? "")
        case .what: if let found = row.found { append(found, to: &output) }
        case .flow, .packetsUp, .up, .frameBytesUp, .packetsDown, .down, .frameBytesDown: break
        }
    }

    private func append(_ endpoint: Endpoint?, to output: inout ByteBuffer) { endpoint?.write(to: &output) }

    /// Appends a date with microseconds in a pipe; on a terminal a time of day, as exact as its width allows.
    private mutating func appendTime(_ time: Int64?, to output: inout ByteBuffer) {
        guard let time else { return output.append("no time") }
        guard let width = style.width else { return timestamp.appendDateAndTime(time, to: &output) }
        let start = output.count
        timestamp.appendTimeOfDay(time, to: &output)
        output.truncate(to: start + (width < 100 ? 8 : width < 120 ? 12 : 15))
    }

    /// Appends seconds with microseconds in a pipe; on a terminal a few digits with their unit.
    private func appendDuration(_ duration: UInt64?, to output: inout ByteBuffer) {
        guard let duration else { return }
        guard !style.isTerminal else { return output.appendBrief(.nanoseconds(Int64(clamping: duration))) }
        output.appendDecimal(duration / 1_000_000_000)
        output.append(".")
        output.appendDecimal(Int(duration % 1_000_000_000 / 1000), width: 6)
    }

    /// Appends the client and the server, with the relay's endpoints between them if they are known and there is room.
    private func appendEnds(_ row: FlowRow, to output: inout ByteBuffer) {
        var addresses = LineAddresses(isShort: ends.isShort)
        func arrow(_ sign: StaticString) {
            output.append(" ")
            output.append(sign)
            output.append(" ")
        }
        addresses.append(row.path?.client ?? row.flow.client, to: &output)
        guard let path = row.path, let server = path.server else {
            arrow(style.arrow)
            return addresses.append(row.path?.listener ?? row.flow.server, to: &output)
        }
        let (hasListener, hasEgress) = (ends.sides.contains(.listener), ends.sides.contains(.egress))
        if hasListener {
            arrow(style.arrow)
            addresses.append(path.listener, to: &output)
        }
        if hasEgress {
            arrow(style.doubleArrow)
            if let egress = path.egress { addresses.append(egress, to: &output) } else { output.append("no egress") }
        }
        arrow(hasListener && !hasEgress ? style.doubleArrow : style.arrow)
        addresses.append(server, to: &output)
    }

    /// Appends the protocol and the flow's identifying fields: `tls sni example.com`, `http in tls host example.com`.
    private func append(_ found: FlowProbes.Found, to output: inout ByteBuffer) {
        output.append(found.name)
        if found.isDecrypted { output.append(found.name == "tls" ? " decrypted" : " in tls") }
        for finding in Finding.allCases {
            guard let text = found.findings[finding] else { continue }
            output.append(" ")
            output.append(finding.rawValue)
            output.append(" ")
            MessageText(escaping: text).append(to: &output)
        }
    }

    private static func sequence(for close: FlowClose?) -> StaticString {
        switch close {
        case .refused, .clientReset, .serverReset, .unanswered: "\u{1B}[31m"
        case .finished: "\u{1B}[2m"
        case .open, .clientFinished, .serverFinished, nil: ""
        }
    }
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
            sum.bytes += row.flow.payload
        }
        output.append("total: ")
        output.appendCount(UInt64(rows.count), "flow")
        if rows.count != count {
            output.append(" of ")
            output.appendDecimal(count)
        }
        output.append(", ")
        output.appendCount(UInt64(shown.packets), "packet")
        output.append(", ")
        output.appendCount(UInt64(shown.bytes), "byte")
        output.append(" of payload")
        if flows.packetsOfNoFlow > 0 {
            output.append(", of no flow ")
            output.appendCount(UInt64(flows.packetsOfNoFlow), "packet")
            output.append(", ")
            output.appendCount(UInt64(flows.bytesOfNoFlow), "byte")
        }
        if flows.table.packetsLeftOut > 0 {
            output.append(", of flows beyond the most that are kept ")
            output.appendCount(UInt64(flows.table.packetsLeftOut), "packet")
            output.append(", ")
            output.appendCount(UInt64(flows.table.bytesLeftOut), "byte")
        }
        output.append("\n")
    }
}
