import Glibc
import WeirAnalysis
import WeirRelay
import WeirSinks

/// The outputs that options ask for, and the captures that were begun for them.
final class RelayOutputs {
    private let options: OutputOptions
    private let configuration: RelayConfiguration
    private let details: FlowDetails
    private let admin: RelayAdmin?
    private let query: FlowQuery?
    private let names: RouteNames
    /// The capture that is made from the records.
    private(set) var recording: Recording?
    /// The capture of the relay's packets.
    let capture: RelayCapture?
    private let place: RecordPlace

    /// Notes the options; `admin` is the API, if there is one, `query` chooses what is shown, and `place` is where.
    init(
        _ options: OutputOptions,
        _ configuration: RelayConfiguration,
        _ details: FlowDetails,
        admin: RelayAdmin?,
        only query: FlowQuery? = nil,
        _ names: RouteNames = RouteNames(),
        capture: RelayCapture? = nil,
        place: RecordPlace = .standardOutput
    ) {
        (self.options, self.configuration, self.details, self.admin) = (options, configuration, details, admin)
        (self.query, self.names, self.capture, self.place) = (query, names, capture, place)
    }

    /// Makes all outputs that the options ask for, in this order; there is a row for each kind.
    func makeAll() throws(Failure) -> [SinkOutput] {
        let all: [SinkOutput?] = [
            // Chunks and messages on the terminal, and the totals; or the totals alone, and ports alone.
            filtered(makeTerminal()), filtered(makeTotals()), filtered(makePorts()),
            // JSON lines in a file, and to the API's clients.
            filtered(try makeLog()), admin?.output(details),
            // A capture of the relayed bytes, and the flows for one of the packets.
            try makeRecording(), capture?.makeOutput(),
        ]
        return all.compactMap { $0 }
    }

    /// Returns the output of what fits the query of `--only`.
    private func filtered(_ output: SinkOutput?) -> SinkOutput? {
        guard var output, let query else { return output }
        output.sink = FilteredSink(query, output.sink, process: details.process) { [names] in names.name($0, $1) }
        return output
    }

    /// Whether something else is written to the place of what is shown.
    private var isTaken: Bool {
        place.descriptor == STDOUT_FILENO && (options.log == "-" || options.records.takesStandardOutput)
    }
    /// The place of the totals if nothing else is shown: standard output then has no lines, or bytes of another kind.
    private var totalsPlace: RecordPlace { place.descriptor == STDOUT_FILENO ? .standardError : place }
    private var show: TerminalSink.Show { isTaken ? .none : options.shown.show ?? .hex }

    private func makeTerminal() -> SinkOutput? {
        guard show != .none else { return nil }
        return options.shown.output(
            to: place,
            default: .hex,
            dissects: options.dissect,
            overflow: options.overflow,
            showsOriginals: options.toxics.showOriginal,
            details: details,
            showsPorts: options.ports
        )
    }

    private func makeTotals() -> SinkOutput? {
        guard show == .none else { return nil }
        return ShowOptions.totals(to: totalsPlace, overflow: options.overflow, details, options.shown.screen)
    }

    private func makePorts() -> SinkOutput? {
        guard show == .none, options.ports else { return nil }
        return options.shown.ports(to: isTaken ? .standardError : place, overflow: options.overflow, details)
    }

    private func makeLog() throws(Failure) -> SinkOutput? {
        guard let path = options.log else { return nil }
        let sink = JSONLinesSink(
            withBytes: options.logBytes,
            dissects: options.dissect,
            showsOriginals: options.toxics.showOriginal,
            details: details
        )
        let overflow = options.overflow
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
        recording = try options.records.recording(
            options.recordLegs,
            names: configuration.names,
            process: details.process,
            overflow: options.overflow
        )
        return recording?.output
    }
}
