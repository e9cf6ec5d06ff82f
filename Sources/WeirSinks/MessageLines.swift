import WeirDissect
import WeirEngine
import WeirWire

/// What the terminal says of messages: their meaning on a chunk's line, the colors of their fields in its dump, and the
/// fields under it.
struct MessageLines: Sendable {
    /// The maximum number of messages on a line; further ones are counted.
    private static let limit = 32

    private var colors: FieldColors?
    private let showsFields: Bool
    /// The messages whose last chunk comes next, and those that go on after it.
    private var waiting: [Message] = []
    /// The messages of the line.
    private var shown: Range<Int> = 0..<0
    /// The number of messages that are not kept.
    private var left = 0
    /// The maximum number of messages that are kept.
    private let kept: Int

    /// Creates the lines of a sink.
    init(_ show: TerminalSink.Show, _ options: TerminalSink.Options, _ style: TerminalStyle) {
        if style.color && show == .hex { colors = FieldColors() }
        showsFields = options.showsFields
        // A message has one byte at least.
        let colored = colors == nil ? 0 : options.limit == 0 ? Int.max : options.limit
        kept = max(Self.limit, colored)
    }

    var interest: MessageInterest { colors == nil && !showsFields ? .summaries : .fields }

    /// Whether messages wait for a line.
    var isWaiting: Bool { !waiting.isEmpty }

    /// Keeps a message until its last chunk, or the end, is shown.
    mutating func add(_ message: Message) {
        guard !message.isUndecided else { return }
        guard waiting.count < kept else {
            if !message.isUnfinished { left += 1 }
            return
        }
        waiting.append(message)
    }

    /// Finds the colors of a chunk, of which so many bytes are shown, and its messages.
    mutating func begin(_ chunk: ChunkRecord, _ transport: Transport, shown count: Int) {
        shown = waiting.indices
        guard colors != nil else { return }
        let start = transport == .tcp ? Int(clamping: chunk.offset) : 0
        colors?.begin(start..<(start + count), chunk.direction)
        for message in waiting { colors?.add(message) }
    }

    /// Selects the messages of a direction, which an end completes; returns whether there are any.
    mutating func selectWaiting(_ direction: Direction) -> Bool {
        waiting.sort { $0.direction.rawValue < $1.direction.rawValue }
        let first = waiting.firstIndex { $0.direction == direction && !$0.isUnfinished }
        let last = waiting.lastIndex { $0.direction == direction && !$0.isUnfinished }
        guard let first, let last else { return false }
        shown = first..<(last + 1)
        return true
    }

    /// Appends what the selected messages mean: ` redis GET a; GET b`; returns whether there are any.
    mutating func appendMeaning(to output: inout ByteBuffer) -> Bool {
        var count = 0
        var name: StaticString = ""
        for index in shown where !waiting[index].isUnfinished {
            count += 1
            guard count <= Self.limit else { continue }
            output.append(count == 1 ? " " : "; ")
            if waiting[index].name.utf8Start != name.utf8Start {
                name = waiting[index].name
                output.append(name)
                output.append(" ")
            }
            waiting[index].summary.append(to: &output)
            if !waiting[index].isComplete { output.append(", incomplete") }
        }
        let more = max(count - Self.limit, 0) + (count > 0 ? left : 0)
        if more > 0 {
            output.append("; ")
            output.appendDecimal(more)
            output.append(" more")
        }
        return count > 0
    }

    /// The time that the first answer among the selected messages took.
    var delay: Duration? {
        for index in shown {
            if let delay = waiting[index].answer?.delay { return .nanoseconds(delay) }
        }
        return nil
    }

    /// Appends the dump of the last chunk read, or of its first bytes.
    mutating func appendDump(_ bytes: RawSpan, to output: inout ByteBuffer) {
        if colors == nil {
            HexDump.append(bytes, isIndented: true, to: &output)
        } else {
            colors?.append(bytes, isIndented: true, to: &output)
        }
    }

    /// Ends a line: appends the fields of its messages, if they are wanted.
    mutating func end(to output: inout ByteBuffer, _ style: TerminalStyle) {
        if showsFields {
            for index in shown where !waiting[index].isUnfinished { appendFields(waiting[index], to: &output, style) }
        }
        if shown.count == waiting.count { forget() }
    }

    /// Forgets all messages.
    mutating func forget() {
        if !waiting.isEmpty { waiting.removeAll(keepingCapacity: true) }
        (shown, left) = (0..<0, 0)
    }

    /// Appends `name=value`, as many on a line as fit.
    private func appendFields(_ message: Message, to output: inout ByteBuffer, _ style: TerminalStyle) {
        let width = style.width ?? Self.widestFields
        var start = output.count
        for field in message.fields {
            var place = output.count
            output.append("  ")
            append(field, to: &output)
            if place > start, output.columns(from: start) > width {
                output.truncate(to: place)
                output.endLine(from: start, style)
                start = output.count
                place = start
                output.append("  ")
                append(field, to: &output)
            }
        }
        if message.fieldsLeftOut > 0 {
            output.append("  ")
            output.appendDecimal(message.fieldsLeftOut)
            output.append(" not kept")
        }
        if output.count > start { output.endLine(from: start, style) }
    }

    /// The number of columns of a line of fields in a file.
    private static let widestFields = 120

    private func append(_ field: MessageField, to output: inout ByteBuffer) {
        let color = colors?.color(of: field.name.name)
        if let color { output.append(color) }
        output.append(field.name.name)
        if color != nil { output.append("\u{1B}[0m") }
        output.append("=")
        field.value.append(to: &output)
        if field.isCut { output.append("...") }
    }
}
