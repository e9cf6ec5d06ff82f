import WeirEngine
import WeirWire

/// The three panels of one series, in a field of 960 by 460.
struct PortPanels {
    private static let mostDots = 4000
    private static let colors = 6

    private let series: PortSeries
    private let report: PortReport
    private var statistics: PortStatistics { report.statistics }

    init(_ series: PortSeries, _ report: PortReport) {
        self.series = series
        self.report = report
    }

    /// A field with axes.
    private struct Frame {
        var (x, y, width, height): (Double, Double, Double, Double)
        var horizontal: ClosedRange<Double>
        var vertical: ClosedRange<Double>

        func across(_ value: Double) -> Double {
            x + width * (value - horizontal.lowerBound) / (horizontal.upperBound - horizontal.lowerBound)
        }

        func up(_ value: Double) -> Double {
            y + height * (1 - (value - vertical.lowerBound) / (vertical.upperBound - vertical.lowerBound))
        }
    }

    func append(to output: inout ByteBuffer) {
        let verdict = report.verdict
        let sure =
            verdict.allocator == .tooFew ? "" : ", confidence \(PortReasons.decimal(verdict.confidence, places: 6))"
        let side = report.key.side == .client ? " to the relay" : report.key.side == .egress ? " from the relay" : ""
        text(
            "\(report.key)\(side): \(verdict.allocator.rawValue)\(sure), \(statistics.samples) samples",
            70,
            24,
            size: 15,
            &output
        )
        appendScatter(to: &output)
        appendSteps(to: &output)
        appendUse(to: &output)
    }

    // MARK: - Ports over time

    private func appendScatter(to output: inout ByteBuffer) {
        let hasTimes = statistics.seconds != nil
        let last = hasTimes ? max(statistics.seconds ?? 0, 1e-6) : Double(max(1, series.count - 1))
        let (low, high) = (statistics.seen.low, statistics.seen.high)
        let margin = max(1.0, Double(high - low) / 20)
        let frame = Frame(
            x: 70,
            y: 56,
            width: 560,
            height: 330,
            horizontal: 0...last,
            vertical: (Double(low) - margin)...(Double(high) + margin)
        )
        text("Ports over time", 70, 46, &output)
        let (unit, factor) = hasTimes ? Self.unit(last) : ("flow, by its number", 1)
        appendAxes(frame, across: hasTimes ? "time since the first flow, \(unit)" : unit, up: "port", factor, &output)
        let first = series.time(0) ?? 0
        let every = max(1, (series.count + Self.mostDots - 1) / Self.mostDots)
        for index in stride(from: 0, to: series.count, by: every) {
            let time = hasTimes ? Double((series.time(index) ?? first) - first) / 1e9 : Double(index)
            let place = "cx=\"\(number(frame.across(time)))\" cy=\"\(number(frame.up(Double(series.ports[index]))))\""
            output.append("<circle class=\"d\(color(series.destination(index)))\" \(place) r=\"2\"/>\n")
        }
        appendLegend(every, to: &output)
    }

    private func color(_ destination: Int) -> Int { min(destination, Self.colors) }

    /// Returns the unit of a time axis, and the factor from seconds.
    private static func unit(_ seconds: Double) -> (String, Double) {
        seconds < 0.01
            ? ("microseconds", 1e6)
            : seconds < 10 ? ("milliseconds", 1e3) : seconds < 7200 ? ("seconds", 1) : ("hours", 1.0 / 3600)
    }

    private func appendLegend(_ every: Int, to output: inout ByteBuffer) {
        var place = 70.0
        let shown = min(series.destinations.count, 3)
        for index in 0..<shown {
            let name = series.destinations[index].description
            output.append("<circle class=\"d\(index)\" cx=\"\(number(place + 4))\" cy=\"446\" r=\"4\"/>\n")
            text(name, place + 12, 450, kind: "label", &output)
            place += 30 + Double(name.utf8.count) * 7
        }
        var rest =
            series.destinations.count > shown ? "and \(series.destinations.count - shown) other destinations" : ""
        if every > 1 { rest += "\(rest.isEmpty ? "" : "; ")each \(every)th port is drawn" }
        text(rest, place, 450, kind: "label", &output)
    }

    // MARK: - Steps

    private func appendSteps(to output: inout ByteBuffer) {
        let bound = min(statistics.smallBound, 32)
        let counts = Array(statistics.stepCounts.prefix(bound + 1))
        let others = statistics.steps - counts.reduce(0, +)
        let most = Double(max(1, counts.max() ?? 1, others))
        let frame = Frame(
            x: 690,
            y: 56,
            width: 240,
            height: 140,
            horizontal: 0...Double(bound + 3),
            vertical: 0...(most * 1.08)
        )
        text("Steps within a destination", 690, 46, &output)
        appendAxes(
            frame,
            across: "step to the next port; the last bar: any other",
            up: "",
            1,
            last: Double(bound),
            &output
        )
        for (step, count) in counts.enumerated() where count > 0 { appendBar(frame, Double(step), count, &output) }
        if others > 0 { appendBar(frame, Double(bound + 2), others, &output) }
    }

    private func appendBar(_ frame: Frame, _ value: Double, _ count: Int, _ output: inout ByteBuffer) {
        let (left, right) = (frame.across(value - 0.4), frame.across(value + 0.4))
        let top = frame.up(Double(count))
        output.append(
            "<rect class=\"bar\" x=\"\(number(left))\" y=\"\(number(top))\" width=\"\(number(right - left))\" "
        )
        output.append("height=\"\(number(frame.y + frame.height - top))\"/>\n")
    }

