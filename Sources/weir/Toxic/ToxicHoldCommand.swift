import ArgumentParser
import Glibc
import WeirFlow
import WeirRelay
import WeirWire

/// Holds a proxy's chunks, shows each one, and asks what is to become of it.
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

            What is not decided about within --timeout goes on as it is. When the prompt ends, with ^C or the end of its input
            as well, everything held goes on.
            """
    )

    @Argument(help: "The proxy's name.") var proxy: String
    @Flag var direction = ToxicDirection.up
    @Option(help: ArgumentHelp("Forward what nobody decided about for this long.", valueName: "time"))
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
        let prompt = HoldPrompt(client: try address.client(), proxy: proxy)
        try prompt.begin(direction.stream, timeout: timeout.duration, contains: contains)
        // A ^C must not leave the hold behind.
        Signals.receive { number in
            // In the editor it is the editor's.
            guard number != SIGINT || !HexEditor.isRunning else { return }
            prompt.end()
            Glibc.exit(ExitStatus.done.rawValue)
        }
        defer { prompt.end() }
        var input = PromptInput()
        try prompt.run(&input)
    }
}

/// Asks about one chunk after the other.
struct HoldPrompt: Sendable {
    /// Bounds how many bytes of a chunk are shown.
    private static let shown = 4096

    let client: AdminClient
    let proxy: String
    /// Names the toxic, so that several prompts can hold at once.
    private let toxic = "hold-\(getpid())"

    init(client: AdminClient, proxy: String) {
        self.client = client
        self.proxy = proxy
    }

    private var path: String { "/proxies/\(PercentText.encode(proxy))/toxics" }

    /// Puts the hold on the proxy.
    func begin(_ stream: String, timeout: Duration, contains: String) throws(Failure) {
        _ = try client.call(
            "POST",
            path,
            [
                "name": .string(toxic), "type": "hold", "stream": .string(stream),
                "attributes": ["timeout": .int(timeout.inNanoseconds / 1_000_000), "contains": .string(contains)],
            ]
        )
        Diagnostics.write("holding \(proxy) \(stream); f forwards, d drops, e edits, a forwards all and ends\n")
    }

    /// Takes the hold away: what is held goes on.
    func end() { _ = try? client.call("DELETE", "\(path)/\(PercentText.encode(toxic))") }

    /// Asks until all are to go on, or the input has ended.
    func run(_ input: inout PromptInput) throws(Failure) {
        let query = "proxy=\(PercentText.encode(proxy))&toxic=\(PercentText.encode(toxic))&limit=1&wait=1"
        while !input.isOver() {
            let answer = try client.call("GET", "/v1/holds?\(query)")
            guard let held = answer["holds"]?.arrayValue?.first, let id = held["id"]?.stringValue,
                let bytes = held["bytes"]?.stringValue.flatMap(Base64.decode)
            else {
                // Somebody else may have taken the hold away: then nothing more is to come.
                _ = try client.call("GET", "\(path)/\(PercentText.encode(toxic))")
                continue
            }
            show(held, bytes)
            guard try ask(id, bytes, &input) else { return }
        }
    }

    private func show(_ held: JSONValue, _ bytes: [UInt8]) {
        let flow = held["flow"]?.intValue ?? 0
        let way = held["direction"]?.stringValue == "upstream" ? "up  " : "down"
        Diagnostics.write(
            "#\(flow) \(way)  (\(bytes.count) bytes) held\n\(HexText.dump(Array(bytes.prefix(Self.shown))))"
        )
        if bytes.count > Self.shown { Diagnostics.write("(\(bytes.count - Self.shown) bytes more; e shows all)\n") }
    }

    /// Asks until there is a decision.
    ///
    /// - Returns: false where nothing more is to be asked.
    private func ask(_ id: String, _ bytes: [UInt8], _ input: inout PromptInput) throws(Failure) -> Bool {
        while true {
            Diagnostics.write("[f]orward, [d]rop, [e]dit, [a]ll? ")
            guard let line = input.line() else { return false }
            switch line.lowercased().first {
            case "f": return try decide(id, ["action": "forward"])
            case "d": return try decide(id, ["action": "drop"])
            case "e":
                guard let edited = try HexEditor.edit(bytes) else {
                    // Somebody else may have taken the hold away: then nothing more is to come.
                    _ = try client.call("GET", "\(path)/\(PercentText.encode(toxic))")
                    continue
                }
                return try decide(id, ["action": "edit", "bytes": .string(Base64.encode(edited))])
            case "a": return false
            default: Diagnostics.write("f, d, e or a\n")
            }
        }
    }

    private func decide(_ id: String, _ body: JSONValue) throws(Failure) -> Bool {
        do throws(Failure) {
            _ = try client.call("POST", "/v1/holds/\(PercentText.encode(id))", body)
        } catch {
            // Its time was over meanwhile, or its flow has ended.
            guard error.message.contains("says 404") else { throw error }
            Diagnostics.write("the chunk is not held any more\n")
        }
        return true
    }
}
