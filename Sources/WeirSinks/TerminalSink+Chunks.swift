import WeirEngine
import WeirWire

/// The lines of chunks and messages.
extension TerminalSink {
    /// Appends the line of a chunk, what it means, and its dump.
    mutating func appendChunk(
        _ chunk: ChunkRecord,
        of record: FlowRecord,
        _ bytes: RawSpan,
        isOriginal: Bool,
        _ output: inout ByteBuffer
    ) {
        let shown = interest == .bytes ? shownCount(of: bytes) : 0
        let start = begin(record, &output)
        appendSign(chunk.direction, &output)
        if isOriginal { output.append(" received") }
        let isRead = !isOriginal && lines != nil
        if isRead { lines?.begin(chunk, record.transport, shown: shown) }
        if isRead, lines?.appendMeaning(to: &output) == true {
            endColor(&output)
            let right = output.beginRight(style)
            if let delay = lines?.delay {
                output.appendBrief(delay)
                output.append("   ")
            }
            appendSize(chunk, &output)
            output.endLine(from: start, right: right, style)
            appendNotes(of: chunk, record, after: nil, &output)
        } else {
            endColor(&output)
            output.append(" ")
            appendSize(chunk, &output)
            appendNotes(of: chunk, record, after: start, &output)
        }
        appendDump(bytes.extracting(first: shown), isRead: isRead, &output)
        if shown < bytes.byteCount, interest == .bytes { appendHidden(bytes.byteCount - shown, &output) }
        guard isRead else { return }
        let style = style
        lines?.end(to: &output, style)
    }

    /// Appends `38 B @0`: the length, and the place in the stream.
    private func appendSize(_ chunk: ChunkRecord, _ output: inout ByteBuffer) {
        output.appendDecimal(chunk.length)
        output.append(" B @")
        output.appendDecimal(chunk.offset)
    }

    /// Appends what else is known of a chunk: at the end of its line, if that begins at `start` and there is room, or else
    /// in a line of its own.
    private mutating func appendNotes(
        of chunk: ChunkRecord,
        _ record: FlowRecord,
        after start: Int?,
        _ output: inout ByteBuffer
    ) {
        let isPlain = chunk.peer == nil && chunk.echo == nil && !chunk.isTampered
        guard !isPlain else {
            if let start { output.endLine(from: start, style) }
            return
        }
        let end = output.count
        if let start {
            if appendNotes(of: chunk, at: record.moment, separator: "   ", &output) == 0 {
                return output.endLine(from: start, style)
            }
            guard let width = style.width, output.columns(from: start) > width else {
                output.endLine(from: start, style)
                return appendWarnings(of: chunk, &output)
            }
            output.truncate(to: end)
            output.endLine(from: start, style)
        }
        let line = output.count
        if appendNotes(of: chunk, at: record.moment, separator: "  ", &output) > 0 {
            output.endLine(from: line, style)
        } else {
            output.truncate(to: line)
        }
        appendWarnings(of: chunk, &output)
    }

    /// Appends the notes on a chunk, and returns how many there are.
    private func appendNotes(
        of chunk: ChunkRecord,
        at moment: Moment,
        separator: StaticString,
        _ output: inout ByteBuffer
    ) -> Int {
        var count = 0
        if let peer = chunk.peer {
            output.append(separator)
            output.append(chunk.direction == .upstream ? "to " : "from ")
            peer.write(to: &output)
            count += 1
        }
        if chunk.isTampered {
            let start = output.count
            output.append(separator)
            if output.appendToxics(of: chunk, at: moment) { count += 1 } else { output.truncate(to: start) }
        }
        if let echo = chunk.echo {
            output.append(count > 0 ? ", " : separator)
            output.append("echo of ")
            output.append(style.sign(.upstream))
            output.append(" @")
            output.appendDecimal(echo.offset)
            output.append(", ")
            output.appendBrief(echo.delay)
            count += 1
        }
        return count
    }

    /// Warns, once for each toxic, that a message has another length than it says.
    private mutating func appendWarnings(of chunk: ChunkRecord, _ output: inout ByteBuffer) {
        guard chunk.isTampered else { return }
        for change in chunk.changes where change.breaksLength && warnedOf.insert(change.toxic).inserted {
            let line = output.count
            beginColor("\u{1B}[31m", &output)
            output.append("  ")
            output.append(ToxicRecord.quoted(change.toxic))
            output.append(" changed the length under a Content-Length: the receiver waits, or cuts the body")
            endColor(&output)
            output.endLine(from: line, style)
        }
    }

    /// Appends a chunk's bytes; if messages were read from them, with the colors of the fields.
    private mutating func appendDump(_ bytes: RawSpan, isRead: Bool, _ output: inout ByteBuffer) {
        switch show {
        case .hex where isRead: lines?.appendDump(bytes, to: &output)
        case .hex: HexDump.append(bytes, isIndented: true, to: &output)
        case .text: EscapedText.append(bytes, isUnicode: style.isUnicode, to: &output)
        case .summary, .messages, .ports, .text2pcap, .none: break
        }
    }

    private func appendHidden(_ count: Int, _ output: inout ByteBuffer) {
        output.append("  ")
        output.append(style.ellipsis)
        output.append(" ")
        output.appendDecimal(count)
        output.append(" B more (--show-limit)\n")
    }

    /// Appends the messages that the end of a direction, or of the flow, completes, in a line of their own.
    mutating func appendMessages(of record: FlowRecord, _ output: inout ByteBuffer) {
        for direction in Direction.allCases {
            guard lines?.selectWaiting(direction) == true else { continue }
            let start = begin(record, &output)
            appendSign(direction, &output)
            _ = lines?.appendMeaning(to: &output)
            endColor(&output)
            let delay = lines?.delay
            let right = delay == nil ? nil : output.beginRight(style)
            if let delay { output.appendBrief(delay) }
            output.endLine(from: start, right: right, style)
            let style = style
            lines?.end(to: &output, style)
        }
        lines?.forget()
    }

    /// Appends the line of a message, or of a request with its answer.
    mutating func appendRequest(_ request: RequestLines.Line, _ output: inout ByteBuffer) {
        let start = begin(request.record, &output)
        appendSign(request.message.direction, &output)
        output.append(" ")
        output.append(request.message.name)
        output.append(" ")
        let text = output.count
        request.message.summary.append(to: &output)
        if !request.message.isComplete { output.append(", incomplete") }
        if let answer = request.answer {
            output.makeRoom(
                for: answer.summary,
                from: start,
                after: text,
                style,
                then: request.message.direction.color
            )
            output.append(" ")
            output.append(style.arrow)
            output.append(" ")
            if "\(answer.name)" != "\(request.message.name)" {
                output.append(answer.name)
                output.append(" ")
            }
            answer.summary.append(to: &output)
            if !answer.isComplete { output.append(", incomplete") }
        }
        endColor(&output)
        let delay = (request.answer ?? request.message).answer?.delay
        let right = delay == nil ? nil : output.beginRight(style)
        if let delay { output.appendBrief(.nanoseconds(delay)) }
        output.endLine(from: start, right: right, style)
    }
}
