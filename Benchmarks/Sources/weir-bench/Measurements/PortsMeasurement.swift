/// Naming the allocators behind a million flows.
struct PortsMeasurement: Measurement {
    /// What the flows are read from.
    enum Source: String, Sendable {
        /// A capture of SYNs.
        case capture
        /// The relay's JSON lines.
        case log
    }

    let source: Source

    private static let flows = 1_000_000

    let group = MeasurementGroup.ports
    var name: String { "ports-\(source.rawValue)" }
    var title: String {
        source == .capture
            ? "The allocators of 1,000,000 flows of 1,000 clients, from a capture of 88 MB"
            : "The allocators of 1,000,000 flows of 1,000 clients, from JSON lines of 192 MB"
    }
    let metrics: [Metric] = [.rate("flows/s"), .inputRate, .anonymousMemory]
    let compared = "weir ports"
    var subjects: [Subject] {
        let peers = source == .capture ? ["tshark -T fields", "tcpdump -nr"] : ["jq"]
        return ([compared] + peers).map { Subject(name: $0) }
    }
    var method: String {
        source == .capture
            ? """
            weir names the allocator of each client. The others only print the source port of each SYN to /dev/null, from \
            which nobody else names one. The file is in the page cache; the clock runs from the start of the program to \
            its end. RssAnon is the most that was seen.
            """
            : """
            weir names the allocators of each client and of the relay. jq only prints the client and the egress of each \
            flow to /dev/null. The clock runs from the start of the program to its end.
            """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let file = "\(bench.folder.path)/ports-\(source.rawValue)"
        if TextFile.size(file) == 0 {
            var arguments = ["write-ports", file, "--flows", "\(Self.flows)"]
            if source == .log { arguments.append("--log") }
            try await Child.discardingOutput(of: Launch(program: bench.ownPath, arguments: arguments))
        }
        let name = subject.name.split(separator: " ").first.map(String.init) ?? ""
        guard let program = bench.programs.find(name) else { throw BenchError.absent(program: name) }
        let launch = Launch(program: program, arguments: arguments(name, file))
        let start = Clock.nanoseconds()
        try await Child.discardingOutput(of: launch)
        let seconds = Clock.seconds(from: start, to: Clock.nanoseconds())
        var sample = Sample(bytes: TextFile.size(file), seconds: seconds)
        sample.values["operations_per_second"] = Double(Self.flows) / seconds
        if subject.name == compared {
            sample.values[Metric.anonymousMemory.key] = try await ShowMeasurement.mostMemory(of: launch)
        }
        return sample
    }

    private func arguments(_ program: String, _ file: String) -> [String] {
        switch program {
        case "tshark": ["-n", "-r", file, "-Y", "tcp.flags.syn==1", "-T", "fields", "-e", "tcp.srcport"]
        case "tcpdump": ["-n", "-r", file, "tcp[tcpflags] & tcp-syn != 0"]
        case "jq": ["-r", "select(.event == \"open\") | .client + \" \" + .egress", file]
        default: ["ports", file]
        }
    }
}
