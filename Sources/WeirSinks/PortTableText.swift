import WeirEngine
import WeirWire

/// The table of ports at the end of a run, with a group of rows for each program.
struct PortTableText: Sendable {
    /// The maximum number of rows on a terminal, and of those that are kept.
    private static let (shownOnTerminal, kept, programsKept) = (20, 4096, 64)

    private struct Group {
        var name: String
        var flows = 0
        /// The number of its rows that are kept.
        var rows = 0
        /// The place of the last row's process.
        var process: UInt16 = 0
    }

    /// An endpoint with its address among those of all rows.
    private struct Port {
        var address: UInt16
        var port: UInt16
    }

    /// A row in 40 bytes: a run has thousands.
    private struct Kept {
        var flow: FlowID
        var client: Port
        var egress: Port?
        var clientStep: Int32?
        var egressStep: Int32?
        var process: UInt16
        var group: UInt8
        var transport: Transport
        var isClientAgain: Bool
        var isEgressAgain: Bool
    }

    private var rows: [Kept] = []
    private var addresses = Numbered<IPAddress>()
    private var processes: [ProcessAnswer] = []
    private var groups: [Group] = []
    private var known: [String: UInt8] = [:]
    /// The number of flows of programs that have no group.
    private var others = 0

    /// Adds the row of a flow, or the ports of a further dial of one.
    mutating func add(_ row: PortRows.Row) {
        guard !row.isDialedAgain else { return dialedAgain(row) }
        let name = row.programName
        guard let group = known[name] ?? begin(name) else {
            others += 1
            return
        }
        groups[Int(group)].flows += 1
        guard rows.count < Self.kept, let client = port(row.client) else { return }
        groups[Int(group)].rows += 1
        rows.append(
            Kept(
                flow: row.flow,
                client: client,
                egress: row.egress.flatMap { port($0) },
                clientStep: row.clientStep.map { Int32($0) },
                egressStep: row.egressStep.map { Int32($0) },
                process: place(of: row.process, group),
                group: group,
                transport: row.transport,
                isClientAgain: row.isClientAgain,
                isEgressAgain: row.isEgressAgain
            )
        )
    }

    /// Changes the relay's port in the row of a flow, if it has one: one of the last, as the flow is not connected yet.
    private mutating func dialedAgain(_ row: PortRows.Row) {
        guard let place = rows.lastIndex(where: { $0.flow == row.flow }) else { return }
        rows[place].egress = row.egress.flatMap { port($0) }
        rows[place].egressStep = row.egressStep.map { Int32($0) }
        rows[place].isEgressAgain = row.isEgressAgain
    }

    private mutating func port(_ endpoint: Endpoint) -> Port? {
        addresses.number(of: endpoint.address).map { Port(address: $0, port: endpoint.port) }
    }

    /// Returns the place of a process; most flows of a program follow one of the same process.
    private mutating func place(of process: ProcessAnswer, _ group: UInt8) -> UInt16 {
        let last = groups[Int(group)].process
        if groups[Int(group)].rows > 1, processes[Int(last)] == process { return last }
        let place = UInt16(processes.count)
        processes.append(process)
        groups[Int(group)].process = place
        return place
    }

    private mutating func begin(_ name: String) -> UInt8? {
        guard groups.count < Self.programsKept else { return nil }
        let group = UInt8(groups.count)
        known[name] = group
        groups.append(Group(name: name))
        return group
    }

    /// Returns a row as it came.
    private func row(_ kept: Kept) -> PortRows.Row {
        func endpoint(_ port: Port) -> Endpoint { Endpoint(address: addresses[port.address], port: port.port) }
        return PortRows.Row(
            flow: kept.flow,
            transport: kept.transport,
            client: endpoint(kept.client),
            clientStep: kept.clientStep.map { Int($0) },
            egress: kept.egress.map(endpoint),
            egressStep: kept.egressStep.map { Int($0) },
            isClientAgain: kept.isClientAgain,
            isEgressAgain: kept.isEgressAgain,
            process: processes[Int(kept.process)]
        )
    }

