import ArgumentParser
import Glibc
import WeirRelay
import WeirWire

/// The command `weir toxic hold`, which holds a proxy's chunks, shows each one, and asks what to do with it.
struct ToxicHoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Hold a proxy's chunks, and forward, edit or drop each one.",
        discussion: """
            Each chunk is shown as a dump, and waits for a letter and the enter key:

              f  forward it as it is
              d  drop it
              e  edit it in $VISUAL or $EDITOR, as a hexdump that is read back
              a  forward all that are held, and hold nothing more

            A chunk without an answer goes on as it is after --timeout, and the next one is asked about. When the prompt ends,
            with ^C or the end of its input as well, everything held goes on.
            """
    )

    @Argument(help: "The proxy's name.") var proxy: String
    @Flag(help: "Hold what clients send (--up, the default), what servers send (--down), or both (--up --down).")
    var directions: [ToxicDirection] = []
    @Option(help: ArgumentHelp("Forward a chunk that nobody has answered for after this time.", valueName: "time"))
    var timeout = DurationArgument(.seconds(300))
    @Option(
        help: ArgumentHelp(
            "Hold only chunks with these bytes: text with escapes, or hex:48656c6c6f.",
            valueName: "pattern"
        )
    )
    var contains = ""
    @OptionGroup var address: RelayAddressOptions

    func validate() throws {
        guard (Duration.milliseconds(1)...Duration.seconds(3600)).contains(timeout.duration) else {
            throw ValidationError("--timeout takes a time from 1ms to 1h.")
        }
    }

    func run() throws {
        let directions = ToxicDirection.named(directions, otherwise: .up)
        let prompt = HoldPrompt(client: try address.client(), proxy: proxy, streams: directions.map(\.stream))
        try prompt.begin(timeout: timeout.duration, contains: contains)
        // A ^C must not leave the hold on the proxy.
        Signals.receive { number in
            // While the editor runs, ^C is for the editor.
            guard number != SIGINT || !HexEditor.isRunning else { return }
            prompt.end()
            Glibc.exit(ExitStatus.done.rawValue)
        }
        defer { prompt.end() }
        var input = PromptInput()
        try prompt.run(&input)
    }
}
