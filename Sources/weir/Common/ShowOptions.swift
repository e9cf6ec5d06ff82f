import ArgumentParser
import Glibc
import WeirAnalysis
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

/// The options for how records are shown.
struct ShowOptions: ParsableArguments {
    @Option(help: "How chunks are shown on standard output: \(Self.choices).")
    var show: TerminalSink.Show?

    @Option(
        help: ArgumentHelp(
            "Show at most this many bytes of a chunk; 0 shows all (default: 512 on a terminal, 4096 elsewhere, all with "
                + "--show text2pcap).",
            valueName: "bytes"
        )
    )
    var showLimit: ByteCountArgument?

    @Flag(help: "Show the fields of messages under their dumps, as name=value.")
    var fields = false

    @Flag(help: "Show ends of directions and toxics that act, and with --ports the statistics behind each verdict.")
    var verbose = false

    @OptionGroup var screen: ScreenOptions

    private static let choices =
        "hex (the default), text, messages (a line for each, or for a request with its answer), summary (a line for each "
        + "chunk), ports (a line for each flow), text2pcap (what it reads) or none"

    func validate() throws {
        if fields, let show, ![.hex, .text, .summary].contains(show) {
            throw ValidationError("--fields is for --show hex, text and summary.")
        }
    }

    /// Makes the output for what is shown; if that fails, the totals go to standard error.
    func output(
        to place: RecordPlace = .standardOutput,
        default show: TerminalSink.Show,
        dissects: Bool = false,
        overflow: SinkOutput.Overflow = .wait,
        showsOriginals: Bool = false,
        details: FlowDetails = FlowDetails(),
        showsPorts: Bool = false
    ) -> SinkOutput {
        let sink = sink(on: place.descriptor, default: show, dissects: dissects, showsOriginals, details, showsPorts)
        var output = place.output(sink, overflow)
        if place.descriptor != STDERR_FILENO { output.lastResort = STDERR_FILENO }
        return output
    }

    /// Makes the output for only the totals; standard output has another use then.
    static func totals(
        to place: RecordPlace = .standardError,
        overflow: SinkOutput.Overflow = .wait,
        _ details: FlowDetails = FlowDetails(),
        _ screen: ScreenOptions
    ) -> SinkOutput {
        place.output(SummarySink(details: details, style: screen.style(of: place.descriptor)), overflow)
    }

    /// Makes the output that shows only ports.
    func ports(to place: RecordPlace, overflow: SinkOutput.Overflow, _ details: FlowDetails) -> SinkOutput {
        place.output(portsSink(screen.style(of: place.descriptor), details, hasLines: true), overflow)
    }

    private func portsSink(_ style: TerminalStyle, _ details: FlowDetails, hasLines: Bool) -> PortsSink {
        PortsSink(
            localOffset: Terminal.localOffset,
            style: style,
            hasLines: hasLines,
            isVerbose: verbose,
            ranges: details.portRanges
        )
    }

    private func sink(
        on descriptor: Int32,
        default show: TerminalSink.Show,
        dissects: Bool,
        _ showsOriginals: Bool,
        _ details: FlowDetails,
        _ showsPorts: Bool
    ) -> TerminalSink {
        let (show, style) = (self.show ?? show, screen.style(of: descriptor))
        var options = TerminalSink.Options()
        options.limit = showLimit?.bytes ?? (show == .text2pcap ? 0 : style.isTerminal ? 512 : 4096)
        options.dissects = dissects
        options.showsFields = fields
        options.showsOriginals = showsOriginals
        options.isVerbose = verbose
        // The rows of `--show ports` have each flow's ports; what is left is the verdicts.
        let ports: (any Sink)? =
            show == .ports || showsPorts ? portsSink(style, details, hasLines: show != .ports) : nil
        var width: (@Sendable () -> Int?)?
        if style.isTerminal { width = { Terminal.width(of: descriptor) } }
        return TerminalSink(
            show: show,
            options,
            style: style,
            width: width,
            localOffset: Terminal.localOffset,
            details: details,
            ports: ports
        )
    }
}

extension FlowDetails {
    /// The ranges for reports on ports.
    var portRanges: OwnPortRanges { OwnPortRanges(host: hostPorts, egressPort: egressPort) }
}
