import WeirDissect
import WeirEngine
import WeirWire

/// The terminal's lines for messages, and the colors of their fields.
struct MessageLines: Sendable {
    /// The maximum number of lines under a chunk; further messages are counted.
    private static let limit = 32

    private var colors: FieldColors?
    private let color: Bool
    private var timestamp: Timestamp
    /// The messages whose last chunk comes next, and those that wait for a line.
    private var waiting: [Message] = []
    /// The number of messages that get no line.
    private var left: UInt64 = 0
    /// The maximum number of messages whose fields are colored.
    private let coloredLimit: Int

    /// Makes the lines of a sink that shows so many bytes of a chunk at most; 0 for all.
    init(_ show: TerminalSink.Show, color: Bool, shown: Int, localOffset: @escaping Timestamp.LocalOffset) {
        if color && show == .hex { colors = FieldColors() }
        self.color = color
        // A message has one byte at least.
        coloredLimit = colors == nil ? 0 : shown == 0 ? .max : shown
        timestamp = Timestamp(localOffset: localOffset)
    }

    var interest: MessageInterest { colors == nil ? .summaries : .fields }

    /// Keeps a message until its last chunk, or the end, is shown.
    mutating func add(_ message: Message) {
        guard waiting.count < max(Self.limit, coloredLimit) else {
            if !message.isUnfinished { left += 1 }
            return
        }
        waiting.append(message)
    }

    /// Finds the colors of a chunk, of which so many bytes are shown.
    mutating func begin(_ chunk: ChunkRecord, _ transport: Transport, shown: Int) {
        let start = transport == .tcp ? Int(clamping: chunk.offset) : 0
        colors?.begin(start..<(start + shown), chunk.direction)
        for message in waiting { colors?.add(message) }
    }

    /// Appends the dump of the last chunk read, or of its first bytes.
    mutating func appendDump(_ bytes: RawSpan, to output: inout ByteBuffer) {
        if colors == nil { HexDump.append(bytes, to: &output) } else { colors?.append(bytes, to: &output) }
    }

    /// Appends the lines of the messages that ended with a record, and forgets them.
    mutating func append(of record: FlowRecord, to output: inout ByteBuffer) {
        guard !waiting.isEmpty else { return }
        let ended = waiting.filter { !$0.isUnfinished }
        left += UInt64(max(0, ended.count - Self.limit))
        for message in ended.prefix(Self.limit) {
            begin(record, message.direction, &output)
            output.appendMessage(message, isOfStream: record.transport == .tcp)
            output.append(color ? "\u{1B}[0m\n" : "\n")
        }
        if left > 0 {
            begin(record, ended[ended.count - 1].direction, &output)
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
