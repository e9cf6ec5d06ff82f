import WeirDissect
import WeirEngine
public import WeirWire

/// The text form of statistics: a table of flows, and one of the kinds of requests.
///
/// On a terminal both fit: what the flows are, and the names of kinds, are cut, and if that is not enough, the columns that
/// say the least are left out.
public struct StatsText: Sendable {
    private let style: TerminalStyle

    /// Creates a renderer for what the reader of the text can show; lines of a file may have any length.
    public init(_ style: TerminalStyle) {
        self.style = style
    }

    /// Appends both tables.
    public func append(_ rows: StatsRows, to output: inout ByteBuffer) {
        appendFlows(rows, to: &output)
        guard !rows.kinds.isEmpty else { return }
        output.append("\n")
        appendKinds(rows, to: &output)
    }

    /// Appends a line of text below a table.
    private func appendNote(_ text: String, to output: inout ByteBuffer) {
        let start = output.count
        output.append(text)
        output.endLine(from: start, style)
    }

    // MARK: - Flows

    private func appendFlows(_ rows: StatsRows, to output: inout ByteBuffer) {
        var table = StatsTable([
            .number("flow", rank: 0), .number("dial", rank: 5), .number("1st byte", rank: 3),
            .number("answers", rank: 4), .number("p50", rank: 2), .number("p90", rank: 7), .number("p99", rank: 6),
            .number("up", rank: 1), .number("down", rank: 1), .text("what", least: 12, rank: 8),
        ])
        for flow in rows.flows {
            let stats = flow.stats
            let times = ([flow.dial, flow.firstByte] + stats.answers.percentiles([50, 90, 99])).map(duration)
            table.append(
                ["#\(flow.row.number)", times[0], times[1], "\(stats.answers.count)", times[2], times[3], times[4]]
                    + [bytes(stats.payloadUp), bytes(stats.payloadDown), what(flow)]
            )
        }
        // The sum stands below the note on what was left out, but in the same columns.
        let sum = rows.flowCount != 1 && rows.answers.count > 0 ? rows.answers : nil
        if let sum {
            let times = sum.percentiles([50, 90, 99]).map(duration)
            table.append(["all", "", "", "\(sum.count)", times[0], times[1], times[2], "", "", ""])
        }
        let lines = table.lines(style)
        for line in lines.prefix(rows.flows.count + 1) { output.append(line) }
        if rows.flows.count < rows.flowCount {
            appendNote("the \(rows.flows.count) with the most payload of \(rows.flowCount) flows", to: &output)
        }
        if sum != nil, let last = lines.last { output.append(last) }
    }

    private func what(_ flow: StatsRows.Flow) -> String {
        let server = flow.row.path.map { $0.server ?? $0.listener } ?? flow.row.flow.server
        return "\(flow.row.flow.transport == .tcp ? "tcp" : "udp") \(server)\(flow.stats.name.map { " \($0)" } ?? "")"
    }

    // MARK: - Kinds

    private func appendKinds(_ rows: StatsRows, to output: inout ByteBuffer) {
        var table = StatsTable([
            .text("requests", least: 16, rank: 0), .number("count", rank: 0), .number("failed", rank: 2),
            .number("p50", rank: 1), .number("p90", rank: 6), .number("p99", rank: 3), .number("up", rank: 5),
            .number("down", rank: 4),
        ])
        for kind in rows.kinds {
            let name = kind.kind.name.isEmpty ? kind.kind.request : "\(kind.kind.name) \(kind.kind.request)"
            table.append(
                [SafeText.escaped(name), "\(kind.stats.requests)", "\(kind.stats.failures)"]
                    + kind.stats.answers.percentiles([50, 90, 99]).map(duration)
                    + [bytes(kind.stats.bytesUp), bytes(kind.stats.bytesDown)]
            )
        }
        for line in table.lines(style) { output.append(line) }
        if rows.kinds.count < rows.kindCount {
            appendNote("the \(rows.kinds.count) most frequent of \(rows.kindCount) kinds of requests", to: &output)
        }
    }

    // MARK: - Cells

    /// A duration with three digits: `512 ns`, `51.2 us`, `5.12 ms`.
    private func duration(_ nanoseconds: Int64?) -> String {
        guard let nanoseconds else { return "-" }
        return Self.short(nanoseconds, 1000, ["ns", "us", "ms", "s"])
    }

    /// A number of bytes with three digits: `512 B`, `51.2 kB`.
    private func bytes(_ count: Int) -> String { Self.short(Int64(count), 1000, ["B", "kB", "MB", "GB", "TB"]) }

    static func short(_ value: Int64, _ step: Int64, _ units: [StaticString]) -> String {
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
