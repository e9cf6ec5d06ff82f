import Testing
import WeirWire

@Suite("WCCP header")
struct WCCPHeaderTests {
    @Test("Parses a real header")
    func parses() throws {
        let header = try WCCPHeader.read(hex("05590048"))
        #expect(header.flags == 5 && header.service == 89 && header.alternativeBucket == 0 && header.bucket == 72)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try WCCPHeader.expectRoundTrips(seed: 47) {
            WCCPHeader(flags: $0.byte(), service: $0.byte(), alternativeBucket: $0.byte(), bucket: $0.byte())
        }
    }
}
