import Testing
import WeirAnalysis
import WeirWire

@Suite("Pictures and reports of ports")
struct PortRenderingTests {
    private let series = SyntheticPorts.series(.linuxConnect, count: 300, seed: 4)
    private var report: PortReport { PortAnalysis.report(series) }

    private func text(_ body: (inout ByteBuffer) -> Void) -> String {
        var output = ByteBuffer()
        body(&output)
        return output.string
    }

    @Test("A page holds all it needs, and escapes what has a meaning", arguments: [true, false])
    func picture(isPage: Bool) {
        var plot = PortPlot(isPage: isPage)
        plot.add(series, report)
        let drawn = text { plot.render(into: &$0) }
        #expect(drawn.contains("prefers-color-scheme: dark"))
        #expect(drawn.hasPrefix(isPage ? "<!doctype html>" : "<svg xmlns"))
        #expect(!drawn.contains("http://") || drawn.components("http://") == 2)
        #expect(!drawn.contains("NaN") && !drawn.contains("inf"))
        // Every port is a dot, and every kind of step a bar.
        #expect(drawn.components("<circle class=\"d") >= 300)
        for label in ["time since the first flow", "port", "count", "linux-connect", "Steps within a destination"] {
            #expect(drawn.contains(label))
        }
    }

    @Test("Series of one port, and of none, are drawn without a trap", arguments: [0, 1, 2, 7, 8])
    func small(_ count: Int) {
        let series = SyntheticPorts.series(.uniform, count: count, seed: 1)
        let report = PortAnalysis.report(series)
        var plot = PortPlot(isPage: true)
        plot.add(series, report)
        let drawn = text { plot.render(into: &$0) } + text { PortGraph.append(series, report, to: &$0) }
        #expect(!drawn.contains("nan"))
        #expect(drawn.contains("too-few"))
    }

    @Test("The terminal shows dots and bars")
    func graph() {
        let drawn = text { PortGraph.append(series, report, to: &$0) }
        #expect(drawn.unicodeScalars.contains { (0x2801...0x28ff).contains($0.value) })
        #expect(drawn.contains("step within a destination"))
        #expect(drawn.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test("The counts of a report are plain numbers with their nouns")
    func counts() {
        for model in SyntheticPorts.Model.allCases {
            for count in [3, 20, 200] {
                let report = PortAnalysis.report(SyntheticPorts.series(model, count: count, seed: 2))
                let lines = text { PortsText().append(report, to: &$0) }.split(separator: "\n")
                #expect(lines[0].contains(", \(report.statistics.samples) sample"), "\(model) \(count): \(lines[0])")
                for line in lines {
                    #expect(line.firstMatch(of: /\([0-9]+ [a-z]+\)/) == nil, "\(model) \(count): \(line)")
                }
            }
        }
    }

    @Test("JSON has the keys that are promised")
    func json() {
        let line = text { PortsJSON().append(report, to: &$0) }
        for key in ["class", "confidence", "samples", "statistics", "caveats", "candidates", "reasons", "side"] {
            #expect(line.contains("\"\(key)\":"))
        }
        #expect(line.hasSuffix("}}\n"))
        #expect(line.contains("\"class\":\"linux-connect\""))
    }
}

extension String {
    /// Counts the parts that a text is cut into.
    fileprivate func components(_ separator: String) -> Int {
        self.split(separator: separator, omittingEmptySubsequences: false).count
    }
}
