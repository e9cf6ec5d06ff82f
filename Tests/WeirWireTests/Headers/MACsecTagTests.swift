import Testing
import WeirWire

@Suite("MACsec tag")
struct MACsecTagTests {
    @Test("Parses a real tag with a channel, and one without")
    func parses() throws {
        let tag = try MACsecTag.read(hex("2022 00000042 caf9df4f509a0064"))
        #expect(tag.shortLength == 0x22 && tag.packetNumber == 0x42 && tag.channel == 0xcaf9_df4f_509a_0064)
        #expect(tag.size == 14 && tag.isClear)
        #expect(try MACsecTag.read(hex("0000 00000001")).size == 6)
    }

    @Test("Is not clear where it is encrypted or changed", arguments: [0x08, 0x04, 0x0c, 0x2c] as [UInt8])
    func clear(control: UInt8) {
        #expect(!MACsecTag(control: control, packetNumber: 1).isClear)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try MACsecTag.expectRoundTrips(seed: 23) {
            MACsecTag(control: $0.byte(), shortLength: $0.byte(), packetNumber: $0.word(), channel: $0.next())
        }
    }
}
