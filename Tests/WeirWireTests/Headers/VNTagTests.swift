import Testing
import WeirWire

@Suite("VN-Tag")
struct VNTagTests {
    @Test("Parses a real tag, and tells source from destination")
    func parses() throws {
        let tag = try VNTag.read(hex("00000033 8100"))
        #expect(tag.source == 0x33 && tag.destination == 0 && tag.type == .vlan)
        let other = try VNTag.read(hex("ffff0123 0800"))
        #expect(other.source == 0x123 && other.destination == 0x3fff)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try VNTag.expectRoundTrips(seed: 22) { VNTag(control: $0.word(), type: $0.type()) }
    }
}
