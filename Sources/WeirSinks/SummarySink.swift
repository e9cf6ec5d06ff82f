public import WeirEngine
public import WeirWire

/// A sink that sums up the run at its end: flows, bytes, and a table of the ports of clients and of the relay.
///
/// Memory is limited: the table has the first 4,096 flows.
public struct SummarySink: Sink {
    private let details: FlowDetails
    /// The reader.
    var style: TerminalStyle
    private var flows: (tcp: UInt64, udp: UInt64) = (0, 0)
    private var refused: UInt64 = 0
    private var evicted: UInt64 = 0
    private var mismatches: UInt64 = 0
    private var upstream = Counters()
    private var downstream = Counters()
    private var rows = PortRows()
    private var table = PortTableText()

    /// Creates an empty summary.
    ///
    /// - Parameters:
    ///   - details: finds the clients' processes.
    ///   - style: the reader.
    public init(details: FlowDetails = FlowDetails(), style: TerminalStyle = TerminalStyle()) {
        self.details = details
        self.style = style
    }

    /// The interest in flows, but not in chunks: the closing records count those.
    public var interest: Interest { .flows }

    /// Counts a record; renders nothing until the end.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        switch record.happening {
        case .closed(let close):
            add(close.upstream, to: &upstream)
            add(close.downstream, to: &downstream)
            if record.transport == .tcp { flows.tcp += 1 } else { flows.udp += 1 }
            if close.reason == .evicted { evicted += 1 }
        case .refused: refused += 1
        case .mismatch: mismatches += 1
        case .opened, .connected: break
        case .received, .forwarded, .ended, .endForwarded, .dropped, .toxic, .tls, .wire, .message: return
        }
        if let row = rows.row(of: record, details) { table.add(row) }
    }

    private func add(_ counters: Counters, to sum: inout Counters) {
        sum.bytes += counters.bytes
        sum.chunks += counters.chunks
        sum.droppedBytes += counters.droppedBytes
        sum.droppedDatagrams += counters.droppedDatagrams
    }

    /// Renders the totals, and the table of ports.
    public mutating func finish(into output: inout ByteBuffer) {
        let start = output.count
        appendTotals(showsChunks: true, to: &output)
        if let width = style.width, output.columns(from: start) > width {
            output.truncate(to: start)
            appendTotals(showsChunks: false, to: &output)
        }
        output.endLine(from: start, style)
        table.append(style, to: &output)
    }

    private func appendTotals(showsChunks: Bool, to output: inout ByteBuffer) {
        output.append("total: ")
        output.appendCount(flows.tcp, "tcp flow")
        output.append(", ")
        output.appendCount(flows.udp, "udp flow")
        for (direction, counters) in [(Direction.upstream, upstream), (.downstream, downstream)] {
            output.append(direction == .upstream ? "   " : "  ")
            output.append(style.sign(direction))
            output.append(" ")
            output.appendCounters(counters, showsChunks: showsChunks)
        }
        let faults: [(UInt64, StaticString)] = [(refused, "refused"), (evicted, "evicted"), (mismatches, "mismatched")]
        for (count, name) in faults where count > 0 {
            output.append("  ")
            output.appendDecimal(count)
            output.append(" ")
            output.append(name)
        }
    }
}
