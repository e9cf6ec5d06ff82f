import WeirEngine
import WeirWire

/// The rows of the table of ports: for each flow the client's port and the relay's own for it, each with its step from the
/// one before, to the same destination.
///
/// Memory is limited: the last ports to 4,096 destinations, and 65,536 ports that may come again.
struct PortRows: Sendable {
    private static let (destinationsKept, portsKept) = (4096, 65_536)

    /// One flow's ports.
    struct Row: Sendable {
        var flow: FlowID
        var transport: Transport
        var client: Endpoint
        var clientStep: Int?
        var egress: Endpoint?
        var egressStep: Int?
        /// Whether the port had been used before, on either side.
        var isClientAgain = false
        var isEgressAgain = false
        var process: ProcessAnswer
    }

    /// The choices of ports that follow one another.
    private struct Way: Hashable {
        var transport: Transport
        var source: IPAddress
        var destination: Endpoint
    }

    private struct Port: Hashable {
        var transport: Transport
        var endpoint: Endpoint
        var isEgress: Bool
    }

    private var last: [Way: UInt16] = [:]
    private var seen: Set<Port> = []
    /// The egress of each open flow, to detect a further dial.
    private var egress: [FlowID: Endpoint] = [:]

    /// Returns the row of a flow that begins, or is dialed again; nil for any other record.
    mutating func row(of record: FlowRecord, _ details: FlowDetails) -> Row? {
        switch record.happening {
        case .opened: break
        case .connected, .refused:
            guard let egress = record.path.egress, let before = self.egress[record.flow], before != egress else {
                return nil
            }
        case .closed:
            egress[record.flow] = nil
            return nil
        default: return nil
        }
        var row = Row(
            flow: record.flow,
            transport: record.transport,
            client: record.path.client,
            process: details.answer(record)
        )
        if case .opened = record.happening {
            (row.clientStep, row.isClientAgain) = take(
                record.path.client,
                record.path.listener,
                record,
                isEgress: false
            )
        }
        if let egress = record.path.egress, let server = record.path.server {
            row.egress = egress
            self.egress[record.flow] = egress
            (row.egressStep, row.isEgressAgain) = take(egress, server, record, isEgress: true)
        }
        return row
    }

    private mutating func take(
        _ own: Endpoint,
        _ destination: Endpoint,
        _ record: FlowRecord,
        isEgress: Bool
    ) -> (step: Int?, isAgain: Bool) {
        let way = Way(transport: record.transport, source: own.address, destination: destination)
        let before = last[way]
        if before != nil || last.count < Self.destinationsKept { last[way] = own.port }
        let port = Port(transport: record.transport, endpoint: own, isEgress: isEgress)
        let isAgain = seen.contains(port)
        if !isAgain, seen.count < Self.portsKept { seen.insert(port) }
        return (before.map { Int(own.port) - Int($0) }, isAgain)
    }
}

extension PortRows.Row {
    /// Whether one of the ports had been used before, and which.
    var again: StaticString {
        switch (isClientAgain, isEgressAgain) {
        case (false, false): ""
        case (true, false): "client"
        case (false, true): "egress"
        case (true, true): "both"
        }
    }

    /// The process; empty if it was not looked for.
    var program: String {
        switch process {
        case .found(let process): process.title
        case .unknown: "process not known"
        case .notAsked: ""
        }
    }

    /// Appends the row without the flow's number: `tcp  :36068  +12  :44010  +2  again  psql 14501, alice`.
    ///
    /// - Parameters:
    ///   - isAligned: Whether columns have the widths of most rows.
    ///   - style: The reader.
    ///   - output: Receives the row.
    func append(isAligned: Bool, _ style: TerminalStyle, to output: inout ByteBuffer) {
        let width = !isAligned ? 0 : style.isTerminal ? 8 : 24
        let stepWidth = isAligned ? 7 : 0
        func end(_ start: Int, _ width: Int, _ output: inout ByteBuffer) {
            output.endCell(from: start, nil, atLeast: width, style)
            output.append(" ")
        }
        output.append(transport == .tcp ? "tcp " : "udp ")
        var start = output.count
        append(client, style, to: &output)
        end(start, width, &output)
        start = output.count
        append(clientStep, to: &output)
        end(start, stepWidth, &output)
        if let egress {
            output.append(style.doubleArrow)
            output.append(" ")
            start = output.count
            append(egress, style, to: &output)
            end(start, width, &output)
            start = output.count
            append(egressStep, to: &output)
            end(start, stepWidth, &output)
        }
        if isClientAgain || isEgressAgain {
            output.append(again)
            output.append(" again  ")
        }
        output.append(program)
    }

    /// Appends an endpoint; on a terminal without the address of the loopback.
    func append(_ endpoint: Endpoint, _ style: TerminalStyle, to output: inout ByteBuffer) {
        var addresses = LineAddresses(isShort: style.isTerminal)
        addresses.append(endpoint, to: &output)
    }

    /// Appends a step: `+2`.
    func append(_ step: Int?, to output: inout ByteBuffer) {
        guard let step else { return }
        if step >= 0 { output.append("+") }
        output.appendDecimal(step)
    }
}
