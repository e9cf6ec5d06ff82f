import Synchronization
import WeirEngine
import WeirSinks
public import WeirWire

/// A message that a log records in place of the bytes that it was read from.
public struct LoggedMessage: Sendable {
    /// The number of the flow in the relay.
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
    /// The bytes that stand for those of a chunk of which only the length is known.
    private static let blank = [UInt8](repeating: 0, count: 512 << 10)

    private var reader = LogRecordReader()
    private var sink: CaptureSink
    private let process = LoggedProcess()
    private var held: [UInt8] = []
    private var isSkipping = false
    private var hasBegun = false
    /// The flows whose end was not recorded yet.
    private var open: Set<FlowID> = []

    /// The number of lines that are not empty.
    private(set) var lines = 0
    /// The number of lines that are no records.
    private(set) var unknownLines = 0
    /// The number of the first such line, from 1; nil if there is none.
    private(set) var firstUnknown: Int?
    private var number = 0
    /// Whether chunks had no bytes.
    private(set) var lacksBytes = false
    /// The messages of chunks without bytes, since they were last taken.
    private(set) var messages: [LoggedMessage] = []

    /// Creates a capture of which no line was read.
    init() {
        var settings = CaptureSettings(seed: 0)
        settings.process = { [process] _ in process.answer.withLock { $0 } }
        sink = CaptureSink(settings)
    }

    /// Reads the next bytes of the log, and appends the capture's.
    mutating func read(_ piece: UnsafeRawBufferPointer, into output: inout ByteBuffer) {
        var rest = piece
        while !rest.isEmpty {
            let end = rest.bytes.find(UInt8(ascii: "\n"), from: 0)
            let part = UnsafeRawBufferPointer(rebasing: rest[..<(end ?? rest.count)])
            rest = UnsafeRawBufferPointer(rebasing: rest[(end.map { $0 + 1 } ?? rest.count)...])
            if end != nil, held.isEmpty, !isSkipping {
                readLine(part, into: &output)
            } else {
                keep(part)
                if end != nil { endLine(into: &output) }
            }
        }
    }

    /// Reads the last line, which may lack its end, and ends the capture.
    mutating func finish(into output: inout ByteBuffer) {
        if isSkipping || !held.isEmpty { endLine(into: &output) }
        if !hasBegun { sink.begin(at: 0, into: &output) }
        hasBegun = true
        sink.finish(into: &output)
    }

    /// Returns the messages since the last call.
    mutating func takeMessages() -> [LoggedMessage] {
        guard !messages.isEmpty else { return [] }
        defer { messages = [] }
        return messages
    }

    private mutating func keep(_ part: UnsafeRawBufferPointer) {
        guard !isSkipping else { return }
        guard held.count + part.count <= Self.longestLine else {
            held = []
            isSkipping = true
            return
        }
        held += part
    }

    private mutating func endLine(into output: inout ByteBuffer) {
        var line: [UInt8] = []
        swap(&line, &held)
        if isSkipping {
            number += 1
            noteUnknown()
        } else {
            line.withUnsafeBytes { readLine($0, into: &output) }
        }
        line.removeAll(keepingCapacity: true)
        swap(&line, &held)
        isSkipping = false
    }

    private mutating func readLine(_ line: UnsafeRawBufferPointer, into output: inout ByteBuffer) {
        number += 1
        guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }) else { return }
        switch reader.read(line) {
        case nil: noteUnknown()
        case .other: lines += 1
        case .lost(let chunks, let bytes):
            lines += 1
            sink.renderLoss(chunks: chunks, bytes: bytes, into: &output)
        case .record(let record):
            lines += 1
            add(record, to: &output)
        }
    }

    private mutating func noteUnknown() {
        lines += 1
        unknownLines += 1
        if firstUnknown == nil { firstUnknown = number }
    }

    private mutating func add(_ record: FlowRecord, to output: inout ByteBuffer) {
        if !hasBegun { sink.begin(at: record.moment.wallNanoseconds, into: &output) }
        hasBegun = true
        switch record.happening {
        case .message(let message):
            if !reader.hasBytes { keep(message, of: record) }
            return
        case .opened:
            // A relay that starts again numbers its flows from 1, and may not have recorded the end of the last ones.
            if !open.insert(record.flow).inserted { sink.forget(record.flow) }
            let found = reader.process
            process.answer.withLock { $0 = found.map { .found($0) } ?? .notAsked }
        case .closed: open.remove(record.flow)
        default:
            // The log begins in the middle of the flow.
            if open.insert(record.flow).inserted { process.answer.withLock { $0 = .notAsked } }
        }
        guard let chunk = record.happening.chunk, !reader.hasBytes else {
            let bytes = reader.bytes
            return sink.render(record, bytes: bytes.span.bytes, into: &output)
        }
        lacksBytes = true
        sink.keepsPayloads = false
        if chunk.length <= Self.blank.count {
            sink.render(record, bytes: Self.blank.span.bytes.extracting(first: chunk.length), into: &output)
        } else {
            let blank = [UInt8](repeating: 0, count: chunk.length)
            sink.render(record, bytes: blank.span.bytes, into: &output)
        }
        sink.keepsPayloads = true
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
