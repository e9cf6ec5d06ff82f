import Support
import Testing
import WeirAnalysis

@testable import weir

@Suite("weir ports on the corpus", .tags(.capture, .slow), .timeLimit(.minutes(10)))
struct PortsCorpusTests {
    /// Reads captures as the command does.
    ///
    /// - Returns: the reports, and the exit code.
    private static func reports(_ paths: [String]) -> (reports: [PortReport], status: weir.ExitStatus) {
        var read = PortsRead()
        for path in paths { read.read(path) }
        let reports = read.table.series.map { PortAnalysis.report($0, range: nil) }
        do {
            try read.end()
            return (reports, .done)
        } catch {
            return (reports, error.code)
        }
    }

    @Test("No capture traps, and no class is named under 8 samples", .needsCorpus)
    func corpus() throws {
        let folder = try #require(Corpus.folder)
        var (series, named) = (0, 0)
        for file in try Corpus.files() {
            let (reports, status) = Self.reports([folder + "/" + file])
            #expect(status == .done || status == .dataError, "\(file): \(status)")
            for report in reports {
                series += 1
                if report.verdict.allocator != .tooFew { named += 1 }
                #expect(report.statistics.samples >= 8 || report.verdict.allocator == .tooFew, "\(file): \(report)")
            }
        }
        #expect(series > 100)
        #expect(named > 0)
    }

    @Test("All captures together, and a damaged one, give a report for each series and end with 65", .needsCorpus)
    func together() async throws {
        let folder = try #require(Corpus.folder)
        let scratch = try TemporaryFolder()
        let damaged = try scratch.file("cut.pcap", Array(try Corpus.read("zeek/http/get.pcap").prefix(1000)))
        let files = try Corpus.files().map { folder + "/" + $0 } + [damaged]
        let ended = try await WeirProgram(["ports", "--json"] + files).finish()
        #expect(ended.status == 65)
        let (reports, status) = Self.reports(files)
        #expect(status == .dataError)
        #expect(try LogLines(ended.output).objects.count == reports.count)
        #expect(reports.count > 100)
    }
}
