import Testing
import WeirWire

@Suite("LLC and SNAP")
struct LLCHeaderTests {
    @Test("Parses real headers")
    func parses() throws {
        let header = try LLCHeader.read(hex("aaaa03"))
        #expect(header.destination == LLCHeader.snap && header.source == LLCHeader.snap && header.isUnnumbered)
        let snap = try SNAPHeader.read(hex("000000 0800"))
        #expect(snap.hasEtherType && snap.type == .ipv4)
        let cisco = try SNAPHeader.read(hex("00000c 2000"))
        #expect(cisco.organization == 0x00000c && !cisco.hasEtherType)
        #expect(SNAPHeader(organization: 0xf8, type: .ipv4).hasEtherType)
    }

    @Test("Has a longer control field where the frame has a number")
    func numbered() throws {
        let header = try LLCHeader.read(hex("f0f0 0001"))
        #expect(header.size == 4 && !header.isUnnumbered && header.control == 1)
        #expect(try LLCHeader.read(hex("f0f1 01ff")).control == 0x01ff)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try LLCHeader.expectRoundTrips(seed: 24) {
            // A long control field has not both of the low bits of its first byte set; that byte comes first.
            let control = Bool.random(using: &$0) ? UInt16($0.byte() | 3) : $0.half() & 0xfeff
            return LLCHeader(destination: $0.byte(), source: $0.byte(), control: control)
        }
        try SNAPHeader.expectRoundTrips(seed: 25) { SNAPHeader(organization: $0.word(), type: $0.type()) }
    }
}
