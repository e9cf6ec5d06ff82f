import WeirWire

@testable import WeirDissect

/// Feeds a flow's dissector, and writes down what it says: `up 0..<14 redis: PING`, with what is special behind it.
struct DissectionDialogue {
    private var dissector: FlowDissector
    private(set) var said: [String] = []
    private(set) var messages: [Message] = []
    private var time: Int64 = 0

    init(_ transport: Transport = .tcp, port: UInt16 = 4000, wantsFields: Bool = true) {
        dissector = FlowDissector(transport, clientPort: 50000, serverPort: port, wantsFields: wantsFields)
    }

    var name: String? { dissector.name.map { "\($0)" } }
    var findings: [Finding: String] { dissector.findings }
    var hasGivenUp: Bool { dissector.hasGivenUp }

    /// Sends a text from the client, one millisecond after what came before.
    mutating func up(_ text: String) { add(Array(text.utf8), .upstream) }

    mutating func down(_ text: String) { add(Array(text.utf8), .downstream) }

    mutating func add(_ bytes: [UInt8], _ direction: Direction) {
        time += 1_000_000
        var (said, messages) = (said, messages)
        dissector.add(bytes.span.bytes, direction, at: time) { Self.note($0, &said, &messages) }
        (self.said, self.messages) = (said, messages)
    }

    /// Sends bytes in pieces of a size, all at the same time.
    mutating func add(_ bytes: [UInt8], _ direction: Direction, inPiecesOf size: Int) {
        time += 1_000_000
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = Array(bytes[start..<min(start + size, bytes.count)])
            time -= 1_000_000
            add(piece, direction)
        }
    }

    mutating func gap(_ count: Int, _ direction: Direction) {
        var (said, messages) = (said, messages)
        dissector.skip(count, direction) { Self.note($0, &said, &messages) }
        (self.said, self.messages) = (said, messages)
    }

    /// Ends a direction.
    mutating func end(_ direction: Direction) {
        var (said, messages) = (said, messages)
        dissector.finish(direction) { Self.note($0, &said, &messages) }
        (self.said, self.messages) = (said, messages)
    }

    mutating func finish() {
        var (said, messages) = (said, messages)
        dissector.finish { Self.note($0, &said, &messages) }
        (self.said, self.messages) = (said, messages)
    }

    /// Returns what was said since the last time.
    mutating func take() -> [String] {
        defer { said = [] }
        return said
    }

    private static func note(
        _ message: Message,
        _ said: inout [String],
        _ messages: inout [Message]
    ) {
        let message = copy message
        messages.append(message)
        var text = "\(message.direction.label) \(message.range) \(message.name): \(message.summary.string)"
        if !message.isComplete { text += " (incomplete)" }
        if let answer = message.answer {
            text += " (answers \(answer.request)"
            if let delay = answer.delay { text += " after \(delay / 1_000_000) ms" }
            text += ")"
        }
        said.append(text)
    }
}

extension Message {
    /// Writes the fields as `name range value`.
    var fieldLines: [String] {
        fields.map { field in
            switch field.value {
            case .text(let text): "\(field.name.name) \(field.range) \(text)\(field.isCut ? " (cut)" : "")"
            case .number(let number): "\(field.name.name) \(field.range) \(number)"
            case .address(let address): "\(field.name.name) \(field.range) \(address)"
            }
        }
    }

    /// Gives the values of a field.
    func values(_ name: String) -> [String] {
        fields.filter { "\($0.name.name)" == name }.map { field in
            switch field.value {
            case .text(let text): text
            case .number(let number): "\(number)"
            case .address(let address): "\(address)"
            }
        }
    }
}
