import FoundationEssentials
import Glibc

/// Counting the flows of a capture.
struct ShowMeasurement: Measurement {
    let transport: Socket.Transport

    let group = MeasurementGroup.show
    var name: String { "show-\(transport.rawValue)" }
    var title: String {
        transport == .udp
            ? "The flows of 260 MB, 1,000,000 datagrams of 186 bytes"
            : "The flows of 680 MB, 450,000 segments of 1,424 bytes"
    }
    let metrics: [Metric] = [.rate("packets/s"), .inputRate, .anonymousMemory]
    let compared = "weir show"
    var subjects: [Subject] {
        [compared, "tshark -q -z conv", "tcpdump -nr", "tcpflow", "capinfos"].map { Subject(name: $0) }
    }
    var method: String {
        """
        Each reads the file, which is in the page cache and has 100 flows, and the clock runs from the start of the \
        program to its end. tcpdump prints a line a packet to /dev/null, capinfos makes three hashes, its default, and \
        tcpflow writes each stream to a file in TMPDIR: what they are for. RssAnon is the most that was seen.
        """
    }

    private var packets: Int { transport == .udp ? 1_000_000 : 450_000 }
    private var payload: Int { transport == .udp ? 186 : 1424 }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let file = "\(bench.folder.path)/flows-\(transport.rawValue).pcapng"
        if TextFile.size(file) == 0 {
            var arguments = ["write-flows", file, "--packets", "\(packets)", "--payload", "\(payload)"]
            if transport == .tcp { arguments.append("--tcp") }
            try await Child.discardingOutput(of: Launch(program: bench.ownPath, arguments: arguments))
        }
        let name = subject.name.split(separator: " ").first.map(String.init) ?? ""
        guard let program = bench.programs.find(name) else { throw BenchError.absent(program: name) }
        let output = try bench.folder.subfolder().path
        defer { try? FileManager.default.removeItem(atPath: output) }
        let launch = Launch(program: program, arguments: arguments(name, file, output))
        let start = Clock.nanoseconds()
        try await Child.discardingOutput(of: launch)
        let seconds = Clock.seconds(from: start, to: Clock.nanoseconds())
        var sample = Sample(bytes: TextFile.size(file), seconds: seconds)
        sample.values["operations_per_second"] = Double(packets) / seconds
        if subject.name == compared {
            sample.values[Metric.anonymousMemory.key] = try await Self.mostMemory(of: launch)
        }
        return sample
    }

    private func arguments(_ program: String, _ file: String, _ output: String) -> [String] {
        switch program {
        case "tshark": ["-n", "-r", file, "-q", "-z", "conv,\(transport.rawValue)"]
        case "tcpdump": ["-n", "-r", file]
        case "tcpflow": ["-r", file, "-o", output]
        case "capinfos": [file]
        default: ["show", file]
        }
    }

    /// Runs the program once more, and looks at its memory all the time.
    static func mostMemory(of launch: Launch) async throws -> Double {
        try await Child.with(launch) { group in
            var most = 0.0
            while let text = TextFile.read("/proc/\(group.identifier)/status"), !text.contains("State:\tZ") {
                // The shell that becomes the program is no matter: it is small.
                most = max(most, ProcessStatus.anonymousBytes(text) ?? 0)
                try await Task.sleep(for: .milliseconds(1))
            }
            return most
        }
    }
}
