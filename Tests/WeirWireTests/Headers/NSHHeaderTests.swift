import Support
import Testing
import WeirWire

@Suite("NSH header")
struct NSHHeaderTests {
    static let real = hex("0006 0101 00030907 00000001 00000002 00000003 00000004")

    @Test("Parses a real header")
    func parses() throws {
        let header = try NSHHeader(Self.real)
        #expect(header.size == 24 && header.metadataType == 1 && header.nextProtocol == 1)
        #expect(header.pathAndIndex == 0x0003_0907 && header.flagsAndTimeToLive == 0)
        #expect(header.bytes == Array(Self.real.prefix(8)))
        NSHHeader.expectTruncation(of: Self.real)
    }

    @Test("Refuses other versions, and a length that its own 8 bytes do not fit in")
    func refuses() {
        #expect(NSHHeader.error(hex("4006 0101 00030907")) == .malformed(.nshVersion, at: 0))
        #expect(NSHHeader.error(hex("0001 0101 00030907")) == .malformed(.nshLength, at: 0))
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 44)
        for _ in 0..<200 {
            let header = NSHHeader(
                size: Int.random(in: -9...300, using: &generator),
                flagsAndTimeToLive: generator.byte(),
                metadataType: generator.byte(),
                nextProtocol: generator.byte(),
                pathAndIndex: generator.word()
            )
            #expect(try NSHHeader(header.bytes + generator.bytes(252)) == header)
        }
    }
}
