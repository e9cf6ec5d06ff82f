import Testing
import WeirWire

@Suite("Backbone tag")
struct BackboneTagTests {
    @Test("Parses a real tag")
    func parses() throws {
        let tag = try BackboneTag.read(hex("001ebb44"))
        #expect(tag.control == 0 && tag.service == 0x1ebb44)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try BackboneTag.expectRoundTrips(seed: 21) { BackboneTag(control: $0.byte(), service: $0.word()) }
    }
}
