import FoundationEssentials

/// Writing a capture.
struct CaptureWriteMeasurement: Measurement {
    /// Bytes of the file.
    private static let size = 2_000_000_000
    /// Writing the same bytes over and over: what the file system allows.
    private static let plain = "write(2) alone"

    let name = "pcap-write"
    let title = "Writing pcapng with packets of 1 KiB, 2 GB, to tmpfs"
    let group = MeasurementGroup.pcap
    let metrics: [Metric] = [Metric(key: Metric.throughput.key, heading: "GB/s", scale: 1e-9, digits: 2)]
    let compared = "WeirWire.PcapngWriter"
    var subjects: [Subject] { [Subject(name: compared), Subject(name: Self.plain)] }
    var method: String {
        """
        One process, one thread, writes of 256 KiB to a file in /dev/shm. Each packet has a time, flags and an id, and is \
        copied from two pieces. `\(Self.plain)` writes the same 256 KiB over and over without making a packet.
        """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        var arguments = ["write-capture", "/dev/shm/weir-bench.pcapng", "--bytes", "\(Self.size)", "--unlink"]
        if subject.name == Self.plain { arguments.append("--plain") }
        let line = try await Child.output(of: Launch(program: bench.ownPath, arguments: arguments))
        return Sample(try JSONDecoder().decode(LoadReport.self, from: Data(line.utf8)))
    }
}
