import Glibc
import WeirFlow
import WeirRelay
import WeirWire

/// Asks about one chunk after the other.
struct HoldPrompt: Sendable {
    /// The bytes of a chunk that are shown.
    private static let shown = 4096
    /// How often it is looked whether a chunk that is asked about is still held, in milliseconds.
    private static let glance = 1000

    let client: AdminClient
    let proxy: String
    /// The names of the toxics by their streams; the process's number is in them, so that several prompts can hold at once.
    private let toxics: [(name: String, stream: String)]

    /// Makes a prompt.
    ///
    /// - Parameters:
    ///   - client: how the relay is spoken to.
    ///   - proxy: the proxy's name.
    ///   - streams: `upstream`, `downstream` or both.
    init(client: AdminClient, proxy: String, streams: [String]) {
        self.client = client
        self.proxy = proxy
        let name = "hold-\(getpid())"
        toxics = streams.map { (streams.count == 1 ? name : "\(name)_\($0)", $0) }
    }

    private var path: String { "/proxies/\(PercentText.encode(proxy))/toxics" }

    private func path(of toxic: String) -> String { "\(path)/\(PercentText.encode(toxic))" }

    /// Puts the hold on the proxy.
    func begin(timeout: Duration, contains: String) throws(Failure) {
        for (name, stream) in toxics {
            let attributes: JSONValue = [
                "timeout": .int(timeout.inNanoseconds / 1_000_000), "contains": .string(contains),
            ]
            let body: JSONValue = [
                "name": .string(name), "type": "hold", "stream": .string(stream), "attributes": attributes,
            ]
            do throws(Failure) {
                _ = try client.call("POST", path, body)
            } catch {
                if name != toxics.first?.name { end() }
                throw error
            }
        }
        let streams = toxics.map(\.stream).joined(separator: " and ")
        let keys = "f forwards, d drops, e edits, a forwards all and ends"
        Diagnostics.write("holding \(SafeText.escaped(proxy)) \(streams); \(keys)\n")
    }

    /// Takes the hold away: what is held goes on.
    func end() { for toxic in toxics { try? client.perform("DELETE", path(of: toxic.name)) } }

    /// Asks until all are to go on, or the input has ended.
    func run(_ input: inout PromptInput) throws(Failure) {
        let names = toxics.map { "&toxic=\(PercentText.encode($0.name))" }.joined()
        let query = "/v1/holds?proxy=\(PercentText.encode(proxy))\(names)&limit=1&wait=1"
        while !input.isOver() {
            guard let chunks = try client.call("GET", query)["holds"]?.arrayValue else {
                throw client.strange("has no list of holds")
            }
            guard let first = chunks.first else {
                try checkHold()
                continue
            }
            guard let chunk = HeldItem(first) else { throw client.strange("has a hold that is none") }
            show(chunk)
            guard try ask(chunk, &input) else { return }
        }
    }

    /// Fails if somebody else has taken the hold away: then nothing more is to come.
    private func checkHold() throws(Failure) {
        for toxic in toxics { _ = try client.call("GET", path(of: toxic.name)) }
    }

    private func show(_ chunk: HeldItem) {
        let way = chunk.isUpstream ? "up  " : "down"
        let dump = HexText.dump(Array(chunk.bytes.prefix(Self.shown)))
        Diagnostics.write("#\(chunk.flow) \(way)  (\(chunk.bytes.count) bytes) held\n\(dump)")
        let more = chunk.bytes.count - Self.shown
        if more > 0 { Diagnostics.write("(\(more) bytes more; e shows all)\n") }
    }

    /// Asks until there is a decision, or the relay has decided.
    ///
    /// - Returns: false if nothing more is to be asked.
    private func ask(_ chunk: HeldItem, _ input: inout PromptInput) throws(Failure) -> Bool {
        Diagnostics.write(Self.question)
        while true {
            switch input.line(within: chunk.glance(atMost: Self.glance)) {
            case .end: return false
            case .nothing:
                guard try !client.reaches("GET", chunk.path) else { continue }
                // The question stands without its answer.
                Diagnostics.write("\n")
                try explain(chunk)
                input.forget()
                return true
            case .line(let line):
                if let goesOn = try take(line, chunk) { return goesOn }
                Diagnostics.write(Self.question)
            }
        }
    }

    private static let question = "[f]orward, [d]rop, [e]dit, [a]ll? "

    /// Does what a line says.
    ///
    /// - Returns: whether more is to be asked; nil if the same has to be asked again.
    private func take(_ line: String, _ chunk: HeldItem) throws(Failure) -> Bool? {
        switch line.lowercased().first {
        case "f": return try decide(chunk, ["action": "forward"])
        case "d": return try decide(chunk, ["action": "drop"])
        case "e":
            guard let edited = try HexEditor.edit(chunk.bytes) else {
                try checkHold()
                return nil
            }
            return try decide(chunk, ["action": "edit", "bytes": .string(Base64.encode(edited))])
        case "a": return false
        default:
            Diagnostics.write("f, d, e or a\n")
            return nil
        }
    }

    private func decide(_ chunk: HeldItem, _ body: JSONValue) throws(Failure) -> Bool {
        if try !client.reaches("POST", chunk.path, body) { try explain(chunk) }
        return true
    }

    /// Says what has become of a chunk that is not held any more.
    private func explain(_ chunk: HeldItem) throws(Failure) {
        // The relay's clock has begun before the answer that told of it was here.
        if chunk.left <= 250 {
            Diagnostics.write("the chunk was forwarded after \(chunk.timeout) without an answer\n")
        } else if try !client.reaches("GET", "/v1/flows/\(chunk.flow)") {
            Diagnostics.write("the chunk is gone: its flow has ended\n")
        } else {
            Diagnostics.write("the chunk is not held any more: somebody else has decided about it\n")
        }
    }
}

/// A chunk that the relay holds, as the API describes it.
private struct HeldItem {
    let flow: Int
    let isUpstream: Bool
    let bytes: [UInt8]
    /// The chunk's place in the API.
    let path: String
    /// The time that it was to be held for in all, in words: `30 s`.
    let timeout: String
    private let until: Instant

    /// Reads a description; nil if it is none.
    init?(_ value: JSONValue) {
        guard let id = value["id"]?.stringValue, let bytes = value["bytes"]?.stringValue.flatMap(Base64.decode),
            let held = value["held_ns"]?.intValue, let left = value["left_ns"]?.intValue, held >= 0, left >= 0
        else { return nil }
        flow = value["flow"]?.intValue ?? 0
        isUpstream = value["direction"]?.stringValue == "upstream"
        self.bytes = bytes
        path = "/v1/holds/\(PercentText.encode(id))"
        let (sum, isTooLarge) = held.addingReportingOverflow(left)
        let milliseconds = isTooLarge ? .max : sum / 1_000_000
        timeout = milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
        until = SystemClock.instant().advanced(by: .nanoseconds(left))
    }

    /// The milliseconds that are left of its time, not above 0 after that.
    var left: Int { Int(clamping: SystemClock.instant().duration(to: until).inNanoseconds / 1_000_000) }

    /// Returns how long to wait until the chunk is looked for again, in milliseconds.
    func glance(atMost longest: Int) -> Int { min(longest, max(left, 50)) }
}
