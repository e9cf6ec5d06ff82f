public import ArgumentParser
import Glibc
import WeirAnalysis
public import WeirEngine
public import WeirRelay
public import WeirWire

/// The command `weir ports`, which shows, measures and names how ephemeral ports are assigned.
struct PortsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports",
        abstract: "See, measure and name how ephemeral ports are assigned.",
        discussion: """
            In three ways:

              weir ports flows.pcapng log.jsonl     the clients of captures, or of the relay's JSON lines
              weir ports --probe tcp                this host's own allocator, measured on the loopback
              weir ports --host --watch             how full this host's range of ports is

            For each client, transport and side of a relay there is a verdict, with the statistics that led to it and \
            what it does not say. Under 8 samples, and where classes cannot be told apart, there is none ('too-few').

            Classes: sequential, sequential-per-destination, sequential-random-start, linux-connect, linux-local-range, \
            uniform-random, odd-bind, lower-half-bind, mixed, too-few.
            """
    )

    @Argument(
        help: ArgumentHelp("Captures, or JSON lines of weir relay; - is standard input.", valueName: "file"),
        completion: .file()
    )
    var files: [String] = []

    @Option(help: "Measure this host: open sockets on the loopback to listeners of Weir's own, tcp or udp.")
    var probe: Transport?

    @Option(name: [.customShort("n"), .long], help: "With --probe: how many ports to take, 1 to 20000.")
    var number = 500

    @Option(help: "With --probe: how ports are taken: connect, bind, reuse (bind with SO_REUSEADDR) or range.")
    var style = PortProbe.Style.connect

    @Option(help: "With --probe: to how many destinations, 1 to 64.")
    var destinations = 2

    @Option(help: ArgumentHelp("With --probe: spread the samples over this time.", valueName: "time"))
    var over = DurationArgument(.zero)

    @Flag(help: "Show how full this host's range of ports is (Linux).")
    var host = false

    @Flag(help: "With --host: show it again and again, until ^C.")
    var watch = false

    @Option(help: ArgumentHelp("With --host: the time from look to look.", valueName: "time"))
    var interval = DurationArgument(.seconds(1))

    @Option(help: ArgumentHelp("The range that ports were taken from, where it is known.", valueName: "low-high"))
    var range: PortRange?

    @Option(
        help: ArgumentHelp("Draw a picture into a new file: .svg, or .html with the figures.", valueName: "file"),
        completion: .file()
    )
    var plot: String?

    @Flag(name: .customLong("graph"), help: "Draw in the terminal: ports over time, and a histogram of steps.")
    var drawsInTerminal = false

    @Flag(help: "Write JSON, one object a line.")
    var json = false

    @Option(help: "Colour lines: auto (on a terminal), always or never.")
    var color = ColorChoice.auto

    func validate() throws {
        if [!files.isEmpty, probe != nil, host].count(where: { $0 }) != 1 {
            throw ValidationError("Give files, or --probe, or --host: one of them.")
        }
        guard (1...20_000).contains(number) else { throw ValidationError("-n takes a number from 1 to 20000.") }
        guard (1...64).contains(destinations) else { throw ValidationError("--destinations takes 1 to 64.") }
        if probe == nil, over.duration > .zero || style != .connect || number != 500 || destinations != 2 {
            throw ValidationError("-n, --style, --destinations and --over need --probe.")
        }
        if over.duration > .seconds(3600) { throw ValidationError("--over takes at most 1h.") }
        if style == .range, range == nil { throw ValidationError("--style range needs --range LOW-HIGH.") }
        if probe == .udp, style == .reuse {
            throw ValidationError("--style reuse is for tcp: a UDP socket with SO_REUSEADDR would share ports.")
        }
        if watch, !host { throw ValidationError("--watch needs --host.") }
        if host, plot != nil || drawsInTerminal {
            throw ValidationError("--plot and --graph are for files and --probe.")
        }
        guard interval.duration >= .milliseconds(100) else { throw ValidationError("--interval is 100ms at least.") }
        if let plot, !plot.hasSuffix(".svg"), !plot.hasSuffix(".html") {
            throw ValidationError("--plot takes a name that ends in .svg or .html.")
        }
        if json, drawsInTerminal { throw ValidationError("--json and --graph exclude each other.") }
        if files.count(where: { $0 == "-" }) > 1 { throw ValidationError("Standard input can be read once.") }
    }

    func run() async throws {
        do {
            if host { return try await HostShow(interval: interval.duration, repeats: watch, json: json).run() }
            let output = ShowOutput()
            if let probe {
                let found = try await measure(probe)
                try await show([found], known: probeRange(), output)
                return output.flush()
            }
            var read = PortsRead()
            for file in files { read.read(file) }
            if read.files > 0 {
                let known = range.map { PortRange.Known(range: $0, name: "--range") }
                try await show(read.table.series, known: known, output)
                read.sayWhatWasLeftOut()
            }
            output.flush()
            try read.end()
        } catch {
            throw Failure(error)
        }
    }

    /// Returns the range from which a probe's ports come: the socket's option, otherwise the system's range.
    private func probeRange() -> PortRange.Known? {
        if let range { return PortRange.Known(range: range, name: "--range") }
        return HostPorts.range().map {
            PortRange.Known(range: $0, name: "net.ipv4.ip_local_port_range of this host")
        }
    }

    private func measure(_ transport: Transport) async throws -> PortSeries {
        var probe = PortProbe(transport, style)
        probe.count = number
        probe.destinations = destinations
        probe.over = over.duration
        probe.range = range
        let result = try await probe.run()
        Diagnostics.write("probed: \(result.account)\n")
        return result.series
    }

    /// Names the allocators of some series in parallel.
    private static func reports(_ series: ArraySlice<PortSeries>, _ known: PortRange.Known?) async -> [PortReport] {
        await withTaskGroup(of: (Int, PortReport).self) { group in
            for (place, one) in series.enumerated() {
                group.addTask { (place, PortAnalysis.report(one, known: known)) }
            }
            var reports: [(Int, PortReport)] = []
            for await report in group { reports.append(report) }
            return reports.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func show(_ series: [PortSeries], known: PortRange.Known?, _ output: ShowOutput) async throws(Failure) {
        let colored = color == .always || (color == .auto && output.isTerminal && Terminal.allowsColor)
        let (text, lines) = (PortsText(color: colored), PortsJSON())
        var picture = plot.map { PortPlot(isPage: $0.hasSuffix(".html")) }
        // Not all at once, because there can be 65,536 reports.
        for start in stride(from: 0, to: series.count, by: 1024) {
            let some = series[start..<min(start + 1024, series.count)]
            for (one, report) in zip(some, await Self.reports(some, known)) {
                output.write { buffer in
                    if json { lines.append(report, to: &buffer) } else { text.append(report, to: &buffer) }
                    if drawsInTerminal { PortGraph.append(one, report, to: &buffer) }
                }
                picture?.add(one, report)
            }
        }
        if series.isEmpty, !json { output.write { $0.append("no choice of an ephemeral port was found\n") } }
        if let plot, let picture { try write(picture, to: plot) }
    }

    /// Writes a picture to a new file.
    private func write(_ picture: PortPlot, to path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(creating: SystemError("make '\(path)'", ErrorNumber(errno)))
        }
        defer { close(descriptor) }
        var bytes = ByteBuffer(capacity: 1 << 16)
        picture.render(into: &bytes)
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else {
                throw Failure(.inputOutput, "cannot write '\(path)': \(ErrorNumber(errno))")
            }
            bytes.removeFirst(max(0, count))
        }
        Diagnostics.write("drew \(path)\n")
    }
}

extension Transport: ExpressibleByArgument {
    /// Parses `tcp` or `udp`.
    public init?(argument: String) { self.init(argument) }

    /// Both names, for messages and completions; the default would be their numbers.
    public static var allValueStrings: [String] { allCases.map(\.description) }
}

extension PortRange: ExpressibleByArgument {
    /// Parses `LOW-HIGH`.
    public init?(argument: String) { self.init(argument) }
}

extension PortProbe.Style: ExpressibleByArgument {}
