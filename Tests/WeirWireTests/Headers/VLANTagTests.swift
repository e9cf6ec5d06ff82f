import Testing
import WeirWire

@Suite("VLAN tag")
struct VLANTagTests {
    @Test("Parses a real tag, and one with every part set")
    func parses() throws {
        let tag = try VLANTag.read(hex("b000 0800"))
        #expect(tag.priority == 5 && tag.isDropEligible && tag.identifier == 0 && tag.type == .ipv4)
        let other = try VLANTag.read(hex("4fff 88a8"))
        #expect(other.priority == 2 && !other.isDropEligible && other.identifier == 0xfff && other.type == .serviceVLAN)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try VLANTag.expectRoundTrips(seed: 20) {
            VLANTag(priority: $0.byte(), isDropEligible: .random(using: &$0), identifier: $0.half(), type: $0.type())
        }
    }
}
