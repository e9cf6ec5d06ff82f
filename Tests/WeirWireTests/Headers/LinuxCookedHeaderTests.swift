import Testing
import WeirWire

@Suite("Linux cooked headers")
struct LinuxCookedHeaderTests {
    @Test("Parses a real header of the first version")
    func parses() throws {
        let header = try LinuxCookedHeader.read(hex("0001 0001 0006 cc2de02619990000 0806"))
        #expect(header.packetType == .broadcast && header.hardwareType == 1 && header.type == .arp)
        #expect(header.addressLength == 6 && header.address == 0xcc2d_e026_1999_0000)
    }

    @Test("Parses a real header of the second version")
    func parsesSecond() throws {
        let header = try LinuxCooked2Header.read(hex("0800 0000 00000001 0304 00 06 0000000000000000"))
        #expect(header.packetType == .toUs && header.hardwareType == 772 && header.type == .ipv4)
        #expect(header.interface == 1 && header.addressLength == 6 && header.address == 0)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try LinuxCookedHeader.expectRoundTrips(seed: 27) {
            LinuxCookedHeader(
                packetType: LinuxPacketType(rawValue: $0.half()),
                hardwareType: $0.half(),
                addressLength: $0.half(),
                address: $0.next(),
                type: $0.type()
            )
        }
        try LinuxCooked2Header.expectRoundTrips(seed: 28) {
            LinuxCooked2Header(
                type: $0.type(),
                interface: $0.word(),
                hardwareType: $0.half(),
                packetType: LinuxPacketType(rawValue: UInt16($0.byte())),
                addressLength: $0.byte(),
                address: $0.next()
            )
        }
    }
}
