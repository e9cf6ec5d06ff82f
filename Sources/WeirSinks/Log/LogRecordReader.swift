import WeirDissect
package import WeirEngine
import WeirWire

/// What one line of `--log` says.
package enum LogItem: Hashable, Sendable {
    /// Something that happened to a flow.
    case record(FlowRecord)
    /// Chunks were left out of the log.
    case lost(chunks: UInt64, bytes: UInt64)
    /// Something that no capture shows.
    case other
}

/// A reader of the records in the lines that `JSONLinesSink` writes.
///
/// Where a line has less than the record did, the record is that of a relay without toxics: the time at which a chunk
/// was read is then the time at which it went on.
package struct LogRecordReader: Sendable {
    /// The bytes of the last chunk; none if the line has none.
    package private(set) var bytes: [UInt8] = []
    /// Whether the line of the last chunk had bytes; a chunk of none does not count.
    package private(set) var hasBytes = true
    /// Whether the line of the last chunk names changes by toxics.
    package private(set) var hasChanges = false
    /// The client's process in the last line that opened a flow; nil if the line names none.
    package private(set) var process: ClientProcess?
    private var clock = TimestampReader()
    /// The flow of the last line, which is often that of the next one, too.
    private var last: FlowSubject?
    /// The directions of flows of which the log also has the chunks as they were before toxics had them.
    private var originals: Set<FlowSide> = []

    private struct FlowSide: Hashable {
        var flow: FlowID
        var direction: Direction
    }

    /// The maximum length of a chunk, in bytes, so that a line without bytes cannot ask for any number of packets: eight
    /// times what the relay reads at once, because a toxic can make a chunk longer.
    package static let longestChunk = 4 << 20

    /// Creates a reader.
    package init() {}

    /// Reads one line, without its line feed.
    ///
    /// - Returns: What the line says; nil if it is no line of a relay's log.
    package mutating func read(_ text: UnsafeRawBufferPointer) -> LogItem? {
        guard let line = LogLine(text), let event = line.string(.event) else { return nil }
        if event == "lost" {
            return .lost(chunks: line.number(.chunks) ?? 0, bytes: line.number(.length) ?? 0)
        }
        guard let time = line[.time].flatMap({ clock.read($0) }), let subject = subject(of: line) else { return nil }
        let moment = Moment(wallNanoseconds: time, instant: Instant(nanoseconds: time))
        guard let happening = happening(event, line, subject, moment) else { return nil }
        guard let happening = happening.value else { return .other }
        return .record(FlowRecord(of: subject, moment: moment, happening: happening))
    }

    private mutating func subject(of line: LogLine) -> FlowSubject? {
        guard let number = line.number(.flow), let client = line.endpoint(.client),
            let listener = line.endpoint(.listener), let transport = line.string(.transport)
        else { return nil }
        let path = FlowPath(
            client: client,
            listener: listener,
            egress: line.endpoint(.egress),
            server: line.endpoint(.server)
        )
        let subject = FlowSubject(FlowID(number), transport == "udp" ? .udp : .tcp, path)
        if let last, last == subject { return last }
        last = subject
        return subject
    }

    /// What happened; no value for what no capture shows.
    private struct Found { var value: FlowRecord.Happening? }

    private mutating func happening(
        _ event: String,
        _ line: LogLine,
        _ subject: FlowSubject,
        _ moment: Moment
    ) -> Found? {
        switch event {
        case "open":
            for direction in Direction.allCases { originals.remove(FlowSide(flow: subject.id, direction: direction)) }
            process = line[.process].flatMap(Self.process)
            return Found(value: .opened)
        case "connected":
            return Found(value: .connected(dial: line.duration(.dialNanoseconds) ?? .zero, isRerouted: false))
        case "refused":
            guard let error = line.string(.error).flatMap({ ErrorNumber(name: $0) }) else { return nil }
            return Found(value: .refused(error))
        case "received", "data":
            return chunk(line, subject, moment, isOriginal: event == "received").map { Found(value: $0) }
        case "end": return line.direction().map { Found(value: .ended($0)) }
        case "end_forwarded": return line.direction().map { Found(value: .endForwarded($0)) }
        case "dropped": return drop(line).map { Found(value: .dropped($0)) }
        case "toxic": return toxic(line).map { Found(value: .toxic($0)) }
        case "message": return message(line, moment).map { Found(value: .message($0)) }
        case "close":
            for direction in Direction.allCases { originals.remove(FlowSide(flow: subject.id, direction: direction)) }
            return close(line).map { Found(value: .closed($0)) }
        // No capture shows these: the packets are those of the plaintext.
        case "mismatch", "tls", "tls_failed", "tls_truncated", "tls_bypassed", "tls_unused":
            return Found(value: nil)
        default: return nil
        }
    }

    private mutating func chunk(
        _ line: LogLine,
        _ subject: FlowSubject,
        _ moment: Moment,
        isOriginal: Bool
    ) -> FlowRecord.Happening? {
        guard let direction = line.direction(), let offset = line.number(.offset), let length = line.integer(.length),
            length <= Self.longestChunk
        else { return nil }
        bytes.removeAll(keepingCapacity: true)
        hasChanges = line[.toxics] != nil
        if length > 0 { hasBytes = line[.bytes] != nil }
        if let text = line[.bytes] {
            guard Base64.decode(text, into: &bytes), bytes.count == length else { return nil }
        }
        // A time that no clock can show is none.
        let received = line.duration(.heldNanoseconds).map {
            moment.wallNanoseconds.subtractingReportingOverflow($0.inNanoseconds)
        }
        let held = received?.overflow == false
        var chunk = ChunkRecord(
            direction: direction,
            number: 0,
            offset: offset,
            length: length,
            receivedAt: held ? Instant(nanoseconds: received?.partialValue ?? 0) : moment.instant
        )
        chunk.peer = line.endpoint(direction == .upstream ? .to : .from)
        let side = FlowSide(flow: subject.id, direction: direction)
        if isOriginal {
            originals.insert(side)
            chunk.isTampered = true
            return .received(chunk)
        }
        // Without the original, the chunk that went on stands for it.
        chunk.isTampered = held && originals.contains(side)
        return .forwarded(chunk)
    }

    /// Reads the object that names a process.
    private static func process(_ text: UnsafeRawBufferPointer) -> ClientProcess? {
        guard let object = try? JSONParser.parse(Array(text)), let name = object["name"]?.stringValue,
            let user = object["user"]?.stringValue, let identifier = object["pid"]?.intValue
        else { return nil }
        return ClientProcess(identifier: Int32(clamping: identifier), name: name, user: user)
    }

    private func drop(_ line: LogLine) -> DropRecord? {
        guard let direction = line.direction(), let word = line.string(.reason) else { return nil }
        let reason: DropReason
        switch word {
        case "reset": reason = .reset
        case "shutdown": reason = .shutdown
        case "closed": reason = .closed
        case "queue full": reason = .queueFull
        case "receive buffer full": reason = .receiveBufferFull
        case "truncated": reason = .truncated
        case "toxic": reason = .toxic(line.string(.toxic) ?? "")
        case "not the server":
            guard let source = line.endpoint(.from) else { return nil }
            reason = .foreign(source)
        default:
            guard let error = ErrorNumber(name: word) else { return nil }
            reason = .error(error)
        }
        return DropRecord(
            direction: direction,
            bytes: line.number(.length) ?? 0,
            datagrams: line.number(.datagrams) ?? 0,
            reason: reason
        )
    }

    private func toxic(_ line: LogLine) -> ToxicRecord? {
        guard let direction = line.direction(), let name = line.string(.toxic) else { return nil }
        let effect: ToxicRecord.Effect
        switch line.string(.effect) {
        case "met": effect = .met(acts: line.isTrue(.acts))
        case "changed": effect = .changed(acts: line.isTrue(.acts))
        case "removed": effect = .removed
        case "closed": effect = .closed
        case "reset": effect = .reset
        default: return nil
        }
        return ToxicRecord(direction: direction, name: name, type: line.string(.type) ?? "", effect: effect)
    }

    private func message(_ line: LogLine, _ moment: Moment) -> Message? {
        guard let direction = line.direction(), let name = line.string(.protocol), let length = line.integer(.length),
            let summary = line.string(.summary),
            let known = Dissectors.descriptions.first(where: { $0.name.description == name })
        else { return nil }
        // A datagram's message has no offset.
        let offset = line.integer(.offset) ?? 0
        let (end, overflow) = offset.addingReportingOverflow(length)
        guard !overflow else { return nil }
        var message = Message()
        message.name = known.name
        message.direction = direction
        message.range = offset..<end
        message.time = moment.wallNanoseconds
        message.summary = MessageText(escaping: summary)
        message.isComplete = line.isTrue(.complete)
        let delay = line.number(.delayNanoseconds).map { Int64(clamping: $0) }
        if let request = line.integer(.answers) ?? delay.map({ _ in 0 }) {
            message.answer = MessageAnswer(request: request, delay: delay)
        }
        message.isRequest = line.isTrue(.request)
        message.facts.method = line.string(.method)
        message.facts.target = line.string(.path)
        message.facts.status = line.number(.status)
        message.facts.host = line.string(.host)
        message.facts.serverName = line.string(.sni)
        message.facts.isError = line.isTrue(.error)
        return message
    }

    private func close(_ line: LogLine) -> CloseRecord? {
        guard let reason = line.string(.reason).flatMap({ CloseReason(rawValue: $0) }) else { return nil }
        var (up, down) = (Counters(), Counters())
        (up.bytes, up.chunks) = (line.number(.bytesUp) ?? 0, line.number(.chunksUp) ?? 0)
        (down.bytes, down.chunks) = (line.number(.bytesDown) ?? 0, line.number(.chunksDown) ?? 0)
        (up.droppedBytes, down.droppedBytes) = (line.number(.droppedUp) ?? 0, line.number(.droppedDown) ?? 0)
        return CloseRecord(
            reason: reason,
            upstream: up,
            downstream: down,
            duration: line.duration(.durationNanoseconds) ?? .zero
        )
    }
}
