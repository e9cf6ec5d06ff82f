import Testing
import WeirWire

@Suite("ERSPAN header")
struct ERSPANHeaderTests {
    @Test("Parses real headers of type II and III")
    func parses() throws {
        let second = try ERSPANHeader.read(hex("1017 0864 00000000"))
        #expect(second.version == .two && second.vlan == 0x17 && second.session == 0x0864 && second.size == 8)
        let third = try ERSPANHeader.read(hex("2014 0000 00001458 00008030"))
        #expect(third.version == .three && third.size == 12 && third.word == 0x1458 && third.flags == 0x8030)
        let long = try ERSPANHeader.read(hex("2014 0000 00001458 00008031 0102030405060708"))
        #expect(long.size == 20 && long.platform == 0x0102_0304_0506_0708)
    }

    @Test("Refuses other versions", arguments: [0, 3, 15] as [UInt8])
    func refuses(version: UInt8) {
        let bytes = [version << 4] + [UInt8](repeating: 0, count: 19)
        #expect(ERSPANHeader.error(bytes) == .malformed(.erspanVersion, at: 0))
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try ERSPANHeader.expectRoundTrips(seed: 39) {
            ERSPANHeader(
                version: Bool.random(using: &$0) ? .two : .three,
                vlan: $0.half(),
                session: $0.half(),
                word: $0.word(),
                flags: $0.word(),
                platform: $0.next()
            )
        }
    }
}
