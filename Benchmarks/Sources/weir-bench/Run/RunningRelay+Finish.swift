extension RunningRelay {
    /// Waits until a file that the relay writes is whole, and takes its time and the relay's processor time up to then.
    ///
    /// - Parameters:
    ///   - report: what the load reported.
    ///   - path: the file.
    ///   - size: how many bytes it has at least when it is whole.
    /// - Returns: the report with those times.
    /// - Throws: `BenchError.load` where the file does not grow so far in time.
    func finish(_ report: LoadReport, whenFile path: String, holds size: Int) async throws -> LoadReport {
        var report = report
        let atEndOfLoad = group.processorSeconds()
        let deadline = Clock.nanoseconds() + Clock.nanoseconds(ofSeconds: 30)
        var waited = false
        while TextFile.size(path) < size {
            guard Clock.nanoseconds() < deadline else {
                throw BenchError.load("the file has (\(TextFile.size(path)) bytes) of at least (\(size) bytes)")
            }
            waited = true
            try await Task.sleep(for: .milliseconds(1))
        }
        guard waited else { return report }
        report.seconds = Clock.seconds(from: report.startNanoseconds, to: Clock.nanoseconds())
        report.relaySeconds = (report.relaySeconds ?? 0) + group.processorSeconds() - atEndOfLoad
        return report
    }
}
