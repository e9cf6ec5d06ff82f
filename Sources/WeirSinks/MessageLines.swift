import WeirDissect
import WeirEngine
import WeirWire

/// The terminal's lines for messages, and the colors of their fields.
struct MessageLines: Sendable {
    /// The maximum number of lines under a chunk; further messages are counted.
    private static let limit = 32

    private var messages: FlowMessages
    private var colors: FieldColors?
    private let color: Bool
    private var timestamp: Timestamp
    private var record: FlowRecord?
    /// The messages that wait for a line.
    private var waiting: [DissectedMessage] = []
    private var left: UInt64 = 0

    init(_ show: TerminalSink.Show, color: Bool, localOffset: @escaping Timestamp.LocalOffset) {
        let hasColors = color && show == .hex
        messages = FlowMessages(wantsFields: hasColors, demand: show == .summary ? ByteDemand() : nil)
        if hasColors { colors = FieldColors() }
        self.color = color
        timestamp = Timestamp(localOffset: localOffset)
    }

    var demand: ByteDemand? { messages.demand }

    /// Reads a record; `shown` is the number of its chunk's bytes that are shown.
    mutating func read(_ record: FlowRecord, _ bytes: RawSpan, shown: Int) {
        self.record = record
        var (waiting, left, colors) = (self.waiting, self.left, self.colors)
        (self.waiting, self.colors) = ([], nil)
        if case .forwarded(let chunk) = record.happening {
            let start = record.transport == .tcp ? Int(clamping: chunk.offset) : 0
            colors?.begin(start..<(start + shown), chunk.direction)
        }
        messages.read(record, bytes) { message in
            colors?.add(message)
            if waiting.count < Self.limit { waiting.append(copy message) } else { left += 1 }
        }
        if colors != nil, case .forwarded(let chunk) = record.happening, record.transport == .tcp {
            messages.unfinished(record.flow, chunk.direction) { colors?.add($0) }
        }
        (self.waiting, self.left, self.colors) = (waiting, left, colors)
    }

    /// Appends the dump of the last chunk read, or of its first bytes.
    mutating func appendDump(_ bytes: RawSpan, to output: inout ByteBuffer) {
        if colors == nil { HexDump.append(bytes, to: &output) } else { colors?.append(bytes, to: &output) }
    }

    /// Appends the lines of the messages that ended with the record, and forgets them.
    mutating func append(to output: inout ByteBuffer) {
        guard let record, !waiting.isEmpty else { return }
        for message in waiting {
            begin(record, message.direction, &output)
            output.appendMessage(message, isOfStream: record.transport == .tcp)
            output.append(color ? "\u{1B}[0m\n" : "\n")
        }
        if left > 0 {
            begin(record, waiting[waiting.count - 1].direction, &output)
            output.appendCount(left, "message")
            output.append(color ? " more\u{1B}[0m\n" : " more\n")
        }
        waiting.removeAll(keepingCapacity: true)
        left = 0
    }

    private mutating func begin(_ record: FlowRecord, _ direction: Direction, _ output: inout ByteBuffer) {
        if color { output.append(direction == .upstream ? "\u{1B}[36m" : "\u{1B}[33m") }
        timestamp.appendTimeOfDay(record.moment.wallNanoseconds, to: &output)
        output.append(" #")
        output.appendDecimal(record.flow.rawValue)
        output.append(direction == .upstream ? " up    " : " down  ")
    }
}
