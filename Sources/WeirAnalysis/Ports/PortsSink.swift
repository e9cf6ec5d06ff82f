public import WeirEngine
public import WeirWire

/// A sink that shows how ports are assigned while a relay runs: a line for each flow, and at the end a sentence for each
/// address, or a report.
///
/// The line has the client's port and the relay's own for it, each with its step from the previous one to the same
/// destination. Memory is limited: the first 2^20 choices of ports are kept for the report, 14 bytes each.
public struct PortsSink: Sink {
    private static let usesKept = 1 << 20
    private static let destinationsKept = 1 << 16

    private struct Way: Hashable {
        var key: PortSeriesKey
        var destination: Endpoint
    }

    private var timestamp: Timestamp
    private var table = PortTable(limit: usesKept)
    private var last: [Way: UInt16] = [:]
    /// The egress of each open flow, to detect a further dial.
    private var egress: [FlowID: Endpoint] = [:]
    private let text: PortsText
    private let style: TerminalStyle
    private let hasLines: Bool
    private let isVerbose: Bool
    private let ranges: OwnPortRanges

    /// Creates a sink.
    ///
    /// - Parameters:
    ///   - localOffset: how far local time is ahead of UTC.
    ///   - style: the reader.
    ///   - hasLines: whether each flow has a line.
    ///   - isVerbose: whether the end has reports with their statistics, and not only sentences.
    ///   - ranges: the known ranges.
    public init(
        localOffset: @escaping Timestamp.LocalOffset = { _ in 0 },
        style: TerminalStyle = TerminalStyle(),
        hasLines: Bool = true,
        isVerbose: Bool = false,
        ranges: OwnPortRanges = OwnPortRanges()
    ) {
        self.ranges = ranges
        self.style = style
        self.hasLines = hasLines
        self.isVerbose = isVerbose
        timestamp = Timestamp(localOffset: localOffset)
        text = PortsText(color: style.color)
    }

    /// The interest in flows, but not in chunks.
    public var interest: Interest { .flows }

    /// Renders the line of a flow that begins, or is dialed again.
    public mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        switch record.happening {
        case .opened:
            let start = begin(record, &output)
            let hasClient = record.hasClientPort
            if hasClient {
                output.append("client ")
                append(record, record.path.client, to: record.path.listener, .client, &output)
            }
            if let egress = record.path.egress, let server = record.path.server {
                output.append(hasClient ? ", egress " : "egress ")
                self.egress[record.flow] = egress
                append(record, egress, to: server, .egress, &output)
            } else if !hasClient {
                return output.truncate(to: start)
            }
            end(start, &output)
        case .connected, .refused:
            guard let egress = record.path.egress, let server = record.path.server,
                self.egress.updateValue(egress, forKey: record.flow) != egress
            else { return }
            let start = begin(record, &output)
            output.append("egress ")
            append(record, egress, to: server, .egress, &output)
            end(start, &output)
        case .closed: egress[record.flow] = nil
        default: break
        }
    }

    /// Begins a line; returns where it begins.
    private mutating func begin(_ record: FlowRecord, _ output: inout ByteBuffer) -> Int {
        let start = output.count
        if style.isTerminal {
            timestamp.appendTimeOfDay(record.moment.wallNanoseconds, to: &output)
            output.truncate(to: output.count - 2)
        } else {
            timestamp.appendDateAndTime(record.moment.wallNanoseconds, to: &output)
        }
        output.append(" #")
        output.appendDecimal(record.flow.rawValue)
        output.append(record.transport == .tcp ? " tcp ports, " : " udp ports, ")
        return start
    }

    private func end(_ start: Int, _ output: inout ByteBuffer) {
        if hasLines { output.endLine(from: start, style) } else { output.truncate(to: start) }
    }

    /// Appends `:36080 +12 from :36068`, and remembers the choice.
    private mutating func append(
        _ record: FlowRecord,
        _ own: Endpoint,
        to destination: Endpoint,
        _ side: PortSide,
        _ output: inout ByteBuffer
    ) {
        let key = PortSeriesKey(client: own.address, transport: record.transport, side: side)
        let way = Way(key: key, destination: destination)
        output.append(":\(own.port)")
        if let before = last[way] {
            let step = Int(own.port) - Int(before)
            output.append(" \(step < 0 ? "" : "+")\(step) from :\(before)")
        } else {
            output.append(" first")
        }
        if last[way] != nil || last.count < Self.destinationsKept { last[way] = own.port }
        table.add(
            PortUse(
                time: record.moment.wallNanoseconds,
                client: own.address,
                transport: record.transport,
                side: side,
                destination: destination,
                port: own.port
            )
        )
    }

    /// Renders the reports, the clients' first.
    public mutating func finish(into output: inout ByteBuffer) {
        for side in [PortSide.client, .egress] {
            for series in table.series where series.key.side == side {
                let report = PortAnalysis.report(series, known: ranges.known(for: series))
                if isVerbose { text.append(report, to: &output) } else { append(sentenceOn: report, &output) }
            }
        }
        guard table.leftOut > 0 else { return }
        output.appendCount(UInt64(table.leftOut), "port")
        output.append(" more than are kept for the report\n")
    }

    private func append(sentenceOn report: PortReport, _ output: inout ByteBuffer) {
        let start = output.count
        output.append(text.sentence(on: report))
        output.endLine(from: start, style)
    }
}
