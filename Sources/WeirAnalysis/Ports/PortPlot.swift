public import WeirWire

/// A picture of series of ports: an SVG file, or a self-contained HTML page.
///
/// For each series there are three panels: the ports over time, colored by destination; the histogram of steps within
/// destinations; and the use of the range. Colors follow the reader's light or dark setting. At most 12 series are
/// drawn, each with at most 4000 ports, evenly sampled; a note reports what is left out.
///
/// Source: SVG 1.1, CSS Media Queries 5 (`prefers-color-scheme`).
public struct PortPlot: Sendable {
    private static let mostSeries = 12
    static let width = 960
    static let height = 460

    private let isPage: Bool
    private var parts: [(series: PortSeries, report: PortReport)] = []
    private var leftOut = 0

    /// Creates an empty picture; `isPage` selects an HTML page.
    public init(isPage: Bool) {
        self.isPage = isPage
    }

    /// Adds a series with its report.
    public mutating func add(_ series: PortSeries, _ report: PortReport) {
        guard parts.count < Self.mostSeries else {
            leftOut += 1
            return
        }
        parts.append((series.sorted(), report))
    }

    /// Renders the whole file.
    public func render(into output: inout ByteBuffer) {
        if isPage {
            output.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            output.append(
                "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Ports, by Weir</title>\n<style>\n"
            )
            output.append(Self.style)
            output.append(Self.pageStyle)
            output.append("</style>\n</head>\n<body>\n<h1>Ephemeral ports</h1>\n")
            for (series, report) in parts {
                output.append("<section>\n")
                appendPicture([(series, report)], hasStyle: false, to: &output)
                appendFigures(report, to: &output)
                output.append("</section>\n")
            }
            if leftOut > 0 { output.append("<p>\(leftOut) further series are not drawn.</p>\n") }
            output.append("</body>\n</html>\n")
        } else {
            appendPicture(parts, hasStyle: true, to: &output)
        }
    }

    private func appendPicture(
        _ parts: [(series: PortSeries, report: PortReport)],
        hasStyle: Bool,
        to output: inout ByteBuffer
    ) {
        let note = leftOut > 0 && hasStyle ? 30 : 0
        let height = max(1, parts.count) * Self.height + note
        output.append("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Self.width) \(height)\" ")
        output.append(
            "width=\"\(Self.width)\" height=\"\(height)\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n"
        )
        if hasStyle {
            output.append("<style>\n")
            output.append(Self.style)
            output.append("</style>\n")
        }
        output.append("<rect class=\"paper\" width=\"\(Self.width)\" height=\"\(height)\"/>\n")
        for (index, part) in parts.enumerated() {
            output.append("<g transform=\"translate(0 \(index * Self.height))\">\n")
            PortPanels(part.series, part.report).append(to: &output)
            output.append("</g>\n")
        }
        if note > 0 {
            output.append(
                "<text class=\"label\" x=\"70\" y=\"\(height - 10)\">\(leftOut) further series are not drawn</text>\n"
            )
        }
        output.append("</svg>\n")
    }

    private func appendFigures(_ report: PortReport, to output: inout ByteBuffer) {
        var text = ByteBuffer()
        PortsText().append(report, to: &text)
        output.append("<pre>")
        output.append(Self.escaped(text.string))
        output.append("</pre>\n")
    }

    /// Returns the text with markup characters escaped.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    /// The colors for light and dark paper, from Okabe and Ito's palette, which color-blind readers can tell apart.
    private static let style = """
        .paper { fill: #ffffff } .ink, .label { fill: #1a1a1a } .label { fill: #444444 } .rule { stroke: #d9d9d9; fill: none }
        .axis { stroke: #666666; fill: none } .bar { fill: #0072b2 } .known { fill: #0072b2; fill-opacity: 0.12 }
        .d0 { fill: #0072b2 } .d1 { fill: #d55e00 } .d2 { fill: #009e73 } .d3 { fill: #cc79a7 } .d4 { fill: #b88600 }
        .d5 { fill: #3f8fbf } .d6 { fill: #777777 }
        @media (prefers-color-scheme: dark) {
        .paper { fill: #16181c } .ink { fill: #f0f0f0 } .label { fill: #b8bcc4 } .rule { stroke: #3a3e46 }
        .axis { stroke: #9aa0aa } .bar { fill: #56b4e9 } .known { fill: #56b4e9; fill-opacity: 0.15 }
        .d0 { fill: #56b4e9 } .d1 { fill: #ff8c42 } .d2 { fill: #2fd0a0 } .d3 { fill: #e6a3c8 } .d4 { fill: #f0e442 }
        .d5 { fill: #9ad1f2 } .d6 { fill: #aaaaaa }
        }

        """

    private static let pageStyle = """
        body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; font-family: sans-serif; background: #ffffff; color: #1a1a1a }
        svg { max-width: 100%; height: auto } pre { white-space: pre-wrap; line-height: 1.4 } section { margin-bottom: 3rem }
        @media (prefers-color-scheme: dark) { body { background: #16181c; color: #f0f0f0 } }

        """
}
