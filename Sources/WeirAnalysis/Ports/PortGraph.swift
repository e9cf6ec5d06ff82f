import WeirEngine
public import WeirWire

/// A drawing of a series of ports in a terminal: ports over time in Braille dots, and the histogram of steps.
///
/// Source: Unicode 16, chapter 21.1 (Braille patterns: eight dots a character, from U+2800 on).
public enum PortGraph {
    private static let columns = 60
    private static let rows = 12
    private static let barWidth = 40

    /// Appends both drawings.
    public static func append(_ series: PortSeries, _ report: PortReport, to output: inout ByteBuffer) {
        guard series.count > 0 else { return }
        appendScatter(series.sorted(), report.statistics, to: &output)
        appendSteps(report.statistics, to: &output)
    }

    private static func appendScatter(_ series: PortSeries, _ statistics: PortStatistics, to output: inout ByteBuffer) {
        let (low, high) = (statistics.seen.low, max(statistics.seen.low + 1, statistics.seen.high))
        var cells = [UInt8](repeating: 0, count: columns * rows)
        let first = series.time(0) ?? 0
        let span = statistics.seconds.map { max($0, 1e-9) }
        for index in 0..<series.count {
            let along: Double
            if let span {
                along = Double((series.time(index) ?? first) - first) / 1e9 / span
            } else {
                along = Double(index) / Double(max(1, series.count - 1))
            }
            let column = min(columns * 2 - 1, max(0, Int(along * Double(columns * 2))))
            let height = Double(Int(series.ports[index]) - low) / Double(high - low)
            let row = rows * 4 - 1 - min(rows * 4 - 1, max(0, Int(height * Double(rows * 4))))
            cells[row / 4 * columns + column / 2] |= dot(column & 1, row & 3)
        }
        for row in 0..<rows {
            let label = row == 0 ? "\(high)" : row == rows - 1 ? "\(low)" : ""
            output.append("  \(String(repeating: " ", count: max(0, 5 - label.count)))\(label) |")
            for column in 0..<columns {
                let scalar = Unicode.Scalar(0x2800 + UInt32(cells[row * columns + column])) ?? " "
                output.append(String(Character(scalar)))
            }
            output.append("\n")
        }
        let end = statistics.seconds.map { "\(PortReasons.decimal($0, places: 3)) s" } ?? "flow \(series.count)"
        output.append("  port  0\(String(repeating: "-", count: max(0, columns - 1 - end.count)))\(end)\n")
    }

    private static func dot(_ column: Int, _ row: Int) -> UInt8 {
        row == 3 ? (column == 0 ? 0x40 : 0x80) : 1 << UInt8(row + column * 3)
    }

    private static func appendSteps(_ statistics: PortStatistics, to output: inout ByteBuffer) {
        guard statistics.steps > 0 else { return }
        let counts = statistics.stepCounts.enumerated().filter { $0.element > 0 }
            .sorted { ($0.element, -$0.offset) > ($1.element, -$1.offset) }.prefix(16).sorted { $0.offset < $1.offset }
        let others = statistics.steps - counts.reduce(0) { $0 + $1.element }
        let most = max(1, counts.map(\.element).max() ?? 1, others)
        output.append("  step within a destination, and how often\n")
        for (step, count) in counts.map({ ("+\($0.offset)", $0.element) }) + (others > 0 ? [("other", others)] : []) {
            let bar = String(repeating: "#", count: max(1, count * barWidth / most))
            output.append("  \(String(repeating: " ", count: max(0, 5 - step.count)))\(step) |\(bar) (\(count))\n")
        }
    }
}
