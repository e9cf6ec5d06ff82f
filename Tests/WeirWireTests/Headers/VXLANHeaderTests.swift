import Testing
import WeirWire

@Suite("VXLAN header")
struct VXLANHeaderTests {
    @Test("Parses a real header, and the generic extension's")
    func parses() throws {
        let header = try VXLANHeader.read(hex("08000000 00006400"))
        #expect(header.hasNetwork && header.network == 100 && header.nextProtocol == nil)
        let other = try VXLANHeader.read(hex("0c000004 00000100"))
        #expect(other.hasNetwork && other.network == 1 && other.nextProtocol == 4)
        #expect(!VXLANHeader(flags: 0, network: 1).hasNetwork)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try VXLANHeader.expectRoundTrips(seed: 41) {
            VXLANHeader(flags: $0.byte(), policy: $0.word(), network: $0.word())
        }
    }
}