    // MARK: - The range

    private func appendUse(to output: inout ByteBuffer) {
        let bins = 64
        // The smallest known range around the ports, and a margin, which shows where nothing is chosen.
        let range = statistics.range
        let all = PortRange(min(range.low, statistics.seen.low), max(range.high, statistics.seen.high))
        let rim = max(1, all.size / 16)
        let shown = PortRange(max(0, all.low - rim), min(65_535, all.high + rim))
        var counts = [Int](repeating: 0, count: bins)
        for port in series.ports { counts[PortMeasuring.bin(Int(port), shown, bins)] += 1 }
        let most = Double(max(1, counts.max() ?? 1))
        let frame = Frame(
            x: 690,
            y: 266,
            width: 240,
            height: 120,
            horizontal: Double(shown.low)...Double(shown.high + 1),
            vertical: 0...(most * 1.08)
        )
        text("Use of the range \(range) (\(statistics.rangeSource.rawValue))", 690, 256, &output)
        let (left, right) = (frame.across(Double(range.low)), frame.across(Double(range.high + 1)))
        output.append(
            "<rect class=\"known\" x=\"\(number(left))\" y=\"266\" width=\"\(number(right - left))\" height=\"120\"/>\n"
        )
        appendAxes(frame, across: "port, \(bins) bins; shaded: the range", up: "", 1, &output)
        let width = frame.width / Double(bins)
        for (bin, count) in counts.enumerated() where count > 0 {
            let top = frame.up(Double(count))
            output.append("<rect class=\"bar\" x=\"\(number(frame.x + Double(bin) * width))\" y=\"\(number(top))\" ")
            output.append("width=\"\(number(width * 0.9))\" height=\"\(number(frame.y + frame.height - top))\"/>\n")
        }
        let reuse = statistics.reuse
        text(
            "\(statistics.distinctPorts) different ports, \(reuse.count) taken again",
            690,
            436,
            kind: "label",
            &output
        )
    }

    // MARK: - Axes and text

    private func appendAxes(
        _ frame: Frame,
        across: String,
        up: String,
        _ factor: Double,
        last: Double? = nil,
        _ output: inout ByteBuffer
    ) {
        let (left, bottom) = (frame.x, frame.y + frame.height)
        let right = left + frame.width
        for value in Self.ticks(frame.vertical, 5, isWhole: true) {
            let y = number(frame.up(value))
            output.append("<path class=\"rule\" d=\"M\(number(left)) \(y)H\(number(right))\"/>\n")
            text(label(value), left - 6, frame.up(value) + 4, kind: "label", anchor: "end", &output)
        }
        let scaled = (frame.horizontal.lowerBound * factor)...((last ?? frame.horizontal.upperBound) * factor)
        for value in Self.ticks(scaled, frame.width > 300 ? 7 : 3, isWhole: false) {
            let x = frame.across(value / factor)
            output.append("<path class=\"axis\" d=\"M\(number(x)) \(number(bottom))v5\"/>\n")
            text(label(value), x, bottom + 18, kind: "label", anchor: "middle", &output)
        }
        output.append(
            "<path class=\"axis\" d=\"M\(number(left)) \(number(frame.y))V\(number(bottom))H\(number(right))\"/>\n"
        )
        text(across, left + frame.width / 2, bottom + 36, kind: "label", anchor: "middle", &output)
        let name = up.isEmpty ? "count" : up
        let turned = "transform=\"rotate(-90 \(number(left - 52)) \(number(frame.y + frame.height / 2)))\""
        let place = up.isEmpty ? left - 36 : left - 52
        let turn = up.isEmpty ? turned.replacing(number(left - 52), with: number(left - 36)) : turned
        text(name, place, frame.y + frame.height / 2, kind: "label", anchor: "middle", extra: turn, &output)
    }

    /// Returns about `wanted` round numbers within bounds.
    static func ticks(_ bounds: ClosedRange<Double>, _ wanted: Int, isWhole: Bool) -> [Double] {
        let rough = (bounds.upperBound - bounds.lowerBound) / Double(wanted)
        guard rough > 0, rough.isFinite else { return [bounds.lowerBound] }
        var step = 1.0
        while step > rough { step /= 10 }
        while step * 10 <= rough { step *= 10 }
        step *= rough / step >= 5 ? 5 : rough / step >= 2 ? 2 : 1
        if isWhole { step = max(1, step) }
        let first = (bounds.lowerBound / step).rounded(.up)
        let last = (bounds.upperBound / step).rounded(.down)
        guard last >= first else { return [] }
        return (0...min(100, Int(last - first))).map { (first + Double($0)) * step }
    }

    private func label(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : PortReasons.decimal(value, places: abs(value) < 0.1 ? 3 : 2)
    }

    private func number(_ value: Double) -> String { PortReasons.decimal(value, places: 1) }

    private func text(
        _ text: String,
        _ x: Double,
        _ y: Double,
        kind: String = "ink",
        size: Int? = nil,
        anchor: String = "start",
        extra: String = "",
        _ output: inout ByteBuffer
    ) {
        guard !text.isEmpty else { return }
        let size = size.map { " font-size=\"\($0)\"" } ?? ""
        output.append(
            "<text class=\"\(kind)\" x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\"\(size) \(extra)>"
        )
        output.append(PortPlot.escaped(text))
        output.append("</text>\n")
    }
}
