import FoundationEssentials

/// Printing the messages of a capture.
struct ShowMessagesMeasurement: Measurement {
    private static let packets = 200_000

    let group = MeasurementGroup.dissect
    let name = "show-messages"
    let title = "The messages of 100 connections of HTTP, 100,000 requests and their answers"
    let metrics: [Metric] = [.rate("messages/s"), .inputRate]
    let compared = "weir show --messages"
    var subjects: [Subject] { [compared, "tshark -T fields"].map { Subject(name: $0) } }
    let method = """
        Each reads the file, which is in the page cache, and prints a line a message to /dev/null: its time and flow, the \
        method, URI and host of a request, the status and type of an answer. The clock runs from the program's start to its end.
        """

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let file = "\(bench.folder.path)/flows-http.pcapng"
        if TextFile.size(file) == 0 {
            let arguments = [
                "write-flows", file, "--packets", "\(Self.packets)", "--payload", "512", "--tcp", "--http",
            ]
            try await Child.discardingOutput(of: Launch(program: bench.ownPath, arguments: arguments))
        }
        let name = subject.name.split(separator: " ").first.map(String.init) ?? ""
        guard let program = bench.programs.find(name) else { throw BenchError.absent(program: name) }
        let fields = [
            "frame.time_epoch", "tcp.stream", "http.request.method", "http.request.uri", "http.host",
            "http.response.code", "http.content_type",
        ]
        let arguments =
            subject.name == compared
            ? ["show", file, "--messages"]
            : ["-n", "-r", file, "-Y", "http", "-T", "fields"] + fields.flatMap { ["-e", $0] }
        let start = Clock.nanoseconds()
        try await Child.discardingOutput(of: Launch(program: program, arguments: arguments))
        let seconds = Clock.seconds(from: start, to: Clock.nanoseconds())
        var sample = Sample(bytes: TextFile.size(file), seconds: seconds)
        sample.values["operations_per_second"] = Double(Self.packets) / seconds
        return sample
    }
}
