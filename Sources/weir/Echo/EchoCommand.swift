import ArgumentParser
import Glibc
import WeirRelay
import WeirSinks
import WeirWire

/// The command `weir echo`, which sends all received bytes back.
struct EchoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo",
        abstract: "Serve as TCP and UDP echo servers, and show where each client comes from.",
        discussion: """
            A LISTEN is tcp:PORT, udp:PORT or tls:PORT, with an optional host before the port, as in a route of 'weir relay':

              weir echo tcp:65432 udp:65432
              weir echo tcp:*:65432
              weir echo tls:65432

            Source: RFC 862.
            """
    )

    @Argument(help: ArgumentHelp("Where to listen.", valueName: "listen"))
    var listens: [String]

    @OptionGroup var shown: ShowOptions

    @OptionGroup var records: RecordOptions

    @OptionGroup var tls: TLSOptions

    @Option(help: ArgumentHelp("End a UDP client's session after this long without a datagram.", valueName: "time"))
    var udpTimeout = DurationArgument(.seconds(60))

    @Option(help: ArgumentHelp("On ^C, wait this long for open connections.", valueName: "time"))
    var grace = DurationArgument(.seconds(5))

    func validate() throws {
        try records.requireStandardOutput(for: shown.show)
        try records.requireFiles()
        if shown.show == .messages {
            throw ValidationError("--show messages is for 'weir relay': an echo has no messages.")
        }
    }

    func run() async throws {
        do {
            var configuration = try configuration()
            try tls.apply(to: &configuration)
            let output =
                records.takesStandardOutput
                ? ShowOptions.totals(FlowDetails(), shown.screen) : shown.output(default: .summary)
            let recording = try records.recording(.client, names: configuration.names)
            let outputs = [output] + [recording?.output].compactMap { $0 }
            let status = try await Session(configuration, grace: grace.duration).run(outputs: outputs, recording)
            if status != .done { Glibc.exit(status.rawValue) }
        } catch {
            throw Failure(error)
        }
    }

    /// Makes the configuration of a relay without targets.
    func configuration() throws(RouteError) -> RelayConfiguration {
        let routes = try listens.map { text throws(RouteError) in try Route(echo: text) }
        var configuration = RelayConfiguration(routes: routes)
        configuration.threads = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        configuration.udpTimeout = udpTimeout.duration
        return configuration
    }
}
