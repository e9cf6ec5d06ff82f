import WeirEngine
import WeirSinks
import WeirWire

/// A sink that puts the records of a relay into the log of events, each as an object of `--log`.
struct EventSink: Sink {
    private let log: EventLog
    private var plain: JSONLinesSink
    private var withBytes = JSONLinesSink(withBytes: true)
    /// The messages whose last chunk comes next.
    private var waiting: [FlowRecord] = []
    private let process: ProcessLookup?

    init(_ log: EventLog, _ details: FlowDetails = FlowDetails()) {
        self.log = log
        process = details.process
        plain = JSONLinesSink(withBytes: false, details: details)
    }

    var interest: Interest { log.interest }

    var messages: MessageInterest { log.messages }

    /// Echoes are found for those who get chunks.
    var showsEchoes: Bool { log.dataInterest >= .chunks }

    mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout WeirWire.ByteBuffer) {
        if case .message = record.happening { return waiting.append(record) }
        log.ports.notice(record)
        var matter = EventMatter(record: record)
        if log.messages == .fields { matter.messages = waiting }
        if case .opened = record.happening { matter.process = process?(record.flow) ?? .notAsked }
        // As in the log: a message behind its last chunk, and what is left before the flow's last event.
        if case .closed = record.happening { appendWaiting(&output) }
        append(record, bytes: bytes, matter, &output)
        appendWaiting(&output)
    }

    private mutating func appendWaiting(_ output: inout WeirWire.ByteBuffer) {
        guard !waiting.isEmpty else { return }
        for record in waiting {
            if case .message(let message) = record.happening, message.isUnfinished { continue }
            append(record, bytes: RawSpan(), EventMatter(record: record), &output)
        }
        waiting.removeAll(keepingCapacity: true)
    }

    private mutating func append(
        _ record: FlowRecord,
        bytes: RawSpan,
        _ matter: EventMatter,
        _ output: inout WeirWire.ByteBuffer
    ) {
        let interest = log.dataInterest
        if case .forwarded = record.happening, interest < .chunks { return }
        plain.renderRecord(record, bytes: bytes, into: &output)
        guard let line = Self.takeLine(&output) else { return }
        var lineWithBytes: [UInt8]?
        var matter = matter
        if case .forwarded = record.happening, interest == .bytes {
            withBytes.renderRecord(record, bytes: bytes, into: &output)
            lineWithBytes = Self.takeLine(&output)
            matter.bytes = bytes.withUnsafeBytes { Array($0) }
        }
        let name = record.happening.eventName.description
        log.append(record, name: name, text: line, textWithBytes: lineWithBytes, matter: matter)
    }

    /// Takes a line out of the output, without its line feed: it is not written anywhere, the log keeps it.
    private static func takeLine(_ output: inout WeirWire.ByteBuffer) -> [UInt8]? {
        let line = output.withUnsafeBytes { Array($0.dropLast()) }
        output.removeAll()
        return line.isEmpty ? nil : line
    }
}

extension FlowRecord.Happening {
    /// The direction of the happening, if it has one.
    var direction: Direction? {
        switch self {
        case .received(let chunk), .forwarded(let chunk): chunk.direction
        case .ended(let direction, _), .endForwarded(let direction): direction
        case .dropped(let drop): drop.direction
        case .toxic(let toxic): toxic.direction
        case .message(let message): message.direction
        default: nil
        }
    }
}
