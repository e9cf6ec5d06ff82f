import Support
import Testing
import WeirWire

@Suite("Geneve header")
struct GeneveHeaderTests {
    @Test("Parses a real header")
    func parses() throws {
        let header = try GeneveHeader.read(hex("0000 6558 00109200"))
        #expect(header.type == .ethernet && header.network == 0x1092 && header.size == 8)
    }

    @Test("Counts the options, and refuses a header that they do not fit in")
    func options() throws {
        let bytes = hex("0280 0800 00000100") + [UInt8](repeating: 7, count: 8)
        let header = try GeneveHeader(bytes)
        #expect(header.optionsLength == 8 && header.size == 16 && header.flags == 0x80)
        #expect(GeneveHeader.error(Array(bytes.dropLast())) == .truncated(needed: 16, available: 15, at: 0))
        #expect(header.bytes == Array(bytes.prefix(8)))
        #expect(GeneveHeader.error(hex("4000 0800 00000100")) == .malformed(.geneveVersion, at: 0))
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<200 {
            let length = Int.random(in: -5...300, using: &generator)
            let (flags, type) = (generator.byte(), generator.type())
            let header = GeneveHeader(optionsLength: length, flags: flags, type: type, network: generator.word())
            #expect(try GeneveHeader(header.bytes + generator.bytes(252)) == header)
        }
    }
}
