import WeirEngine
import WeirWire

/// The table of ports at the end of a run, with a group of rows for each program.
struct PortTableText: Sendable {
    /// The maximum number of rows on a terminal, and of those that are kept.
    private static let (shownOnTerminal, kept, programsKept) = (20, 4096, 64)

    private struct Group {
        var name: String
        var flows = 0
        var rows: [Int] = []
    }

    private var rows: [PortRows.Row] = []
    private var places: [FlowID: Int] = [:]
    private var groups: [Group] = []
    private var known: [String: Int] = [:]
    /// The number of flows of programs that have no group.
    private var others = 0

    /// Adds the row of a flow, or the ports of a further dial of one.
    mutating func add(_ row: PortRows.Row) {
        if let place = places[row.flow] {
            (rows[place].egress, rows[place].egressStep) = (row.egress, row.egressStep)
            rows[place].isEgressAgain = row.isEgressAgain
            return
        }
        let name = row.programName
        guard let group = known[name] ?? begin(name) else {
            others += 1
            return
        }
        groups[group].flows += 1
        guard rows.count < Self.kept else { return }
        places[row.flow] = rows.count
        groups[group].rows.append(rows.count)
        rows.append(row)
    }

    private mutating func begin(_ name: String) -> Int? {
        guard groups.count < Self.programsKept else { return nil }
        known[name] = groups.count
        groups.append(Group(name: name))
        return groups.count - 1
    }

    /// Appends the table; nothing if there was no flow.
    func append(_ style: TerminalStyle, to output: inout ByteBuffer) {
        guard !rows.isEmpty else { return }
        let shown = shares(of: style.isTerminal ? Self.shownOnTerminal : .max)
        let lines = groups.indices.flatMap { group in
            groups[group].rows.prefix(shown[group]).map { cells(rows[$0], style) }
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
        guard rows.count > limit else { return groups.map(\.rows.count) }
        var (shares, left) = ([Int](repeating: 0, count: groups.count), limit)
        while left > 0 {
            for group in groups.indices where left > 0 && shares[group] < groups[group].rows.count {
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
