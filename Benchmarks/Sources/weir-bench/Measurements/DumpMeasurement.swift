import FoundationEssentials

/// The dump renderer alone.
struct DumpMeasurement: Measurement {
    /// Bytes of input.
    private static let size = 200_000_000

    let name = "hexdump"
    let title = "The dump renderer alone, on 200 MB of random bytes"
    let method = "Each reads the file, which is in the page cache, and writes its dump to /dev/null."
    let group = MeasurementGroup.hexdump
    let metrics: [Metric] = [.inputRate]
    let compared = "WeirWire.HexDump"
    var subjects: [Subject] { [Subject(name: compared), Subject(name: "xxd"), Subject(name: "hexdump -C")] }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let file = "\(bench.folder.path)/random"
        if TextFile.size(file) != Self.size { try RandomFile.write(count: Self.size, to: file) }
        if subject.name == compared {
            let line = try await Child.output(of: Launch(program: bench.ownPath, arguments: ["render", file]))
            return Sample(try JSONDecoder().decode(LoadReport.self, from: Data(line.utf8)))
        }
        let words = subject.name.split(separator: " ").map(String.init)
        guard let name = words.first, let program = bench.programs.find(name) else {
            throw BenchError.absent(program: subject.name)
        }
        let start = Clock.nanoseconds()
        try await Child.discardingOutput(of: Launch(program: program, arguments: words.dropFirst() + [file]))
        return Sample(bytes: Self.size, seconds: Clock.seconds(from: start, to: Clock.nanoseconds()))
    }
}
