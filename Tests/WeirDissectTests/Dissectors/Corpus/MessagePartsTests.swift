import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("Messages of the corpus from parts of its chunks", .tags(.slow), .timeLimit(.minutes(10)))
struct MessagePartsTests {
    @Test("Are those of the whole chunks", .needsCorpus)
    func parts() throws {
        var messages = 0
        for name in try Corpus.files() {
            let file = try Corpus.read(name)
            var reader = CaptureReader()
            var flows = CaptureFlows()
            var readers: [Int: PartsPair] = [:]
            while let item = try? reader.next(in: file.span.bytes) {
                guard case .packet(let packet) = item else { continue }
                let bytes = file.span.bytes.extracting(packet.range)
                flows.add(packet, bytes)
                guard let place = flows.tcp else { continue }
                let tuple = flows.table[place.index].tuple
                flows.withPayload(.tcp, of: bytes) { payload in
                    guard payload.byteCount > 0 else { return }
                    let ports = (tuple.source.port, tuple.destination.port)
                    readers[place.index, default: PartsPair(clientPort: ports.0, serverPort: ports.1)]
                        .add(payload, place.direction)
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
