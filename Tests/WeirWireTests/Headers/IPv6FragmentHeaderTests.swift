import Testing
import WeirWire

@Suite("IPv6 fragment header")
struct IPv6FragmentHeaderTests {
    @Test("Parses a fragment in the middle, and one that is all of its packet")
    func parses() throws {
        let header = try IPv6FragmentHeader.read(hex("11 00 0b51 f81385f5"))
        #expect(header.nextHeader == .udp && header.fragmentOffset == 2896 && header.hasMoreFragments)
        #expect(header.identification == 0xf813_85f5 && header.isFragment)
        let whole = try IPv6FragmentHeader.read(hex("06 00 0000 00000000"))
        #expect(whole.nextHeader == .tcp && !whole.isFragment)
        #expect(try IPv6FragmentHeader.read(hex("06 00 fff8 00000001")).fragmentOffset == 65_528)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try IPv6FragmentHeader.expectRoundTrips(seed: 33) {
            IPv6FragmentHeader(
                nextHeader: IPProtocol(rawValue: $0.byte()),
                fragmentUnits: $0.half(),
                hasMoreFragments: .random(using: &$0),
                identification: $0.word()
            )
        }
    }
}
