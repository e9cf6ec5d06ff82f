import ArgumentParser
import WeirRelay
import WeirSinks

/// The options of `weir relay` and `weir run` for what is shown, logged, recorded and checked, and for toxics.
struct OutputOptions: ParsableArguments {
    @OptionGroup var shown: ShowOptions

    @OptionGroup var toxics: ToxicOptions

    @Option(
        help: ArgumentHelp(
            "Append records as JSON lines to a file; - is standard output, where that is free.",
            valueName: "file"
        ),
        completion: .file()
    )
    var log: String?

    @Flag(help: "Put each chunk's bytes into the log, in base64.")
    var logBytes = false

    @Flag(inversion: .prefixedNo, help: "Say on each chunk's line what the messages mean that end in it.")
    var dissect = true

    @Flag(
        help: """
            Show a line of each flow's ports, and name the allocators of client and relay at the end; --show ports shows \
            nothing else.
            """
    )
    var ports = false

    @OptionGroup var records: RecordOptions

    @Option(help: "The sides of each flow that are recorded: both, client (with the relay) or server (with the relay).")
    var recordLegs = CaptureSettings.Legs.both

    @Option(
        help: ArgumentHelp(
            "Keep at most this many bytes of a flow to find echoes; 0 looks for none.",
            valueName: "bytes"
        )
    )
    var echoWindow = ByteCountArgument(1 << 20)

    @Flag(help: "Expect every server to echo: say which byte differs or never came, and end with 1.")
    var expectEcho = false

    @Option(help: "When an output is too slow: wait (nothing is lost) or drop (chunks are left out and counted).")
    var overflow = SinkOutput.Overflow.wait

    /// Refuses two uses of standard output.
    func requireStandardOutput() throws {
        if log == "-", let show = shown.show, show != .none {
            throw ValidationError("--log - writes to standard output, so --show \(show) has no place there.")
        }
        try records.requireStandardOutput(for: shown.show, log: log)
    }

    /// Refuses options that exclude or need each other.
    ///
    /// The commands call it after their own checks; as `validate` it would come before them.
    func check() throws {
        if recordLegs != .both, records.record == nil { throw ValidationError("--record-legs needs --record PATH.") }
        if expectEcho, echoWindow.bytes == 0 { throw ValidationError("--expect-echo needs an --echo-window above 0.") }
        if shown.show == .messages, !dissect {
            throw ValidationError("--show messages needs what --no-dissect turns off.")
        }
        if shown.show == .text2pcap, ports {
            throw ValidationError("--show text2pcap prints nothing else, so --ports has no place there.")
        }
        if logBytes, log == nil { throw ValidationError("--log-bytes needs --log FILE.") }
    }
}
