import WeirWire

/// The members of one line of `--log`, as they are written, without copies.
struct LogLine {
    /// The texts of the members that are read, by their keys; those of strings without the quotes.
    private var values: [UnsafeRawBufferPointer?] = Array(repeating: nil, count: LogKey.allCases.count)

    /// Reads a line; nil if it is no JSON object, or has no event.
    init?(_ line: UnsafeRawBufferPointer) {
        guard var cursor = JSONCursor(line), cursor.take(UInt8(ascii: "{")) else { return nil }
        while let key = cursor.string() {
            guard cursor.take(UInt8(ascii: ":")), let value = cursor.value() else { return nil }
            if let key = LogKey(key) { values[key.rawValue] = value }
            guard cursor.take(UInt8(ascii: ",")) else { break }
        }
        guard cursor.take(UInt8(ascii: "}")), self[.event] != nil else { return nil }
    }

    /// The text of a member; nil if the line has no such member.
    subscript(key: LogKey) -> UnsafeRawBufferPointer? { values[key.rawValue] }

    func number(_ key: LogKey) -> UInt64? {
        guard let text = self[key], !text.isEmpty, text.count < 20 else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard byte &- 0x30 <= 9 else { return nil }
            value = value &* 10 &+ UInt64(byte & 0xf)
        }
        return value
    }

    func integer(_ key: LogKey) -> Int? { number(key).flatMap { Int(exactly: $0) } }

    func duration(_ key: LogKey) -> Duration? {
        number(key).map { .nanoseconds(Int64(clamping: $0)) }
    }

    func endpoint(_ key: LogKey) -> Endpoint? {
        self[key].flatMap { text in text.withMemoryRebound(to: UInt8.self) { Endpoint(utf8: $0.span) } }
    }

    func direction() -> Direction? {
        guard let text = self[.direction] else { return nil }
        if text.elementsEqual("upstream".utf8) { return .upstream }
        return text.elementsEqual("downstream".utf8) ? .downstream : nil
    }

    func isTrue(_ key: LogKey) -> Bool { self[key]?.elementsEqual("true".utf8) ?? false }

    /// The text of a string, with its escapes replaced.
    func string(_ key: LogKey) -> String? {
        guard let text = self[key] else { return nil }
        guard text.contains(UInt8(ascii: "\\")) else { return String(decoding: text, as: UTF8.self) }
        let quote = [UInt8(ascii: "\"")]
        return (try? JSONParser.parse(quote + text + quote))?.stringValue
    }
}

/// The keys that are read of a line.
enum LogKey: Int, CaseIterable {
    case time, flow, event, transport, client, listener, egress, server
    case process, direction, offset, length, bytes, to, from
    case dialNanoseconds, heldNanoseconds, delayNanoseconds, durationNanoseconds
    case error, reason, datagrams, toxic, toxics, type, effect, acts, chunks
    case `protocol`, complete, summary, answers, request, method, path, status, host, sni
    case bytesUp, bytesDown, chunksUp, chunksDown, droppedUp, droppedDown

    private static let names: [StaticString] = [
        "time", "flow", "event", "transport", "client", "listener", "egress", "server",
        "process", "direction", "offset", "length", "bytes", "to", "from",
        "dial_ns", "held_ns", "delay_ns", "duration_ns",
        "error", "reason", "datagrams", "toxic", "toxics", "type", "effect", "acts", "chunks",
        "protocol", "complete", "summary", "answers", "request", "method", "path", "status", "host", "sni",
        "bytes_up", "bytes_down", "chunks_up", "chunks_down", "dropped_up", "dropped_down",
    ]

    /// Looks up a key; nil for one that is not read.
    init?(_ text: UnsafeRawBufferPointer) {
        guard text.count < Self.byLength.count else { return nil }
        for key in Self.byLength[text.count] {
            guard Self.names[key.rawValue].withUTF8Buffer({ $0.elementsEqual(text) }) else { continue }
            self = key
            return
        }
        return nil
    }

    /// The keys with names of each length: there are few, and lines have many keys.
    private static let byLength: [[LogKey]] = (0...16).map { length in
        allCases.filter { names[$0.rawValue].utf8CodeUnitCount == length }
    }
}
