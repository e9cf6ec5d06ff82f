import Testing
import WeirWire

@Suite("PIM header")
struct PIMHeaderTests {
    @Test("Parses a real Register, whose checksum is right")
    func parses() throws {
        let header = try PIMHeader.read(hex("2100 deff 00000000"))
        #expect(header.type == PIMHeader.register && header.carriesPacket && header.hasValidChecksum)
        #expect(!PIMHeader(flags: 0x4000_0000).carriesPacket && !PIMHeader(type: 2).carriesPacket)
        #expect(PIMHeader.error(hex("1100 deff 00000000")) == .malformed(.pimVersion, at: 0))
    }

    @Test("Parses what it emits, and sets a checksum that it finds right")
    func roundTrip() throws {
        try PIMHeader.expectRoundTrips(seed: 40) {
            var header = PIMHeader(type: $0.byte(), flags: $0.word())
            header.setChecksum()
            #expect(header.hasValidChecksum && Checksum.of(header.bytes) == 0)
            return header
        }
    }
}
