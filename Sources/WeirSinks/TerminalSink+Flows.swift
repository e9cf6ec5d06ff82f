import WeirEngine
import WeirWire

/// The lines of flows: how they begin, what happens to them, and how they end.
extension TerminalSink {
    /// Appends the line of a record that has no bytes.
    mutating func appendFlow(_ record: FlowRecord, _ output: inout ByteBuffer) {
        switch record.happening {
        case .opened: appendOpen(record, &output)
        case .connected(_, let isRerouted): if isRerouted { appendPathLine(record, after: " connected", &output) }
        case .refused(let error): appendRefusal(record, error, &output)
        case .toxic(let toxic): appendToxic(toxic, record, &output)
        case .tls(let tls): appendTLS(tls, record, &output)
        case .mismatch(let mismatch): appendMismatch(mismatch, record, &output)
        case .dropped(let drop): appendDrop(drop, record, &output)
        case .closed(let close): appendClose(close, record, &output)
        case .received, .forwarded, .ended, .endForwarded, .message, .wire: break
        }
    }

    private mutating func appendOpen(_ record: FlowRecord, _ output: inout ByteBuffer) {
        let texts = details.texts(record)
        appendPathLine(record, after: texts.isEmpty ? "" : "   " + texts.joined(separator: ", "), &output)
    }

    /// Appends a line with a flow's endpoints: all whole if they fit, or in a file.
    private mutating func appendPathLine(_ record: FlowRecord, after text: String, _ output: inout ByteBuffer) {
        for isShort in style.isTerminal ? [false, true] : [false] {
            let start = begin(record, hasTime: !style.isTerminal, &output)
            beginColor("\u{1B}[1m", &output)
            output.append(record.transport == .tcp ? "tcp " : "udp ")
            appendPath(record, isShort: isShort, &output)
            endColor(&output)
            output.append(text)
            if !isShort, let width = style.width, output.columns(from: start) > width {
                output.truncate(to: start)
                continue
            }
            return output.endLine(from: start, style)
        }
    }

    private func appendPath(_ record: FlowRecord, isShort: Bool, _ output: inout ByteBuffer) {
        let path = record.path
        var addresses = LineAddresses(isShort: isShort)
        addresses.append(clientOf: record, to: &output)
        appendArrow(style.arrow, &output)
        addresses.append(path.listener, to: &output)
        guard let server = path.server else { return }
        appendArrow(style.doubleArrow, &output)
        addresses.append(egressOf: record, to: &output)
        appendArrow(style.arrow, &output)
        appendServer(server, &addresses, &output)
    }

    /// Appends a server: on a terminal by its name, if it has one, in a file by its address and its name.
    private func appendServer(_ server: Endpoint, _ addresses: inout LineAddresses, _ output: inout ByteBuffer) {
        let name = server.address.isLoopback ? nil : details.name(server.address).map(ClientProcess.plain)
        guard style.isTerminal, let name else {
            addresses.append(server, to: &output)
            if let name { output.append(" \(name)") }
            return
        }
        output.append(name)
        output.append(":")
        output.appendDecimal(server.port)
    }

    private func appendArrow(_ sign: StaticString, _ output: inout ByteBuffer) {
        output.append(" ")
        output.append(sign)
        output.append(" ")
    }

    private mutating func appendRefusal(_ record: FlowRecord, _ error: ErrorNumber, _ output: inout ByteBuffer) {
        let start = begin(record, &output)
        beginColor("\u{1B}[31m", &output)
        output.append("refused ")
        var addresses = LineAddresses(isShort: style.isTerminal)
        if show == .messages {
            // No other line has the client.
            addresses.append(clientOf: record, to: &output)
        } else {
            addresses.append(egressOf: record, to: &output)
        }
        appendArrow(style.arrow, &output)
        if let server = record.path.server {
            appendServer(server, &addresses, &output)
        } else {
            output.append("no server")
        }
        output.append(", ")
        output.append(error.description)
        endColor(&output)
        output.endLine(from: start, style)
    }

