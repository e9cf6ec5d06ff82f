import ArgumentParser
import Glibc
import Synchronization

/// What every measuring command does: choose, measure, print, clean up.
enum MeasureRun {
    /// Measures a group, or everything.
    static func run(_ group: MeasurementGroup?, _ options: MeasureOptions) async throws {
        let chosen = try choose(group, options)
        if options.list {
            for measurement in chosen { Diagnostics.answer("\(measurement.name)\t\(measurement.title)") }
            return
        }
        let failed = Atomic(false)
        do {
            try DescriptorLimit.raise()
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let bench = try makeBench(options, folder: folder)
            let signal = try await Interruption.run {
                let results = try await measure(chosen, bench, json: options.json)
                failed.store(results.contains(where: \.hasFailure), ordering: .relaxed)
            }
            if let signal {
                Diagnostics.say("weir-bench: stopped by signal \(signal)")
                throw ExitCode(128 + signal)
            }
        } catch let error as BenchError {
            Diagnostics.say("weir-bench: \(error)")
            throw ExitCode(error.exitCode)
        }
        if failed.load(ordering: .relaxed) { throw ExitCode(1) }
    }

    private static func choose(
        _ group: MeasurementGroup?,
        _ options: MeasureOptions
    ) throws -> [any Measurement] {
        do {
            let chosen = try Measurements.choose(group: group, only: options.only)
            return options.before == nil ? chosen : chosen.flatMap(BeforeMeasurement.rows)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    private static func makeBench(_ options: MeasureOptions, folder: TemporaryFolder) throws(BenchError) -> Bench {
        let ownPath = try Programs.ownPath()
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        var given = Programs.weir(given: options.weir, ownPath: ownPath)
        given[BeforeMeasurement.earlier] = options.before
        return Bench(
            settings: options.settings(cores: sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            programs: Programs(path: path, given: given),
            folder: folder,
            ownPath: ownPath
        )
    }

    private static func measure(
        _ chosen: [any Measurement],
        _ bench: Bench,
        json: String?
    ) async throws -> [MeasurementResult] {
        let description = await RunDescription.gather(bench, command: CommandLine.arguments)
        var results: [MeasurementResult] = []
        // Written first, so that a file that cannot be written is found now, and after each measurement, so that a run
        // that is stopped leaves what it has.
        if let json { try JSONReport(description, results).write(to: json) }
        Diagnostics.answer(MarkdownReport.header(description))
        for measurement in chosen {
            let result = try await Runner(bench: bench).run(measurement)
            results.append(result)
            Diagnostics.answer(MarkdownReport.section(result))
            if let json { try JSONReport(description, results).write(to: json) }
        }
        if let table = MarkdownReport.growthTable(results) { Diagnostics.answer(table) }
        return results
    }
}
