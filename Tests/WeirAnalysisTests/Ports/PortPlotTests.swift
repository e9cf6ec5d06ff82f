import Testing
import WeirWire

@testable import WeirAnalysis

@Suite("Pictures of ports, whole")
struct PortPlotTests {
    private func drawn(_ count: Int, isPage: Bool) -> [String] {
        var plot = PortPlot(isPage: isPage)
        let series = SyntheticPorts.series(.macOS, count: 3, seed: 1)
        for _ in 0..<count { plot.add(series, PortAnalysis.report(series)) }
        var output = ByteBuffer()
        plot.render(into: &output)
        return output.string.split(separator: "\n").map(String.init)
    }

    @Test(
        "A picture has its size, and a group for each series",
        arguments: [
            (0, 460, 0), (1, 460, 1), (2, 920, 2), (12, 5520, 12), (13, 5550, 12), (15, 5550, 12),
        ]
    )
    func picture(count: Int, height: Int, groups: Int) {
        let lines = drawn(count, isPage: false)
        #expect(
            lines.first
                == "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 \(height)\" width=\"960\" height=\"\(height)\""
                + " font-family=\"sans-serif\" font-size=\"12\" role=\"img\">"
        )
        #expect(
            lines.filter { $0.hasPrefix("<g ") } == (0..<groups).map { "<g transform=\"translate(0 \(460 * $0))\">" }
        )
        #expect(lines.contains("<rect class=\"paper\" width=\"960\" height=\"\(height)\"/>"))
        #expect(
            lines.filter { $0.contains("not drawn") }
                == (count > 12
                    ? [
                        "<text class=\"label\" x=\"70\" y=\"\(height - 10)\">\(count - 12) further series are not drawn</text>"
                    ] : [])
        )
        #expect(lines.suffix(1) == ["</svg>"])
        #expect(lines.count { $0 == "<style>" } == 1)
    }

    @Test("A page has a section for each series, with its report", arguments: [(0, 0), (2, 2), (12, 12), (14, 12)])
    func page(count: Int, sections: Int) {
        let lines = drawn(count, isPage: true)
        #expect(
            lines.count { $0.contains("<section>") } == sections
                && lines.count { $0.contains("</section>") } == sections
        )
        #expect(lines.count { $0.hasPrefix("<svg ") && $0.contains("viewBox=\"0 0 960 460\"") } == sections)
        #expect(lines.count { $0.hasPrefix("<pre>client 10.0.0.2 tcp: too-few, 3 samples") } == sections)
        #expect(
            lines.filter { $0.contains("not drawn") }
                == (count > 12 ? ["<p>\(count - 12) further series are not drawn.</p>"] : [])
        )
        #expect(lines.count { $0 == "<style>" } == 1)
    }
}
