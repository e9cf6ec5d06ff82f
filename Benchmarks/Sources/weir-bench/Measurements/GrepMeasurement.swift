/// Searching the payload of a long capture.
struct GrepMeasurement: Measurement {
    /// What is searched for.
    enum Pattern: String, Sendable, CaseIterable {
        /// A text.
        case text
        /// The same bytes in hexadecimal digits.
        case hex
        /// A regular expression that finds the text, too.
        case regex
    }

    /// The text that is in the capture once, in its last request.
    static let needle = "needle-2026"
    private static let packets = 665_000

    let pattern: Pattern

    init(_ pattern: Pattern) {
        self.pattern = pattern
    }

    let group = MeasurementGroup.show
    var name: String { "grep-\(pattern.rawValue)" }
    var title: String { "Searching 1 GB, 665,000 segments of 1,424 bytes, for \(words)" }
    let metrics: [Metric] = [.inputRate, .anonymousMemory]
    let compared = "weir show --grep"
    var subjects: [Subject] { [compared, "tshark -Y"].map { Subject(name: $0) } }
    let method = """
        Each reads the file, which is in the page cache, and prints the one place where the pattern is, near the end; \
        another number of places is a failure. tshark looks into each packet alone, weir across the segments of a \
        stream. The clock runs from the start of the program to its end. RssAnon is the most that was seen.
        """

    private var words: String {
        switch pattern {
        case .text: "a text of \(Self.needle.utf8.count) bytes"
        case .hex: "as many bytes in hexadecimal"
        case .regex: "a regular expression"
        }
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let file = "\(bench.folder.path)/flows-needle.pcapng"
        if TextFile.size(file) == 0 {
            let arguments = [
                "write-flows", file, "--packets", "\(Self.packets)", "--payload", "1424", "--tcp", "--needle",
                Self.needle,
            ]
            try await Child.discardingOutput(of: Launch(program: bench.ownPath, arguments: arguments))
        }
        let name = subject.name.split(separator: " ").first.map(String.init) ?? ""
        guard let program = bench.programs.find(name) else { throw BenchError.absent(program: name) }
        let launch = Launch(program: program, arguments: arguments(name, file))
        let start = Clock.nanoseconds()
        let output = try await Child.output(of: launch)
        let seconds = Clock.seconds(from: start, to: Clock.nanoseconds())
        let places = output.split(separator: "\n").count
        guard places == 1 else { throw BenchError.load("\(subject.name) printed \(places) lines, not 1") }
        var sample = Sample(bytes: TextFile.size(file), seconds: seconds)
        if subject.name == compared {
            sample.values[Metric.anonymousMemory.key] = try await ShowMeasurement.mostMemory(of: launch)
        }
        return sample
    }

    /// Returns how a program is asked for the pattern.
    func arguments(_ program: String, _ file: String) -> [String] {
        let bytes = Self.needle.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        guard program == "tshark" else {
            let text =
                switch pattern {
                case .text: Self.needle
                case .hex: "hex:" + bytes.joined()
                case .regex: "/needle-[0-9]{4}/"
                }
            return ["show", file, "--json", "--grep", text]
        }
        let filter =
            switch pattern {
            case .text: "frame contains \"\(Self.needle)\""
            case .hex: "frame contains " + bytes.joined(separator: ":")
            case .regex: "frame matches \"needle-[0-9]{4}\""
            }
        return ["-n", "-r", file, "-Y", filter]
    }
}