    /// Appends the table; nothing if there was no flow.
    func append(_ style: TerminalStyle, to output: inout ByteBuffer) {
        guard !rows.isEmpty else { return }
        let shown = shares(of: style.isTerminal ? Self.shownOnTerminal : .max)
        var lines: [[String]] = []
        for group in groups.indices {
            let own = rows.lazy.filter { $0.group == group }
            for kept in own.prefix(shown[group]) { lines.append(cells(row(kept), style)) }
        }
        var widths = Self.headings.map(\.count)
        for cells in lines { for index in cells.indices { widths[index] = max(widths[index], cells[index].count) } }
        // A terminal that is too narrow shows no columns in which no row has anything.
        if let width = style.width, widths.reduce(2 * (widths.count - 1), +) > width {
            for index in widths.indices where lines.allSatisfy({ $0[index].isEmpty }) { widths[index] = 0 }
        }
        append(Self.headings, widths, style, &output)
        var next = 0
        for group in groups.indices {
            for _ in 0..<shown[group] {
                append(lines[next], widths, style, &output)
                next += 1
            }
            appendRest(groups[group].flows - shown[group], of: groups[group].name, style, &output)
        }
        appendRest(others, of: "further programs", style, &output)
    }

    /// Returns how many rows of each group are shown: all, or as many of each as of the others.
    private func shares(of limit: Int) -> [Int] {
        guard rows.count > limit else { return groups.map(\.rows) }
        var (shares, left) = ([Int](repeating: 0, count: groups.count), limit)
        while left > 0 {
            for group in groups.indices where left > 0 && shares[group] < groups[group].rows {
                shares[group] += 1
                left -= 1
            }
        }
        return shares
    }

    private static let headings = ["flow", "", "client", "step", "egress", "step", "reused", "process"]
    private static let isRight = [false, false, true, true, true, true, false, false]

    private func cells(_ row: PortRows.Row, _ style: TerminalStyle) -> [String] {
        func text(_ body: (inout ByteBuffer) -> Void) -> String {
            var cell = ByteBuffer(capacity: 64)
            body(&cell)
            return cell.string
        }
        return [
            "#\(row.flow)", row.transport == .tcp ? "tcp" : "udp",
            text { row.append(row.client, style, to: &$0) }, text { row.append(row.clientStep, to: &$0) },
            text { cell in if let egress = row.egress { row.append(egress, style, to: &cell) } },
            text { row.append(row.egressStep, to: &$0) }, "\(row.again)", row.program,
        ]
    }

    private func append(_ cells: [String], _ widths: [Int], _ style: TerminalStyle, _ output: inout ByteBuffer) {
        let start = output.count
        for (index, cell) in cells.enumerated() where widths[index] > 0 {
            if index > 0 { output.append("  ") }
            let blanks = String(repeating: " ", count: max(widths[index] - cell.count, 0))
            if Self.isRight[index] { output.append(blanks) }
            output.append(cell)
            if !Self.isRight[index], cells[(index + 1)...].contains(where: { !$0.isEmpty }) { output.append(blanks) }
        }
        output.removeBlanks(after: start)
        output.endLine(from: start, style)
    }

    private func appendRest(_ count: Int, of name: String, _ style: TerminalStyle, _ output: inout ByteBuffer) {
        guard count > 0 else { return }
        let start = output.count
        output.append(style.ellipsis)
        output.append(" ")
        output.appendCount(UInt64(count), "more flow")
        if !name.isEmpty { output.append(" of \(name)") }
        output.endLine(from: start, style)
    }
}

extension PortRows.Row {
    /// The name of the client's program; empty if it is not known.
    fileprivate var programName: String {
        if case .found(let process) = process { ClientProcess.plain(process.name) } else { "" }
    }
}
