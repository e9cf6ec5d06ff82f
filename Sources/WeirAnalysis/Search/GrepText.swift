public import WeirWire

/// The text form of matches: a line each, with as many bytes around the match as fit into it.
///
/// ```
/// 12:31:07.104218 #3 up    @1234  Host: <needle>.example\r\nAccept
/// ```
public struct GrepText: Sendable {
    private let style: TerminalStyle
    private var timestamp: Timestamp
    /// The bytes before and after a match that are shown if lines may have any length.
    private static let context = 32

    /// Creates a renderer.
    ///
    /// - Parameters:
    ///   - style: The reader.
    ///   - localOffset: How far local time is ahead of UTC.
    public init(_ style: TerminalStyle, localOffset: @escaping Timestamp.LocalOffset = { _ in 0 }) {
        self.style = style
        timestamp = Timestamp(localOffset: localOffset)
    }

    /// The number of bytes before and after a match that a line can show.
    public var context: Int { style.width ?? Self.context }

    /// Appends a match of a flow.
    public mutating func append(_ match: GrepMatch, flow: FlowLabel, to output: inout ByteBuffer) {
        let start = output.count
        if let time = match.time {
            if !style.isTerminal {
                timestamp.appendDateAndTime(time, to: &output)
            } else {
                timestamp.appendTimeOfDay(time, to: &output)
            }
        } else {
            output.append("no time")
        }
        output.append(" ")
        flow.append(to: &output)
        output.append(match.direction == .upstream ? " up    @" : " down  @")
        output.appendDecimal(match.offset)
        output.append("  ")
        if let field = match.field {
            output.append(field)
            output.append(": ")
        }
        appendBytes(match, columns: style.width.map { max($0 - output.columns(from: start), 8) }, to: &output)
        output.endLine(from: start, style)
    }

    /// Appends the match in the middle of what is around it.
    private func appendBytes(_ match: GrepMatch, columns: Int?, to output: inout ByteBuffer) {
        let hit = ByteCells(match.bytes, style)
        var (before, after) = (ByteCells(match.before, style), ByteCells(match.after, style))
        if let columns {
            let room = max(columns - hit.columns, 0)
            // What one side does not need the other one may take.
            before.keepLast(max(room / 2, room - after.columns))
            after.keepFirst(room - before.columns)
        }
        before.append(to: &output)
        if style.color { output.append("\u{1B}[1;31m") }
        hit.append(to: &output)
        if style.color { output.append("\u{1B}[0m") }
        after.append(to: &output)
    }
}

/// Bytes as they are shown: characters, and escapes of what is none.
struct ByteCells {
    private struct Cell {
        var text: String
        var columns: Int
    }

    private var cells: [Cell] = []
    /// The number of columns.
    private(set) var columns = 0

    init(_ bytes: [UInt8], _ style: TerminalStyle) {
        let span = bytes.span.bytes
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte >= 0x80, style.isUnicode, let (scalar, length) = SafeText.decode(span, at: index),
                SafeText.isSafe(scalar), DisplayWidth.columns(of: scalar) > 0
            {
                add(String(decoding: bytes[index..<(index + length)], as: UTF8.self), DisplayWidth.columns(of: scalar))
                index += length
            } else {
                let text = Self.text(of: byte)
                add(text, text.utf8.count)
                index += 1
            }
        }
    }

    /// Keeps the last ones, as many as fit into some columns.
    mutating func keepLast(_ limit: Int) {
        var first = 0
        while columns > limit, first < cells.count {
            columns -= cells[first].columns
            first += 1
        }
        cells.removeFirst(first)
    }

    /// Keeps the first ones, as many as fit into some columns.
    mutating func keepFirst(_ limit: Int) {
        while columns > limit, let last = cells.popLast() { columns -= last.columns }
    }

    func append(to output: inout ByteBuffer) {
        for cell in cells { output.append(cell.text) }
    }

    private mutating func add(_ text: String, _ width: Int) {
        cells.append(Cell(text: text, columns: width))
        columns += width
    }

    private static func text(of byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\r"): "\\r"
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\t"): "\\t"
        case 0x20...0x7e: String(UnicodeScalar(byte))
        default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
}

/// The JSON form of matches, one object each.
///
/// A key keeps its meaning forever; new keys may follow the others.
///
/// Keys, in this order: `time` (of the packet in which it ends; RFC 3339, UTC, ns; null if it is not known), `flow`, `event`
/// (`match`), `direction`, `offset` and `length` (in the direction's stream, or in the datagram), `bytes`, `before` and `after`
/// (base64); `field` (the name of a message's field) if its value has the match and not the bytes of the traffic: then
/// `offset` is that of the field; `leg` (`client` or `server`) if the flow's legs have to be told apart.
public struct GrepJSON: Sendable {
    private var timestamp = Timestamp()
    /// The number of bytes before and after a match.
    public static let context = 32

    /// Creates a renderer.
    public init() {}

    /// Appends a match of a flow, and a line feed.
    public mutating func append(_ match: GrepMatch, flow: FlowLabel, to output: inout ByteBuffer) {
        output.appendJSONLine { json in
            json.member("time", match.time, by: &timestamp)
            json.member("flow", flow.number)
            json.member("event", "match")
            json.member("direction", match.direction)
            json.member("offset", match.offset)
            json.member("length", match.bytes.count)
            json.member("bytes", base64: match.bytes.span.bytes)
            json.member("before", base64: match.before.span.bytes)
            json.member("after", base64: match.after.span.bytes)
            if let field = match.field { json.member("field", field) }
            if let leg = flow.leg { json.member("leg", leg.name) }
        }
    }
}
