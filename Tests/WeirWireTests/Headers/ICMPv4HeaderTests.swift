import Support
import Testing
import WeirWire

@Suite("ICMPv4 header")
struct ICMPv4HeaderTests {
    @Test("Parses a real header")
    func parses() throws {
        let header = try ICMPv4Header.read(hex("03 03 03bb 00000000"))
        #expect(header.type == 3 && header.code == 3 && header.checksum == 0x03bb && header.rest == 0)
        #expect(header.quotesPacket)
    }

    @Test("Knows which messages quote a packet")
    func quotes() {
        let types = (0...255).filter { ICMPv4Header(type: UInt8($0), code: 0).quotesPacket }
        #expect(types == [3, 4, 5, 11, 12])
    }

    @Test("Sets and checks the checksum")
    func checksum() {
        var generator = SeededGenerator(seed: 34)
        for count in 0..<40 {
            let payload = generator.bytes(count)
            var header = ICMPv4Header(type: 8, code: 0, rest: generator.word())
            header.setChecksum(payload: payload.span.bytes)
            #expect(Checksum.of(header.bytes + payload) == 0)
            let isValid = header.hasValidChecksum(payload: payload.span.bytes)
            header.rest ^= 0x100
            let isStillValid = header.hasValidChecksum(payload: payload.span.bytes)
            #expect(isValid && !isStillValid)
        }
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try ICMPv4Header.expectRoundTrips(seed: 35) {
            var header = ICMPv4Header(type: $0.byte(), code: $0.byte(), rest: $0.word())
            header.checksum = $0.half()
            return header
        }
    }
}
