import Glibc
import WeirAnalysis
import WeirRelay
import WeirSinks

/// The options of `weir relay` for its outputs, and the captures that were begun for them.
final class RelayOutputs {
    private let command: RelayCommand
    private let configuration: RelayConfiguration
    private let details: FlowDetails
    private let admin: RelayAdmin?
    private let query: FlowQuery?
    private let names: RouteNames
    /// The capture that is made from the records.
    private(set) var recording: Recording?
    /// The capture of the relay's packets.
    private(set) var capture: RelayCapture?

    /// Notes the options; `admin` is the API, if there is one, and `query` chooses what is shown.
    init(
        _ command: RelayCommand,
        _ configuration: RelayConfiguration,
        _ details: FlowDetails,
        admin: RelayAdmin?,
        only query: FlowQuery? = nil,
        _ names: RouteNames = RouteNames()
    ) {
        (self.command, self.configuration, self.details, self.admin) = (command, configuration, details, admin)
        (self.query, self.names) = (query, names)
    }

    /// Makes all outputs that the options ask for, in this order; there is a row for each kind.
    func makeAll() throws(Failure) -> [SinkOutput] {
        let all: [SinkOutput?] = [
            // Chunks and messages on the terminal, and the totals; or the totals alone, and ports alone.
            filtered(makeTerminal()), filtered(makeTotals()), filtered(makePorts()),
            // JSON lines in a file, and to the API's clients.
            filtered(try makeLog()), admin?.output(details),
            // A capture of the relayed bytes, and the flows for one of the packets.
            try makeRecording(), makeCapture(),
        ]
        return all.compactMap { $0 }
    }

    /// Returns the output of what fits the query of `--only`.
    private func filtered(_ output: SinkOutput?) -> SinkOutput? {
        guard var output, let query else { return output }
        output.sink = FilteredSink(query, output.sink, process: details.process) { [names] in names.name($0, $1) }
        return output
    }

    private var hasStandardOutput: Bool { command.log != "-" && !command.records.takesStandardOutput }
    private var show: TerminalSink.Show { hasStandardOutput ? command.shown.show ?? .hex : .none }

    private func makeTerminal() -> SinkOutput? {
        guard show != .none else { return nil }
        return command.shown.output(
            default: .hex,
            dissects: command.dissect,
            overflow: command.overflow,
            showsOriginals: command.toxics.showOriginal,
            details: details,
            showsPorts: command.portOptions.ports
        )
    }

    private func makeTotals() -> SinkOutput? {
        show == .none ? ShowOptions.totals(overflow: command.overflow, details, command.shown.screen) : nil
    }

    private func makePorts() -> SinkOutput? {
        guard show == .none, command.portOptions.ports else { return nil }
        return command.shown.ports(onOutput: hasStandardOutput, overflow: command.overflow, details)
    }

    private func makeLog() throws(Failure) -> SinkOutput? {
        guard let path = command.log else { return nil }
        let sink = JSONLinesSink(
            withBytes: command.logBytes,
            dissects: command.dissect,
            showsOriginals: command.toxics.showOriginal,
            details: details
        )
        let overflow = command.overflow
        if path == "-" {
            return SinkOutput(name: "standard output", sink: sink, descriptor: STDOUT_FILENO, overflow: overflow)
        }
        do {
            return try SinkOutput(appendingTo: path, sink: sink, overflow: overflow) {
                Diagnostics.tellWaiting(for: path)
            }
        } catch {
            throw Failure(creating: error)
        }
    }

    private func makeRecording() throws(Failure) -> SinkOutput? {
        recording = try command.records.recording(
            command.recordLegs,
            names: configuration.names,
            process: details.process,
            overflow: command.overflow
        )
        return recording?.output
    }

    private func makeCapture() -> SinkOutput? {
        guard let path = command.capture else { return nil }
        let capture = RelayCapture(
            to: path,
            rotation: command.records.rotation.rotation,
            interface: command.interface,
            settings: command.captureOptions.source(),
            process: configuration.processes?.peek
        )
        self.capture = capture
        return capture.makeOutput()
    }
}
