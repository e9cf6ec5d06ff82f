import WeirWire

@testable import WeirDissect

/// Reads the same chunks twice: whole, and what was looked at of them.
struct PartsPair {
    private var finder: FlowDissector
    private var whole: FlowDissector
    private var inParts: FlowDissector
    private(set) var said: (whole: [String], inParts: [String]) = ([], [])
    private(set) var kept = 0
    private(set) var effort = 0

    init(clientPort: UInt16 = 50_000, serverPort: UInt16 = 80) {
        finder = FlowDissector(.tcp, clientPort: clientPort, serverPort: serverPort)
        (whole, inParts) = (finder, finder)
    }

    mutating func add(_ bytes: RawSpan, _ direction: Direction) {
        let (parts, effort) = finder.parts(of: bytes, direction)
        self.effort += effort
        let keptBytes = parts.flatMap { part in bytes.extracting(part).withUnsafeBytes { Array($0) } }
        kept += keptBytes.count
        var said = said
        whole.add(bytes, direction, at: 1) { said.whole.append(Self.line($0)) }
        inParts.add(keptBytes.span.bytes, parts: parts, of: bytes.byteCount, direction, at: 1) {
            said.inParts.append(Self.line($0))
        }
        self.said = said
    }

    mutating func finish() {
        var said = said
        whole.finish { said.whole.append(Self.line($0)) }
        inParts.finish { said.inParts.append(Self.line($0)) }
        self.said = said
    }

    private static func line(_ message: Message) -> String {
        "\(message.direction) \(message.range) \(message.summary.string) \(message.isComplete) \(message.fieldLines)"
    }
}
