import WeirDissect
import WeirEngine
public import WeirWire

/// The text form of statistics: a table of flows, and one of the kinds of requests.
///
/// The tables fit 80 columns; more columns show what the flows are, and longer names.
public struct StatsText: Sendable {
    private static let narrow = 80
    /// The width of each column of numbers, with the blank before it.
    private static let number = 9
    /// The width of a column of counts of requests.
    private static let count = 7
    private static let leastName = 20

    private let width: Int?
    private let ellipsis: StaticString

    /// Creates a renderer for what the reader of the text can show; lines of a file may have any length.
    public init(_ style: TerminalStyle) {
        width = style.width.map { max($0, Self.narrow) }
        ellipsis = style.ellipsis
    }

    /// Appends both tables.
    public func append(_ rows: StatsRows, to output: inout ByteBuffer) {
        appendFlows(rows, to: &output)
        guard !rows.kinds.isEmpty else { return }
        output.append("\n")
        appendKinds(rows, to: &output)
    }

    // MARK: - Flows

    private func appendFlows(_ rows: StatsRows, to output: inout ByteBuffer) {
        let isWide = width.map { $0 >= 7 + 8 * Self.number + Self.leastName } ?? true
        appendLine(
            ["flow"] + ["dial", "1st byte", "answers", "p50", "p90", "p99", "up", "down"],
            isWide ? "what" : "",
            to: &output
        )
        for flow in rows.flows {
            let delays = flow.stats.answers.percentiles([50, 90, 99])
            let numbers =
                ["#\(flow.row.number)", duration(flow.dial), duration(flow.firstByte), "\(flow.stats.answers.count)"]
                + delays.map(duration) + [bytes(flow.stats.payloadUp), bytes(flow.stats.payloadDown)]
            appendLine(numbers, isWide ? what(flow) : "", to: &output)
        }
        if rows.flows.count < rows.flowCount {
            output.append("the \(rows.flows.count) with the most payload of \(rows.flowCount) flows\n")
        }
        guard rows.flowCount != 1, rows.answers.count > 0 else { return }
        let delays = rows.answers.percentiles([50, 90, 99])
        appendLine(["all", "", "", "\(rows.answers.count)"] + delays.map(duration) + ["", ""], "", to: &output)
    }

    /// Appends a line of right-aligned cells, and a text that is cut at the end of the line.
    private func appendLine(_ cells: [String], _ text: String, to output: inout ByteBuffer) {
        var line = ""
        for (index, cell) in cells.enumerated() {
            line += String(
                repeating: " ",
                count: max((index == 0 ? 7 : Self.number) - cell.utf8.count, index == 0 ? 0 : 1)
            )
            line += cell
        }
        if !text.isEmpty { line += "  " + cut(text, width.map { $0 - line.utf8.count - 2 }) }
        while line.last == " " { line.removeLast() }
        output.append(line)
        output.append("\n")
    }

    private func what(_ flow: StatsRows.Flow) -> String {
        let server = flow.row.path.map { $0.server ?? $0.listener } ?? flow.row.flow.server
        return "\(flow.row.flow.transport == .tcp ? "tcp" : "udp") \(server)\(flow.stats.name.map { " \($0)" } ?? "")"
    }

    // MARK: - Kinds

    private func appendKinds(_ rows: StatsRows, to output: inout ByteBuffer) {
        let names = rows.kinds.map { kind in
            SafeText.escaped(kind.kind.name.isEmpty ? kind.kind.request : "\(kind.kind.name) \(kind.kind.request)")
        }
        let longest = max(names.map(\.count).max() ?? 0, Self.leastName)
        let room = min(longest, width.map { $0 - 2 * Self.count - 5 * Self.number - 1 } ?? longest)
        appendKind("requests", ["count", "failed", "p50", "p90", "p99", "up", "down"], room, to: &output)
        for (kind, name) in zip(rows.kinds, names) {
            let delays = kind.stats.answers.percentiles([50, 90, 99])
            let cells =
                ["\(kind.stats.requests)", "\(kind.stats.failures)"] + delays.map(duration)
                + [bytes(kind.stats.bytesUp), bytes(kind.stats.bytesDown)]
            appendKind(name, cells, room, to: &output)
        }
        if rows.kinds.count < rows.kindCount {
            output.append("the \(rows.kinds.count) most frequent of \(rows.kindCount) kinds of requests\n")
        }
    }

    private func appendKind(_ name: String, _ cells: [String], _ room: Int, to output: inout ByteBuffer) {
        let name = cut(name, room)
        var line = name + String(repeating: " ", count: max(room - name.count, 0))
        for (index, cell) in cells.enumerated() {
            line +=
                String(repeating: " ", count: max((index < 2 ? Self.count : Self.number) - cell.utf8.count, 1)) + cell
        }
        output.append(line)
        output.append("\n")
    }

    // MARK: - Cells

    private func cut(_ text: String, _ room: Int?) -> String {
        guard let room, text.count > room else { return text }
        let mark = ellipsis.description
        return text.prefix(max(room - mark.count, 0)) + mark
    }

    /// A duration with three digits: `512 ns`, `51.2 us`, `5.12 ms`.
    private func duration(_ nanoseconds: Int64?) -> String {
        guard let nanoseconds else { return "-" }
        return Self.short(nanoseconds, 1000, ["ns", "us", "ms", "s"])
    }

    /// A number of bytes with three digits: `512 B`, `51.2 kB`.
    private func bytes(_ count: Int) -> String { Self.short(Int64(count), 1000, ["B", "kB", "MB", "GB", "TB"]) }

    private static func short(_ value: Int64, _ step: Int64, _ units: [StaticString]) -> String {
        var (scale, unit) = (Int64(1), 0)
        // The next unit begins at 999.5, as that is rounded to 1000.
        while unit + 1 < units.count, value >= 1000 * scale - scale / 2 {
            scale *= step
            unit += 1
        }
        guard unit > 0 else { return "\(value) \(units[0])" }
        let whole = value / scale
        // Tenths or hundredths, rounded to the nearest.
        var digits = whole >= 100 ? 0 : whole >= 10 ? 1 : 2
        func rounded() -> Int64 {
            let parts: Int64 = digits == 0 ? 1 : digits == 1 ? 10 : 100
            // Not multiplied first: the value may be as large as any.
            return whole * parts + (value % scale * parts + scale / 2) / scale
        }
        var number = rounded()
        if number >= 1000, digits > 0 {
            digits -= 1
            number = rounded()
        }
        guard digits > 0 else { return "\(number) \(units[unit])" }
        let parts: Int64 = digits == 1 ? 10 : 100
        let fraction = "\(number % parts)"
        return
            "\(number / parts).\(String(repeating: "0", count: digits - fraction.utf8.count))\(fraction) \(units[unit])"
    }
}
