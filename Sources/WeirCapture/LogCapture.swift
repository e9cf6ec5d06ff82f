import Synchronization
import WeirEngine
import WeirSinks
public import WeirWire

/// A message that a log records in place of the bytes that it was read from.
public struct LoggedMessage: Sendable {
    /// The number of the flow in the log.
    public var flow: UInt64
    /// The packets of the flow on the leg of its client: the client's endpoint and the listener's.
    public var tuple: FiveTuple
    /// The message, without fields.
    public var message: Message
}

/// A capture made from the lines of a relay's `--log`: the packets that `--record` writes for the same records.
///
/// If the log has no bytes, the packets are cut after their headers, and the log's messages are kept beside them.
struct LogCapture: Sendable {
    /// The maximum length of a line, in bytes: a chunk of 512 KiB has 700 KB in base64.
    static let longestLine = 2 << 20
    /// The bytes that stand for those of a chunk of which only the length is known; nothing reads them.
    private static let blank = [UInt8](repeating: 0, count: LogRecordReader.longestChunk)

    private var text = LineReader(longest: Self.longestLine)
    private var reader = LogRecordReader()
    private var sink: CaptureSink
    private let process = LoggedProcess()
    private var hasBegun = false
    private var runs = LogRuns()
    /// The numbers of the runs, from 1, of which no packets are made.
    private let leavesOut: Set<Int>
    /// The flows whose end was not recorded yet.
    private var open: Set<FlowID> = []

    /// The number of lines that are not empty; one that is cut does not count.
    private(set) var lines = 0
    /// The number of lines that are no records.
    private(set) var unknownLines = 0
    /// The number of the first such line, from 1; nil if there is none.
    private(set) var firstUnknown: Int?
    /// Where the log is cut, in words that follow the file's name; nil if it is whole.
    private(set) var cut: String?
    /// Whether chunks had no bytes.
    private(set) var lacksBytes = false
    /// Whether the log has chunks as they arrived, where toxics had them.
    private var hasOriginals = false
    /// Whether toxics changed chunks, or dropped some.
    private var hasChanges = false
    /// The messages of chunks without bytes, since they were last taken.
    private(set) var messages: [LoggedMessage] = []

    /// Creates a capture of which no line was read.
    ///
    /// - Parameter leavesOut: The numbers of the runs, from 1, of which no packets are made.
    init(leavingOut leavesOut: Set<Int> = []) {
        self.leavesOut = leavesOut
        var settings = CaptureSettings(seed: 0)
        settings.process = { [process] _ in process.answer.withLock { $0 } }
        sink = CaptureSink(settings)
    }

    /// What to know of the log besides its flows, in words that follow the file's name; nothing if no line is a record.
    var notes: [String] {
        guard unknownLines < lines else { return [] }
        var notes = [runs.note].compactMap(\.self)
        if let firstUnknown {
            notes.append(
                "\(unknownLines) of \(lines) lines are no record of a relay's --log, the first is line \(firstUnknown)"
            )
        }
        if hasChanges, !hasOriginals {
            notes.append(
                "toxics changed traffic, and the log has only what went on, which stands for both legs; "
                    + "with --show-original it has what arrived, too"
            )
        }
        return notes
    }

    /// The number of bytes of chunks that were summed up or copied to packets.
    var payloadBytesRead: Int { sink.payloadBytesRead }

    /// Reads the next bytes of the log, and appends the capture's.
    mutating func read(_ piece: UnsafeRawBufferPointer, into output: inout ByteBuffer) {
        var rest = piece
        while let line = text.next(&rest) { read(line, into: &output) }
    }

    /// Reads the last line, which may lack its line feed, and ends the capture.
    mutating func finish(into output: inout ByteBuffer) {
        if let line = text.finish() {
            if Self.isWhole(line) {
                read(line, into: &output)
            } else {
                cut = """
                    cut short at byte \(text.offset): line \(text.number), which begins at byte \(text.start), has no \
                    end; all before it can be used
                    """
            }
        }
        if !hasBegun { sink.begin(at: 0, into: &output) }
        hasBegun = true
        sink.finish(into: &output)
    }

