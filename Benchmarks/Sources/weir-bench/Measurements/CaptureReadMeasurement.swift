import FoundationEssentials

/// Reading a capture.
struct CaptureReadMeasurement: Measurement {
    /// Bytes of the file.
    private static let size = 680_000_000

    /// Bytes of each packet.
    let packetSize: Int

    var name: String { "pcap-read-\(packetSize)" }
    var title: String { "Reading a pcapng of 680 MB with packets of \(packetSize) bytes" }
    let group = MeasurementGroup.pcap
    let metrics: [Metric] = [.inputRate, .rate("packets/s"), .anonymousMemory]
    let compared = "WeirCapture.CaptureFile"
    var subjects: [Subject] {
        [Subject(name: compared), Subject(name: "capinfos"), Subject(name: "capinfos -cdae")]
    }
    var method: String {
        """
        Each counts the packets and their bytes and finds the first and the last time, with `capinfos` also three hashes \
        of the file, its default. The file is in the page cache, and the clock runs from the start of the program to its \
        end. RssAnon is the memory of the reader's own at its end.
        """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let file = "\(bench.folder.path)/capture-\(packetSize).pcapng"
        if TextFile.size(file) < Self.size {
            let arguments = ["write-capture", file, "--bytes", "\(Self.size)", "--size", "\(packetSize)"]
            try await Child.discardingOutput(of: Launch(program: bench.ownPath, arguments: arguments))
        }
        let size = TextFile.size(file)
        let isWeir = subject.name == compared
        let words = isWeir ? ["read-capture"] : subject.name.split(separator: " ").dropFirst().map(String.init)
        guard let program = isWeir ? bench.ownPath : bench.programs.find("capinfos") else {
            throw BenchError.absent(program: "capinfos")
        }
        let start = Clock.nanoseconds()
        let line = try await Child.output(of: Launch(program: program, arguments: words + [file]))
        var sample = Sample(bytes: size, seconds: Clock.seconds(from: start, to: Clock.nanoseconds()))
        if isWeir {
            let report = try JSONDecoder().decode(LoadReport.self, from: Data(line.utf8))
            sample.values[Metric.anonymousMemory.key] = report.anonymousBytes
            sample.values["operations_per_second"] = Double(report.operations) / (sample.values["seconds"] ?? 1)
        }
        return sample
    }
}
