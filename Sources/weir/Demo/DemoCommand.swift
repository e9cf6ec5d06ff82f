import ArgumentParser
import Glibc
import Synchronization
import WeirRelay
import WeirSinks
import WeirWire

/// The command `weir demo`, which shows the main job on loopback.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show the main job on loopback: echo servers, a relay, and several clients, in one process.",
        discussion: """
            Three TCP clients and two UDP clients talk to echo servers through a relay. What is printed is what 'weir \
            relay' prints: each flow's four endpoints, every byte both ways, and at the end the ports of the clients \
            with the egress ports that the kernel gave the relay for them. It ends by itself.
            """
    )

    @OptionGroup var screen: ScreenOptions

    @OptionGroup var records: RecordOptions

    @Option(help: "The sides of each flow that are recorded: both, client (with the relay) or server (with the relay).")
    var recordLegs = CaptureSettings.Legs.both

    @Option(
        help: ArgumentHelp(
            "Capture the packets of both legs with libpcap into a file, or a folder; needs CAP_NET_RAW.",
            valueName: "path"
        ),
        completion: .file()
    )
    var capture: String?

    func validate() throws {
        try records.requireFiles(orCapture: capture)
        try RelayCapture.requireFile(capture)
    }

    func run() async throws {
        do {
            let servers = try await Supervisor(
                RelayConfiguration(routes: [try Route(echo: "tcp:0"), try Route(echo: "udp:0")])
            )
            let configuration = RelayConfiguration(
                routes: servers.listeners.map {
                    Route($0.transport, listen: HostPort(.loopbackByDefault, 0), target: HostPort($0.endpoint))
                }
            )
            let recording = try records.recording(recordLegs, names: configuration.names)
            let capture = capture.map { RelayCapture(to: $0, rotation: records.rotation.rotation) }
            let failures = Failures()
            let relay = try await start(configuration, recording, capture) { failures.note($0) }
            for listener in relay.listeners { Diagnostics.write("listening \(listener)\n") }
            for listener in relay.listeners {
                try talk(listener.transport, to: listener.endpoint, client: 1, of: listener.transport == .tcp ? 3 : 2)
            }
            await relay.stop(grace: .seconds(1))
            let status = await capture?.finish() ?? .done
            await servers.stop(grace: .seconds(1))
            if failures.isAny.load(ordering: .relaxed) { Glibc.exit(ExitStatus.inputOutput.rawValue) }
            if status != .done { Glibc.exit(status.rawValue) }
        } catch {
            throw Failure(error)
        }
    }

    /// Starts the relay; if it cannot start, discards the recording and the capture.
    private func start(
        _ configuration: RelayConfiguration,
        _ recording: Recording?,
        _ capture: RelayCapture?,
        report: @escaping @Sendable (SinkReport) -> Void
    ) async throws -> Supervisor {
        do {
            return try await Supervisor(
                configuration,
                outputs: [output] + [recording?.output, capture?.makeOutput()].compactMap { $0 },
                sinkReport: report,
                whenBound: { try capture?.start($0) }
            )
        } catch {
            recording?.discard()
            capture?.discard()
            throw error
        }
    }

    private var output: SinkOutput {
        guard !records.takesStandardOutput else { return ShowOptions.totals(FlowDetails(), screen) }
        let sink = TerminalSink(style: screen.style(of: STDOUT_FILENO), localOffset: Terminal.localOffset)
        return SinkOutput(name: "standard output", sink: sink, descriptor: STDOUT_FILENO)
    }

    /// The failures of outputs: reports them and the capture's file, and stores whether there was any.
    private final class Failures: Sendable {
        let isAny = Atomic(false)

        func note(_ report: SinkReport) {
            switch report {
            case .recorded(let path): Diagnostics.write("recorded \(path)\n")
            case .failed(let failure) where !failure.isClosed:
                Diagnostics.print("cannot write to \(failure.name): \(failure.error)")
                isAny.store(true, ordering: .relaxed)
            case .failed, .missed, .renewed, .lost: break
            }
        }
    }

    /// Lets several clients talk at the same time, so that each one has its own port.
    private func talk(_ transport: Transport, to endpoint: Endpoint, client number: Int, of count: Int)
        throws(SystemError)
    {
        guard number <= count else { return }
        let client = try DemoClient(transport, to: endpoint)
        try client.exchange("Hello from \(transport) client \(number)!")
        try talk(transport, to: endpoint, client: number + 1, of: count)
        client.finish()
    }
}
