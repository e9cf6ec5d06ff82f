import Testing
import WeirWire

@Suite("MPLS label")
struct MPLSLabelTests {
    @Test("Parses a real entry, and one with every part set")
    func parses() throws {
        let label = try MPLSLabel.read(hex("0001ddff"))
        #expect(label.label == 29 && label.trafficClass == 6 && label.isBottom && label.timeToLive == 255)
        let other = try MPLSLabel.read(hex("ffffe601"))
        #expect(other.label == 0xffffe && other.trafficClass == 3 && !other.isBottom && other.timeToLive == 1)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try MPLSLabel.expectRoundTrips(seed: 31) {
            MPLSLabel(
                label: $0.word(),
                trafficClass: $0.byte(),
                isBottom: .random(using: &$0),
                timeToLive: $0.byte()
            )
        }
    }
}
