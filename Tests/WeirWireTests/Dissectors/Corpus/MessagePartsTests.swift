import Support
import Testing

@testable import WeirWire

@Suite("Messages of the corpus from parts of its chunks", .tags(.slow), .timeLimit(.minutes(10)))
struct MessagePartsTests {
    private struct Readers {
        var finder: FlowDissector
        var whole: FlowDissector
        var inParts: FlowDissector
        var said: (whole: [String], inParts: [String]) = ([], [])

        init(_ tuple: FiveTuple) {
            finder = FlowDissector(.tcp, clientPort: tuple.source.port, serverPort: tuple.destination.port)
            (whole, inParts) = (finder, finder)
        }

        mutating func add(_ payload: RawSpan, _ direction: Direction) {
            let (parts, _) = finder.parts(of: payload, direction)
            let kept = parts.flatMap { part in payload.extracting(part).withUnsafeBytes { Array($0) } }
            var said = said
            whole.add(payload, direction, at: 1) { said.whole.append(Self.line($0)) }
            inParts.add(kept.span.bytes, parts: parts, of: payload.byteCount, direction, at: 1) {
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

        private static func line(_ message: DissectedMessage) -> String {
            "\(message.direction) \(message.range) \(message.summary.string) \(message.isComplete) \(message.fields.count)"
        }
    }

    @Test("Are those of the whole chunks", .needsCorpus)
    func parts() throws {
        var messages = 0
        for name in try Corpus.files() {
            let file = try Corpus.read(name)
            var reader = CaptureReader()
            var flows = CaptureFlows()
            var readers: [Int: Readers] = [:]
            while let item = try? reader.next(in: file.span.bytes) {
                guard case .packet(let packet) = item else { continue }
                let bytes = file.span.bytes.extracting(packet.range)
                flows.add(packet, bytes)
                guard let place = flows.tcp else { continue }
                let tuple = flows.table[place.index].tuple
                flows.withPayload(.tcp, of: bytes) { payload in
                    guard payload.byteCount > 0 else { return }
                    readers[place.index, default: Readers(tuple)].add(payload, place.direction)
                }
            }
            for flow in readers.keys.sorted() {
                readers[flow]?.finish()
                guard let said = readers[flow]?.said else { continue }
                #expect(said.whole == said.inParts, "\(name) \(flow)")
                messages += said.whole.count
            }
        }
        #expect(messages > 3000)
    }
}
