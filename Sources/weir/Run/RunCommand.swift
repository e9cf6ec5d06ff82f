import ArgumentParser
import Glibc
import WeirEngine
import WeirRelay
import WeirSinks

/// The command `weir run`, which starts a program and relays all that it connects to.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a program, and show every TCP connection and every datagram that it makes.",
        usage: "weir run [<options>] [--] [<command> [<argument> ...]]",
        discussion: """
            The program needs no settings, and you need no privileges:

              weir run -- curl http://example.com/
              weir run --record trace.pcapng -- npm test
              weir run --toxic latency,down,latency=200 --only tcp:5432 -- ./my-service
              weir run --serve 8080 -- python3 -m http.server 8080
              weir run --tls -- curl https://example.com/

            Without a command it starts $SHELL. What follows the command's name belongs to the command. Its standard \
            input, output and error stay its own: records go to standard error, or to --output FILE.

            A FILTER is [tcp:|udp:][HOST][:PORT]: tcp, 5432, udp:53, 8000-8100, 10.0.0.0/8, [::1]:8000, example.com, \
            *.example.com:443.

            The exit status is the command's, 128 and the signal's number if a signal ended it; 127 if it is not found, \
            126 if it cannot be executed, 69 if this machine does not allow to watch it. If the command gave 0: 1 if an \
            expectation failed, 74 if an output did.
            """
    )

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Append what is shown to a file (default: standard error).", valueName: "file"),
        completion: .file()
    )
    var output: String?

    @OptionGroup var destinations: DestinationOptions

    @OptionGroup var serving: ServeOptions

    @OptionGroup var tls: RunTLSOptions

    @OptionGroup var outputs: OutputOptions

    @Option(help: ArgumentHelp("When the command has ended, wait this long for open flows.", valueName: "time"))
    var grace = DurationArgument(.seconds(5))

    @Flag(help: "When the command has ended, wait for all programs that it started, too.")
    var wait = false

    @OptionGroup var admin: AdminOptions

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments.", valueName: "command")
    )
    var arguments: [String] = []

    /// The command and its arguments; empty for a shell.
    var command: [String] { arguments.first == "--" ? Array(arguments.dropFirst()) : arguments }

    func validate() throws {
        // The parser passes on everything from the first word that it does not know.
        if let word = arguments.first, word.hasPrefix("-"), word != "--" {
            if word == "--help" || word == "-h" { throw CleanExit.helpRequest(self) }
            throw ValidationError("Unknown option '\(word)'. A command that begins with '-' needs -- before it.")
        }
        if outputs.log == "-" { throw Self.outputIsTaken("--log") }
        if outputs.records.takesStandardOutput { throw Self.outputIsTaken("--record") }
        if output == "-" { throw Self.outputIsTaken("--output") }
        try outputs.records.requireFiles()
        try outputs.check()
    }

    private static func outputIsTaken(_ option: String) -> ValidationError {
        ValidationError("\(option) - has no place: standard output is the command's; give a file.")
    }

    func run() async throws {
        if outputs.toxics.toxics { return print(ToxicTable.render(), terminator: "") }
        do {
            let ignored = Signals.ignoredByParent()
            Signals.ignoreTerminal()
            let scenario = try outputs.toxics.readScenario()
            var configuration = configuration()
            var settings = try watchSettings()
            try settings.resolveMaps()
            let lines = try tls.apply(to: &configuration, &settings)
            (settings.ignoredSignals, settings.blockedSignals) = (ignored, Signals.blockedByParent)
            (settings.toxics, configuration.seed) = try outputs.toxics.destinationToxics(scenario)
            let watcher = ProgramWatcher(settings) { Diagnostics.print($0) }
            try watcher.check()
            for line in lines { Diagnostics.print(line) }
            watcher.apply(to: &configuration)
            let place = try output.map { path throws(Failure) in try RecordPlace(appendingTo: path) }
            let admin: RelayAdmin? = try await self.admin.start(names: configuration.names)
            configuration.adminEndpoints = admin?.endpoints ?? []
            let relayOutputs = RelayOutputs(
                outputs,
                configuration,
                details(watcher, configuration),
                admin: admin,
                place: place ?? .standardError
            )
            let program = WatchedProgram(watcher, waitsForAll: wait, hasToxics: !settings.toxics.isEmpty)
            let session = Session(
                configuration,
                grace: grace.duration,
                scenario: scenario,
                admin: admin,
                program: program
            )
            let sinks = try relayOutputs.makeAll() + [watcher.makeOutput(names: configuration.names)].compactMap { $0 }
            tellPlace()
            let status = program.exitStatus(try await session.run(outputs: sinks, relayOutputs.recording))
            if status != 0 { Glibc.exit(status) }
        } catch {
            throw Failure(error)
        }
    }

    /// Makes the configuration of the relay, which gets a route for each destination later.
    func configuration() -> RelayConfiguration {
        var configuration = RelayConfiguration(routes: [])
        configuration.takesRoutes = true
        configuration.threads = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        configuration.echoWindow = outputs.echoWindow.bytes
        configuration.expectsEcho = outputs.expectEcho
        return configuration
    }

    /// Makes the settings of the watcher, as far as options give them that need nothing else.
    func watchSettings() throws(Failure) -> WatchSettings {
        var settings = WatchSettings(command: command)
        if command.isEmpty {
            let shell = RunShell()
            (settings.command, settings.environment) = ([shell.path], shell.environment)
        }
        try destinations.apply(to: &settings)
        settings.servedPorts = try serving.ports()
        settings.whenListening = { Diagnostics.write("listening \($0)\n") }
        return settings
    }

    private func details(_ watcher: ProgramWatcher, _ configuration: RelayConfiguration) -> FlowDetails {
        let names = configuration.names
        return FlowDetails(
            process: watcher.lookup,
            hostPorts: HostPorts.range(),
            name: { names.names(of: $0).first },
            isDenied: watcher.isDenied
        )
    }

    /// Prints where records go if the command may fill the screen on which they appear.
    private func tellPlace() {
        let isOnTerminal = [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO].allSatisfy { isatty($0) == 1 }
        guard isOnTerminal, output == nil, outputs.shown.show != TerminalSink.Show.none else { return }
        Diagnostics.print("what is shown goes to this terminal, too; for a full-screen program use -o FILE")
    }
}