    /// Appends the end of a direction: `▲ end`.
    mutating func appendEnd(_ record: FlowRecord, _ output: inout ByteBuffer) {
        let (direction, text): (Direction, StaticString)
        switch record.happening {
        case .ended(let ended, _): (direction, text) = (ended, " end")
        case .endForwarded(let ended): (direction, text) = (ended, " end forwarded")
        default: return
        }
        let start = begin(record, &output)
        appendSign(direction, &output)
        output.append(text)
        endColor(&output)
        output.endLine(from: start, style)
    }

    /// Appends what a toxic did to a flow, unless it acts as it was asked to.
    private mutating func appendToxic(_ toxic: ToxicRecord, _ record: FlowRecord, _ output: inout ByteBuffer) {
        if case .met(acts: true) = toxic.effect, !options.isVerbose { return }
        let start = begin(record, &output)
        appendSign(toxic.direction, &output)
        output.append(" ")
        output.appendToxic(toxic)
        endColor(&output)
        output.endLine(from: start, style)
    }

    private mutating func appendDrop(_ drop: DropRecord, _ record: FlowRecord, _ output: inout ByteBuffer) {
        let start = begin(record, &output)
        appendSign(drop.direction, &output)
        beginColor("\u{1B}[31m", &output)
        output.append(" dropped ")
        output.appendLoss(bytes: drop.bytes, datagrams: drop.datagrams)
        output.append(", ")
        output.append(drop.reason.description)
        endColor(&output)
        output.endLine(from: start, style)
    }

    private mutating func appendClose(_ close: CloseRecord, _ record: FlowRecord, _ output: inout ByteBuffer) {
        let start = begin(record, &output)
        output.append("closed, ")
        output.append(close.reason == .requested ? "on request" : close.reason.rawValue)
        output.append(close.reason == .finished ? " in " : " after ")
        output.appendBrief(close.duration)
        output.append("   ")
        output.append(style.sign(.upstream))
        output.append(" ")
        output.appendCounters(close.upstream)
        if record.path.server == nil, close.reason != .refused, close.downstream == Counters() {
            // An echo server's own answers are no separate traffic.
            output.append(" sent back")
        } else {
            output.append("  ")
            output.append(style.sign(.downstream))
            output.append(" ")
            output.appendCounters(close.downstream)
        }
        output.endLine(from: start, style)
    }
}

extension ByteBuffer {
    /// Appends the bytes of one direction, on request the chunks that they came in, and its losses: `14 B in 2 chunks, 5 B
    /// dropped`, `14 B, 2 datagrams of 9 B dropped`.
    mutating func appendCounters(_ counters: Counters, showsChunks: Bool = false) {
        appendDecimal(counters.bytes)
        append(" B")
        if showsChunks {
            append(" in ")
            appendCount(counters.chunks, "chunk")
        }
        guard counters.droppedBytes > 0 || counters.droppedDatagrams > 0 else { return }
        append(", ")
        if counters.droppedDatagrams > 0 { appendCount(counters.droppedDatagrams, "datagram") }
        if counters.droppedDatagrams > 0, counters.droppedBytes > 0 { append(" of ") }
        if counters.droppedBytes > 0 {
            appendDecimal(counters.droppedBytes)
            append(" B")
        }
        append(" dropped")
    }

    /// Appends the counts that are not zero, or `0 B`.
    mutating func appendLoss(bytes: UInt64, datagrams: UInt64) {
        if datagrams > 0 { appendCount(datagrams, "datagram") }
        guard datagrams == 0 || bytes > 0 else { return }
        if datagrams > 0 { append(", ") }
        appendDecimal(bytes)
        append(" B")
    }
}

extension LineAddresses {
    /// Appends a flow's client; it has no port if it was never connected.
    fileprivate mutating func append(clientOf record: FlowRecord, to output: inout ByteBuffer) {
        if record.hasClientPort { append(record.path.client, to: &output) } else { output.append("no port") }
    }

    /// Appends the relay's own endpoint of a flow's dial, if the dial got one.
    fileprivate mutating func append(egressOf record: FlowRecord, to output: inout ByteBuffer) {
        if let egress = record.path.egress { append(egress, to: &output) } else { output.append("no egress") }
    }
}
