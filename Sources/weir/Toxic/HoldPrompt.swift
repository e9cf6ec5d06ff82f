import Glibc
import WeirRelay
import WeirWire

/// A prompt that asks about one held chunk after another.
struct HoldPrompt: Sendable {
    /// The maximum number of bytes that are shown of a chunk.
    private static let shown = 4096
    /// The interval at which to check whether the chunk in question is still held, in milliseconds.
    private static let glance = 1000

    let client: AdminClient
    let proxy: String
    /// The toxics' names, with their streams; the names contain the process's number, so that several prompts can hold
    /// at once.
    private let toxics: [(name: String, stream: String)]

    /// Makes a prompt.
    ///
    /// - Parameters:
    ///   - client: the client of the relay's control API.
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

    /// Adds the hold toxics to the proxy.
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

    /// Removes the hold toxics, which forwards everything held.
    func end() { for toxic in toxics { try? client.perform("DELETE", path(of: toxic.name)) } }

    /// Asks until the user forwards all, or the input has ended.
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

    /// Throws if the hold was removed by another client: then no more chunks will be held.
    private func checkHold() throws(Failure) {
        for toxic in toxics { _ = try client.call("GET", path(of: toxic.name)) }
    }

    private func show(_ chunk: HeldItem) {
        let way = chunk.isUpstream ? "up  " : "down"
        let dump = HexText.dump(Array(chunk.bytes.prefix(Self.shown)))
        Diagnostics.write("#\(chunk.flow) \(way)  \(Self.bytes(chunk.bytes.count)) held\n\(dump)")
        let more = chunk.bytes.count - Self.shown
        if more > 0 { Diagnostics.write("\(Self.bytes(more)) more; e shows all\n") }
    }

    private static func bytes(_ count: Int) -> String { "\(count) byte\(count == 1 ? "" : "s")" }

    /// Asks until the user decides, or the chunk is no longer held.
    ///
    /// - Returns: false if no more questions follow.
    private func ask(_ chunk: HeldItem, _ input: inout PromptInput) throws(Failure) -> Bool {
        Diagnostics.write(Self.question)
        while true {
            switch input.line(within: chunk.glance(atMost: Self.glance)) {
            case .end: return false
            case .nothing:
                guard try !client.reaches("GET", chunk.path) else { continue }
                // End the line of the question that got no answer.
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

    /// Performs the action of a line.
    ///
    /// - Returns: whether more questions follow; nil if the same question must be asked again.
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

    /// Reports why a chunk is no longer held.
    private func explain(_ chunk: HeldItem) throws(Failure) {
        // Allow 250 ms, because the relay's clock started before its answer about the chunk arrived.
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
    /// The chunk's path in the API.
    let path: String
    /// The whole time for which it is held, in words: `30 s`.
    let timeout: String
    private let until: Instant

    /// Reads a description; nil if it is not one.
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

    /// The milliseconds that are left of its time, 0 or less after it.
    var left: Int { Int(clamping: SystemClock.instant().duration(to: until).inNanoseconds / 1_000_000) }

    /// Returns how long to wait until the next check of the chunk, in milliseconds.
    func glance(atMost longest: Int) -> Int { min(longest, max(left, 50)) }
}
