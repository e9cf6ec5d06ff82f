import Testing
import WeirWire

@Suite("BSD loopback header")
struct LoopbackHeaderTests {
    @Test(
        "Finds out the byte order, and the version of IP",
        arguments: [
            ("02000000", 2, ByteOrder.little, IPAddress.Family.v4), ("00000002", 2, .big, .v4),
            ("1e000000", 30, .little, .v6), ("0000001e", 30, .big, .v6), ("1c000000", 28, .little, .v6),
            ("00000018", 24, .big, .v6), ("0a000000", 10, .little, .v6), ("00000017", 23, .big, .v6),
            ("00000007", 7, .big, nil), ("07000000", 7, .little, nil), ("00000000", 0, .big, nil),
        ] as [(String, UInt32, ByteOrder, IPAddress.Family?)]
    )
    func parses(text: String, family: UInt32, order: ByteOrder, version: IPAddress.Family?) throws {
        let header = try LoopbackHeader.read(hex(text))
        #expect(header.family == family && header.byteOrder == order && header.version == version)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try LoopbackHeader.expectRoundTrips(seed: 26) {
            LoopbackHeader(family: UInt32($0.byte()) + 1, byteOrder: Bool.random(using: &$0) ? .big : .little)
        }
    }
}
