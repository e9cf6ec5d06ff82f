import Testing
import WeirWire

@Suite("Packet flags")
struct PacketOptionsTests {
    @Test(
        "Each flag has its bits",
        arguments: [
            (0, 0, 0, 0, 0), (1, 1, 0, 0, 0), (2, 2, 0, 0, 0), (3, 3, 0, 0, 0), (1 << 2, 0, 1, 0, 0),
            (7 << 2, 0, 7, 0, 0), (1 << 5, 0, 0, 1, 0),
            (8 << 5, 0, 0, 8, 0), (15 << 5, 0, 0, 15, 0), (1 << 9, 0, 0, 0, 0), (1 << 16, 0, 0, 0, 1),
            (UInt32.max, 3, 7, 15, 65_535),
        ] as [(UInt32, UInt32, UInt32, UInt32, UInt32)]
    )
    func flags(bits: UInt32, direction: UInt32, reception: UInt32, check: UInt32, errors: UInt32) {
        let flags = PacketFlags(rawValue: bits)
        #expect(flags.direction == direction && flags.reception == reception)
        #expect(flags.frameCheckLength == check && flags.linkErrors == errors)
    }

    @Test("Each name has its bit")
    func names() {
        let named: [PacketFlags] = [.inbound, .outbound, .checksumNotReady, .checksumValid, .segmented]
        #expect(named.map(\.rawValue) == [1, 2, 0x200, 0x400, 0x800])
    }
}