    /// Returns whether a line without a line feed lacks nothing else.
    private static func isWhole(_ line: LineReader.Line) -> Bool {
        line.withBytes { bytes in
            guard let bytes, !isBlank(bytes) else { return true }
            return (try? JSONParser.parse(Array(bytes))) != nil
        }
    }

    /// Returns the messages since the last call.
    mutating func takeMessages() -> [LoggedMessage] {
        guard !messages.isEmpty else { return [] }
        defer { messages = [] }
        return messages
    }

    private static func isBlank(_ line: UnsafeRawBufferPointer) -> Bool {
        !line.contains { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }
    }

    private mutating func read(_ line: LineReader.Line, into output: inout ByteBuffer) {
        line.withBytes { bytes in
            if let bytes { readLine(bytes, into: &output) } else { noteUnknown() }
        }
    }

    private mutating func readLine(_ line: UnsafeRawBufferPointer, into output: inout ByteBuffer) {
        guard !Self.isBlank(line) else { return }
        switch reader.read(line) {
        case nil: noteUnknown()
        case .other: lines += 1
        case .lost(let chunks, let bytes):
            lines += 1
            sink.renderLoss(chunks: chunks, bytes: bytes, into: &output)
        case .record(let record):
            lines += 1
            if case .opened = record.happening, runs.open(record.flow) { beginRun() }
            let renumbered = runs.renumber(record)
            if !leavesOut.contains(runs.count) { add(renumbered, to: &output) }
        }
    }

    private mutating func noteUnknown() {
        lines += 1
        unknownLines += 1
        if firstUnknown == nil { firstUnknown = text.number }
    }

    /// Forgets the flows of the run before, of which the relay may not have recorded the ends.
    private mutating func beginRun() {
        for flow in open { sink.forget(flow) }
        open = []
    }

    private mutating func add(_ record: FlowRecord, to output: inout ByteBuffer) {
        if !hasBegun { sink.begin(at: record.moment.wallNanoseconds, into: &output) }
        hasBegun = true
        switch record.happening {
        case .message(let message):
            if !reader.hasBytes { keep(message, of: record) }
            return
        case .opened:
            // The log may have records of the flow from before its opening.
            if !open.insert(record.flow).inserted { sink.forget(record.flow) }
            let found = reader.process
            process.answer.withLock { $0 = found.map { .found($0) } ?? .notAsked }
        case .closed: open.remove(record.flow)
        default:
            // The log begins in the middle of the flow.
            if open.insert(record.flow).inserted { process.answer.withLock { $0 = .notAsked } }
        }
        noteToxics(record.happening)
        guard let chunk = record.happening.chunk, !reader.hasBytes else {
            let bytes = reader.bytes
            return sink.render(record, bytes: bytes.span.bytes, into: &output)
        }
        lacksBytes = true
        sink.keepsPayloads = false
        sink.render(record, bytes: Self.blank.span.bytes.extracting(first: chunk.length), into: &output)
        sink.keepsPayloads = true
    }

    private mutating func noteToxics(_ happening: FlowRecord.Happening) {
        switch happening {
        case .received: hasOriginals = true
        case .forwarded: if reader.hasChanges { hasChanges = true }
        case .dropped(let drop): if case .toxic = drop.reason { hasChanges = true }
        default: break
        }
    }

    private mutating func keep(_ message: Message, of record: FlowRecord) {
        let (client, listener) = (record.path.client.withoutZone, record.path.listener.withoutZone)
        let tuple = FiveTuple(transport: record.transport, source: client, destination: listener)
        messages.append(LoggedMessage(flow: record.flow.rawValue, tuple: tuple, message: message))
    }
}

/// The process of the client of the flow that is being opened, for the comment on its packets.
private final class LoggedProcess: Sendable {
    let answer = Mutex<ProcessAnswer>(.notAsked)
}

extension Endpoint {
    /// The endpoint as packets have it, which have no zones.
    var withoutZone: Endpoint {
        guard address.scope != 0 else { return self }
        return Endpoint(address: IPAddress(v6: address.high, low: address.low), port: port)
    }
}
