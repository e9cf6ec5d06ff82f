import Support
import Testing
import WeirDissect
import WeirWire

@Suite("Messages of the corpus", .tags(.slow), .timeLimit(.minutes(10)))
struct MessageCorpusTests {
    private static let fields = Tshark.messageFields

    /// Counts values of fields: those of complete messages, and those of all.
    private struct Values {
        var complete: [[String: Int]] = Array(repeating: [:], count: fields.count)
        var all: [[String: Int]] = Array(repeating: [:], count: fields.count)

        mutating func add(_ message: Message) {
            // tshark shows a request of HTTP/0.9 only where more comes behind it.
            let fields = message.fields.map { "\($0.name.name)" }
            let isSimple = fields.contains("http.request.method") && !fields.contains("http.request.version")
            for field in message.fields {
                guard let index = MessageCorpusTests.fields.firstIndex(of: "\(field.name.name)") else { continue }
                let text =
                    switch field.value {
                    case .text(let text): MessageCorpusTests.plain(text)
                    case .number(let number): "\(number)"
                    case .address(let address): "\(address)"
                    }
                all[index][text, default: 0] += 1
                if message.isComplete, !isSimple { complete[index][text, default: 0] += 1 }
            }
        }
    }

    private static func values(in file: [UInt8]) throws -> Values {
        var reader = CaptureReader()
        var flows = CaptureFlows()
        var dissector = CaptureDissector()
        var values = Values()
        while let item = try? reader.next(in: file.span.bytes) {
            guard case .packet(let packet) = item else { continue }
            let bytes = file.span.bytes.extracting(packet.range)
            flows.add(packet, bytes)
            dissector.add(packet, bytes, in: flows) { _, message in values.add(message) }
        }
        dissector.finish { _, message in values.add(message) }
        return values
    }

    /// Leaves out what tshark escapes and what Weir cuts, and gives the root of DNS one name.
    private static func plain(_ text: String) -> String {
        if text == "<Root>" { return "." }
        let text = text.replacing(/\\[0-7]{3}/, with: "")
        return String(text.unicodeScalars.prefix(200).filter { $0.value > 0x20 && $0.value < 0x7f && $0 != "\\" })
    }

    @Test("Are those of tshark, each difference with its reason", .needsCorpus, .needsProgram("tshark"))
    func tshark() throws {
        let names = try Corpus.files()
        let captures = try names.map { (name: $0, bytes: try Corpus.read($0)) }
        let said = try Tshark.corpus()
        var compared = 0
        for (name, bytes) in captures {
            let ours = try Self.values(in: bytes)
            var differences: [String] = []
            for (index, field) in Self.fields.enumerated() {
                var theirs: [String: Int] = [:]
                for text in said[name]?.messages[index] ?? [] where !text.hasPrefix("<") || text == "<Root>" {
                    theirs[Self.number(text) ?? Self.plain(text), default: 0] += 1
                }
                compared += theirs.values.reduce(0, +)
                for (text, count) in theirs where (ours.all[index][text] ?? 0) < count {
                    differences.append("\(field): \(count) x \(text) in tshark, \(ours.all[index][text] ?? 0)")
                }
                for (text, count) in ours.complete[index] where (theirs[text] ?? 0) < count {
                    differences.append("\(field): \(theirs[text] ?? 0) x \(text) in tshark, \(count)")
                }
            }
            if let reason = Corpus.otherMessages[name] {
                #expect(!differences.isEmpty, "\(name) is no exception: \(reason.rawValue)")
            } else if !differences.isEmpty {
                Issue.record("\(name): \(differences.sorted().prefix(4))")
            }
        }
        #expect(Set(Corpus.otherMessages.keys).isSubset(of: names))
        #expect(Corpus.otherMessages.count * 50 <= names.count)
        #expect(compared > 1500)
    }

    /// Reads what tshark writes in hex.
    private static func number(_ text: String) -> String? {
        text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16).map(String.init) : nil
    }
}
