import ArgumentParser

/// `weir-bench relay`: TCP.
struct RelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "relay", abstract: "Measure the relay over TCP.")
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.relay, options) }
}

/// `weir-bench udp`: UDP.
struct UDPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "udp", abstract: "Measure the relay over UDP.")
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.udp, options) }
}

/// `weir-bench hexdump`: the dump renderer.
struct HexdumpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hexdump",
        abstract: "Measure the dump renderer alone."
    )
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.hexdump, options) }
}

/// `weir-bench record`: relaying with a capture.
struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Measure the relay while it records packets."
    )
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.record, options) }
}

/// `weir-bench capture`: packets from an interface.
struct LiveCaptureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Measure capturing the relay's traffic beside tcpdump and dumpcap; needs root."
    )
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.capture, options) }
}

/// `weir-bench pcap`: captures.
struct PcapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pcap",
        abstract: "Measure writing and reading captures."
    )
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.pcap, options) }
}

/// `weir-bench show`: the flows of captures.
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Measure weir show beside tshark, tcpdump, tcpflow and capinfos."
    )
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.show, options) }
}

/// `weir-bench ports`: naming allocators of ports.
struct PortsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports",
        abstract: "Measure weir ports on a million flows, beside tshark and tcpdump."
    )
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.ports, options) }
}

/// `weir-bench toxics`: relaying under toxics.
struct ToxicsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "toxics",
        abstract: "Measure the relay under toxics, beside itself without any."
    )
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.toxics, options) }
}

/// `weir-bench tls`: the relay with TLS on both legs.
struct TLSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tls",
        abstract: "Measure the relay with TLS on both legs, beside nginx, HAProxy, sslsplit and mitmdump."
    )
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.tls, options) }
}

/// `weir-bench run`: what `weir run` costs a program.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Measure a program's calls under weir run, beside the same program alone."
    )
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.run, options) }
}

/// `weir-bench dissect`: what it costs to say what bytes mean.
struct DissectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dissect",
        abstract: "Measure the relay while it says what messages mean, beside itself when it does not."
    )
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(.dissect, options) }
}

/// `weir-bench all`: everything.
struct AllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "all", abstract: "Measure everything.")
    @OptionGroup var options: MeasureOptions
    func run() async throws { try await MeasureRun.run(nil, options) }
}
