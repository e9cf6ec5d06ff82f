import WeirEngine
import WeirWire

/// The rows of the table of ports: for each flow the client's port and the relay's own for it, each with its step from the
/// one before, to the same destination.
///
/// Memory is limited: the last ports to 4,096 destinations, and 65,536 ports that may come again, 4 bytes each.
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
        /// Whether the flow has a row already, which this one changes.
        var isDialedAgain = false
        var process: ProcessAnswer
    }

    /// The choices of ports that follow one another.
    private struct Way: Hashable {
        var transport: Transport
        var source: IPAddress
        var destination: Endpoint
        var isEgress: Bool
    }

    /// The ports of an address that may come again, on one side.
    private struct Source: Hashable {
        var transport: Transport
        var address: IPAddress
        var isEgress: Bool
    }

    private var last: [Way: UInt16] = [:]
    private var sources = Numbered<Source>()
    /// The used ports: the number of the source in the upper 16 bits, the port in the lower.
    private var seen: Set<UInt32> = []
    /// The egress of each flow that is not connected yet, nil if it has none yet, to detect a further dial.
    private var dialing: [FlowID: Endpoint?] = [:]

    /// Returns the row of a flow that begins, or is dialed again; nil for any other record.
    mutating func row(of record: FlowRecord, _ details: FlowDetails) -> Row? {
        var isDialedAgain = false
        switch record.happening {
        case .opened: dialing.updateValue(record.path.egress, forKey: record.flow)
        case .connected, .refused:
            guard let before = dialing[record.flow] else { return nil }
            // No dial follows one that succeeded.
            if case .connected = record.happening {
                dialing.removeValue(forKey: record.flow)
            } else {
                dialing.updateValue(record.path.egress, forKey: record.flow)
            }
            guard record.path.egress != nil, before != record.path.egress else { return nil }
            isDialedAgain = true
        case .closed:
            dialing.removeValue(forKey: record.flow)
            return nil
        default: return nil
        }
        var row = Row(
            flow: record.flow,
            transport: record.transport,
            client: record.path.client,
            isDialedAgain: isDialedAgain,
            process: details.answer(record)
        )
        if !isDialedAgain, record.hasClientPort {
            (row.clientStep, row.isClientAgain) = take(
                record.path.client,
                record.path.listener,
                record,
                isEgress: false
            )
        }
        if let egress = record.path.egress, let server = record.path.server {
            row.egress = egress
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
        let way = Way(
            transport: record.transport,
            source: own.address,
            destination: destination,
            isEgress: isEgress
        )
        let before = last[way]
        if before != nil || last.count < Self.destinationsKept { last[way] = own.port }
        let source = Source(transport: record.transport, address: own.address, isEgress: isEgress)
        let port = sources.number(of: source).map { UInt32($0) << 16 | UInt32(own.port) }
        let isAgain = port.map { seen.contains($0) } ?? false
        if let port, seen.count < Self.portsKept { seen.insert(port) }
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
        guard endpoint.port != 0 else { return output.append("none") }
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
