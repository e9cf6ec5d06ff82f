import Testing

@testable import weir_bench

@Suite("Markdown report")
struct MarkdownReportTests {
    /// Makes a result with some rates, in Gbit/s, for each subject.
    static func result(_ measurement: any Measurement, _ rates: [String: [Double]]) -> MeasurementResult {
        var result = MeasurementResult(measurement)
        for index in result.subjects.indices {
            for rate in rates[result.subjects[index].name] ?? [] {
                result.subjects[index].samples.append(Sample(bytes: Int(rate * 1e9 / 8), seconds: 1))
            }
        }
        return result
    }

    @Test("A row has its median, its spread, Weir's ratio to it and its ratio to direct")
    func ratios() throws {
        let rates = ["direct": [40.0], "weir": [30.0, 20.0, 31.0], "nginx": [10.0, 12.0, 8.0]]
        let result = Self.result(StreamMeasurement(streams: 1), rates)
        let rows = MarkdownReport.table(result).rows
        #expect(rows[0].prefix(4) == ["direct", "40.00 (40.00–40.00)", "0.75", "—"])
        #expect(rows[1].prefix(4) == ["weir", "30.00 (20.00–31.00)", "—", "0.75"])
        let nginx = try #require(rows.first { $0[0] == "nginx" })
        #expect(nginx.prefix(4) == ["nginx", "10.00 (8.00–12.00)", "3.00", "0.25"])
    }

    @Test("What a call costs more than alone has a column of its own, in the table and in JSON")
    func difference() throws {
        let measurement = try #require(RunMeasurement.all.first { $0.name == "run-connect" })
        var result = MeasurementResult(measurement)
        for (index, times) in [[20.0, 30, 22], [120.0, 100, 142.5]].enumerated() {
            for time in times {
                var report = LoadReport(operations: 1)
                report.seconds = 1
                report.latency = LoadReport.Latency(p50: time, p99: time, p999: time)
                result.subjects[index].samples.append(Sample(report))
            }
        }
        let table = MarkdownReport.table(result)
        #expect(table.headings.prefix(5) == ["", "p50 µs", "weir run ÷ it", "it ÷ direct", "it − direct"])
        #expect(table.rows[0].prefix(5) == ["direct", "22.0 (20.0–30.0)", "5.45", "—", "—"])
        #expect(table.rows[1].prefix(5) == ["weir run", "120.0 (100.0–142.5)", "—", "5.45", "98.0"])
        #expect(result.differenceFromDirect(of: result.subjects[1], .callMicroseconds) == 98)
        #expect(result.differenceFromDirect(of: result.subjects[1], .loss) == nil)
        let without = Self.result(StreamMeasurement(streams: 1), ["direct": [40], "weir": [30]])
        #expect(!MarkdownReport.table(without).headings.contains("it − direct"))
    }

    @Test("Who is absent, refuses or fails is shown, with the reason below the table")
    func troubles() {
        var result = Self.result(StreamMeasurement(streams: 1), ["haproxy": [10]])
        result.subjects[1].trouble = .init(BenchError.absent(program: "weir"))
        result.subjects[2].trouble = .init(BenchError.load("it broke"))
        result.subjects[2].failures = 1
        result.subjects[4].trouble = .init(BenchError.refused("too many flows"))
        let text = MarkdownReport.section(result)
        #expect(text.contains("- weir: absent: weir is not installed"))
        #expect(text.contains("- haproxy: failed in 1 of the rounds: it broke"))
        #expect(text.contains("- socat: not run: too many flows"))
        let cells = MarkdownReport.table(result).rows.map { $0.prefix(2) }
        #expect(cells[1] == ["weir", "absent"])
        #expect(cells[2] == ["haproxy", "10.00 (10.00–10.00)"])
        #expect(cells[4] == ["socat", "not run"])
    }

    @Test("The growth table compares the largest size with that of ten flows")
    func growth() throws {
        let results = [(1, 30.0), (10, 20.0), (5000, 15.0)].map { flows, rate in
            Self.result(GrowthMeasurement(flows: flows), ["weir": [rate]])
        }
        let text = try #require(MarkdownReport.growthTable(results))
        #expect(text.contains("5000 ÷ 10"))
        let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("| weir") })
        let cells = row.split(separator: "|").map { cell in cell.filter { $0 != " " } }
        #expect(cells == ["weir", "30.00", "20.00", "15.00", "0.75"])
        #expect(MarkdownReport.growthTable([]) == nil)
    }
}
