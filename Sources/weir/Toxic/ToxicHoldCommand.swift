import ArgumentParser
import Glibc
import WeirAdmin
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

            What is not decided about within --timeout goes on as it is. When the prompt ends, everything held goes on.
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
    @OptionGroup var options: SteeringOptions

    func validate() throws {
        guard (Duration.milliseconds(1)...Duration.seconds(3600)).contains(timeout.duration) else {
            throw ValidationError("--timeout takes a time from 1ms to 1h.")
        }
    }

    func run() throws {
        let prompt = HoldPrompt(client: try options.client(), proxy: proxy)
        try prompt.begin(direction.stream, timeout: timeout.duration, contains: contains)
        // A ^C must not leave the hold behind.
        Signals.receive { _ in
            prompt.end()
            Glibc.exit(ExitStatus.done.rawValue)
        }
        defer { prompt.end() }
        try prompt.run()
    }
}

/// Asks about one chunk after the other.
struct HoldPrompt: Sendable {
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
    func run() throws(Failure) {
        while true {
            let answer = try client.call("GET", "/v1/holds?proxy=\(PercentText.encode(proxy))&wait=1")
            let held = (answer["holds"]?.arrayValue ?? []).first { $0["toxic"]?.stringValue == toxic }
            guard let held, let id = held["id"]?.stringValue,
                let bytes = held["bytes"]?.stringValue.flatMap(Base64.decode)
            else {
                if answer["holds"]?.arrayValue?.isEmpty == false { usleep(200_000) }
                continue
            }
            show(held, bytes)
            guard try ask(id, bytes) else { return }
        }
    }

    private func show(_ held: JSONValue, _ bytes: [UInt8]) {
        let flow = held["flow"]?.intValue ?? 0
        let way = held["direction"]?.stringValue == "upstream" ? "up  " : "down"
        Diagnostics.write("#\(flow) \(way)  (\(bytes.count) bytes) held\n\(HexText.dump(bytes))")
    }

    /// Asks until there is a decision.
    ///
    /// - Returns: false where nothing more is to be asked.
    private func ask(_ id: String, _ bytes: [UInt8]) throws(Failure) -> Bool {
        while true {
            Diagnostics.write("[f]orward, [d]rop, [e]dit, [a]ll? ")
            guard let line = readLine() else { return false }
            switch line.lowercased().first {
            case "f": return try decide(id, ["action": "forward"])
            case "d": return try decide(id, ["action": "drop"])
            case "e":
                guard let edited = try HexEditor.edit(bytes) else { continue }
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
