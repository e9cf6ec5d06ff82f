import Glibc

/// Capturing the relay's traffic from the loopback while it goes as fast as it can.
struct LiveCaptureMeasurement: Measurement {
    /// What goes through the relay.
    enum Traffic: String, Sendable {
        /// 64-byte datagrams: many small packets.
        case udp
        /// One stream, in packets of up to 64 KiB, of which 128 bytes are kept.
        case tcp
    }

    /// What one program says that it has counted.
    struct Counted {
        var captured: Double
        var dropped: Double
    }

    /// The kernel's buffer of each program, in MiB.
    private static let buffer = 64
    /// Bytes that are kept of a packet of a stream.
    private static let snapLength = 128

    let traffic: Traffic

    let group = MeasurementGroup.capture
    var name: String { "capture-\(traffic)" }
    var title: String {
        switch traffic {
        case .udp: "Capturing the relay's top rate of datagrams"
        case .tcp: "Capturing the relay's top rate of one stream, 128 bytes of each packet"
        }
    }
    var metrics: [Metric] {
        [
            Metric(key: "cpu_microseconds_per_packet", heading: "CPU µs/packet", digits: 3),
            Metric(key: "captured_per_second", heading: "packets/s", isCompared: false),
            Metric(key: "drop_percent", heading: "dropped %", digits: 3, isCompared: false),
            traffic.relayMetric,
        ]
    }
    let compared = "weir capture"
    var subjects: [Subject] { [compared, "tcpdump", "dumpcap"].map { Subject(name: $0) } }
    var method: String {
        """
        Weir relays between the load and its server, and a program beside it captures \(traffic) on the loopback into a \
        file in memory, with a buffer of \(Self.buffer) MiB in the kernel; all share the cores. CPU is the capturing \
        program's own, for each packet that is in its file; drops are those that it reports.
        """
    }

    init(_ traffic: Traffic) { self.traffic = traffic }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        guard geteuid() == 0 else { throw BenchError.refused("capturing from an interface needs root here") }
        let path = RelayRequest.recordPath
        unlink(path)
        defer { unlink(path) }
        let errors = "\(bench.folder.path)/capture-errors"
        let launch = try launch(subject.name, into: path, errors: errors, bench.programs)
        let (sample, seconds) = try await Child.with(launch) { capture in
            try await Self.waitForFile(path, errors: errors)
            let before = capture.processorSeconds()
            let sample = try await relay(in: bench)
            // What is still in the kernel's buffer costs too.
            try await Task.sleep(for: .milliseconds(300))
            return (sample, capture.processorSeconds() - before)
        }
        guard let counted = Self.counted(TextFile.read(errors) ?? "") else {
            throw BenchError.child(program: subject.name, reason: "does not say what it captured")
        }
        var result = sample
        let seen = counted.captured + counted.dropped
        result.values["cpu_microseconds_per_packet"] = seconds * 1e6 / max(1, counted.captured)
        result.values["captured_per_second"] = counted.captured / (sample.values["seconds"] ?? 1)
        result.values["drop_percent"] = 100 * counted.dropped / max(1, seen)
        return result
    }

    private func relay(in bench: Bench) async throws -> Sample {
        switch traffic {
        case .udp:
            var load = bench.load(.datagrams, connections: 8)
            load.inFlight = 16
            return Sample(try await bench.measure(load, server: .datagrams, through: .relay(Peers.weir)))
        case .tcp:
            return Sample(try await bench.measure(bench.load(.stream), server: .sink, through: .relay(Peers.weir)))
        }
    }

    private func launch(
        _ name: String,
        into path: String,
        errors: String,
        _ programs: Programs
    ) throws(BenchError) -> Launch {
        let program = name == compared ? Peers.weir.program : name
        guard let found = programs.find(program) else { throw .absent(program: program) }
        let length = traffic == .tcp ? Self.snapLength : 262_144
        let arguments =
            switch name {
            case "tcpdump":
                // Without -Z it gives up the right to write there. Its unit is KiB.
                ["-i", "lo", "-w", path, "-B", "\(Self.buffer << 10)", "-s", "\(length)", "-Z", "root", "\(traffic)"]
            case "dumpcap":
                ["-q", "-i", "lo", "-f", "\(traffic)", "-B", "\(Self.buffer)", "-s", "\(length)", "-w", path]
            default:
                [
                    "capture", "-i", "lo", "-w", path, "--buffer", "\(Self.buffer)M", "--snaplen", "\(length)",
                    "\(traffic)",
                ]
            }
        return Launch(program: found, arguments: arguments, errors: errors)
    }

    /// Waits until the program has made its file and says that it captures.
    private static func waitForFile(_ path: String, errors: String) async throws {
        let deadline = Clock.nanoseconds() + Clock.nanoseconds(ofSeconds: 5)
        let words = ["capturing on", "listening on", "File: "]
        while Clock.nanoseconds() < deadline {
            let text = TextFile.read(errors) ?? ""
            if access(path, F_OK) == 0, words.contains(where: { text.contains($0) }) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw BenchError.load("does not capture: \(Child.lastLine(of: TextFile.read(errors) ?? "") ?? "says nothing")")
    }

    /// Finds the counts in what a program says at its end.
    static func counted(_ text: String) -> Counted? {
        var captured: Double?
        var dropped: Double?
        for line in text.split(separator: "\n") {
            // Weir: `weir: 5 packets captured, 0 dropped by the kernel on lo`
            // tcpdump: `5 packets captured`, `0 packets dropped by kernel`
            // dumpcap: `Packets received/dropped on interface 'lo': 5/0 (pcap:0/...)`
            let words = line.split(separator: " ")
            if let place = words.firstIndex(of: "packets"), place > 0, place + 1 < words.count {
                if words[place + 1].hasPrefix("captured") { captured = Double(words[place - 1]) }
                if words[place + 1] == "dropped" { dropped = Double(words[place - 1]) }
            }
            if let place = words.firstIndex(of: "captured,"), place + 1 < words.count {
                dropped = Double(words[place + 1])
            }
            if line.hasPrefix("Packets received/dropped on interface"), let colon = line.lastIndex(of: "'") {
                let counts = line[colon...].dropFirst(3).prefix { $0 != " " }.split(separator: "/")
                guard counts.count == 2 else { continue }
                (captured, dropped) = (Double(counts[0]), Double(counts[1]))
            }
        }
        guard let captured, let dropped else { return nil }
        return Counted(captured: captured, dropped: dropped)
    }
}

extension LiveCaptureMeasurement.Traffic {
    /// How fast the relay is beside the capture.
    fileprivate var relayMetric: Metric {
        switch self {
        case .udp: .rate("relayed echoes/s")
        case .tcp: Metric(key: Metric.throughput.key, heading: "relayed Gbit/s", scale: 8e-9, digits: 2)
        }
    }
}
