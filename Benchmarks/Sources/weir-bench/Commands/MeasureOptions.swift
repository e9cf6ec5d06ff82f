import ArgumentParser
import Glibc

/// The options of every command that measures.
struct MeasureOptions: ParsableArguments {
    @Option(help: "Write every sample, summary and ratio to FILE as JSON.")
    var json: String?

    @Option(help: "How often each subject is measured.")
    var rounds = 3

    @Option(help: "How long each run lasts.")
    var seconds = 2.0

    @Option(help: "The weir to measure (default: beside weir-bench, then on PATH).")
    var weir: String?

    @Option(help: "Measure this earlier weir beside it, in place of the other relays.")
    var before: String?

    @Option(help: "Measure only NAME; may be repeated.")
    var only: [String] = []

    @Flag(help: "List the measurements and end.")
    var list = false

    @Flag(help: "As many workers as cores for Weir and every peer, in place of one.")
    var allCores = false

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds is between 1 and 1000") }
        guard (0.1...60).contains(seconds) else { throw ValidationError("--seconds is between 0.1 and 60") }
        if let weir, !Programs.isProgram(weir) { throw ValidationError("--weir \(weir) is not a program") }
        if let before, !Programs.isProgram(before) { throw ValidationError("--before \(before) is not a program") }
    }

    /// Makes the settings of a run on a machine with so many cores.
    func settings(cores: Int) -> Bench.Settings {
        var settings = Bench.Settings()
        settings.rounds = rounds
        settings.seconds = seconds
        settings.workers = allCores ? max(1, cores) : 1
        settings.loadThreads = allCores ? max(1, cores) : 1
        settings.weir = weir
        return settings
    }
}
