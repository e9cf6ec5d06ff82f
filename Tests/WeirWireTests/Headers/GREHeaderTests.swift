import Testing
import WeirWire

@Suite("GRE header")
struct GREHeaderTests {
    @Test("Parses headers with and without their optional parts")
    func parses() throws {
        let plain = try GREHeader.read(hex("0000 0800"))
        #expect(plain.type == .ipv4 && plain.size == 4 && plain.version == 0 && plain.key == nil)
        let mirrored = try GREHeader.read(hex("1000 88be 00000704"))
        #expect(mirrored.type == .erspan && mirrored.sequenceNumber == 0x704 && mirrored.size == 8)
        let tunnel = try GREHeader.read(hex("3081 880b 00200005 00000001 00000002"))
        #expect(tunnel.version == 1 && tunnel.type == .ppp && tunnel.key == 0x0020_0005)
        #expect(tunnel.sequenceNumber == 1 && tunnel.acknowledgmentNumber == 2)
        let summed = try GREHeader.read(hex("8000 0800 abcd0000"))
        #expect(summed.checksum == 0xabcd && summed.size == 8)
    }

    @Test("Refuses versions over 1, and the routing of RFC 1701")
    func refuses() {
        #expect(GREHeader.error(hex("0002 0800")) == .malformed(.greVersion, at: 0))
        #expect(GREHeader.error(hex("4000 0800 00000000")) == .malformed(.greRouting, at: 0))
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try GREHeader.expectRoundTrips(seed: 38) {
            var header = GREHeader(type: $0.type(), version: $0.byte() & 1)
            if Bool.random(using: &$0) { header.checksum = $0.half() }
            if Bool.random(using: &$0) { header.key = $0.word() }
            if Bool.random(using: &$0) { header.sequenceNumber = $0.word() }
            if Bool.random(using: &$0) { header.acknowledgmentNumber = $0.word() }
            return header
        }
    }
}
