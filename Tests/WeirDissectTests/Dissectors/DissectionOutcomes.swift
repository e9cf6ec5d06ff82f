@testable import WeirDissect
@testable import WeirWire

/// Gives what a dissector says of every beginning of some bytes, with equal outcomes joined: `0...11 nothing`.
///
/// A message is its protocol, its text and the number of its fields.
func outcomes(
    of bytes: [UInt8],
    _ direction: Direction = .upstream,
    _ transport: Transport = .tcp,
    port: UInt16 = 4000,
    after earlier: [(bytes: [UInt8], direction: Direction)] = []
) -> [String] {
    var runs: [(first: Int, last: Int, text: String)] = []
    for count in 0...bytes.count {
        var flow = DissectionDialogue(transport, port: port)
        for (bytes, direction) in earlier { flow.add(bytes, direction) }
        let before = flow.messages.count
        flow.add(Array(bytes.prefix(count)), direction)
        flow.finish()
        let messages = flow.messages.dropFirst(before).map { message in
            let end = message.isComplete ? "" : " (incomplete)"
            return "\(message.name): \(message.summary.string)\(end), \(message.fields.count) fields"
        }
        let text = messages.isEmpty ? "nothing" : messages.joined(separator: " | ")
        if let last = runs.last, last.text == text {
            runs[runs.count - 1].last = count
        } else {
            runs.append((count, count, text))
        }
    }
    return runs.map { $0.first == $0.last ? "\($0.first) \($0.text)" : "\($0.first)...\($0.last) \($0.text)" }
}

extension DissectionDialogue {
    /// What was said of each message, each followed by its fields.
    var lines: [String] {
        messages.indices.flatMap { [said[$0]] + messages[$0].fieldLines.map { "  \($0)" } }
    }
}
