import Testing
import WeirWire

@Suite("PPP and PPP over Ethernet")
struct PPPHeaderTests {
    @Test("Parses a real header of PPP over Ethernet")
    func session() throws {
        let header = try PPPoEHeader.read(hex("11 00 0f07 0042"))
        #expect(header.code == 0 && header.session == 0x0f07 && header.length == 0x42)
        #expect(PPPoEHeader.error(hex("12 00 0f07 0042")) == .malformed(.pppoeVersion, at: 0))
    }

    @Test("Parses a protocol number of one byte or two, with address and control or without")
    func numbers() throws {
        let long = try PPPHeader.read(hex("0021"))
        #expect(long.protocol == PPPHeader.ipv4 && !long.hasAddress && !long.isCompressed)
        let short = try PPPHeader.read(hex("57"))
        #expect(short.protocol == PPPHeader.ipv6 && short.isCompressed && short.size == 1)
        let whole = try PPPHeader.read(hex("ff03 c021"))
        #expect(whole.protocol == 0xc021 && whole.hasAddress && whole.size == 4)
        let mixed = try PPPHeader(hex("ff03 21 45"))
        #expect(mixed.protocol == PPPHeader.ipv4 && mixed.size == 3)
    }

    @Test("Refuses a header that is cut behind address and control")
    func cut() {
        #expect(PPPHeader.error([]) == .truncated(needed: 1, available: 0, at: 0))
        #expect(PPPHeader.error([0xff, 0x03]) == .truncated(needed: 3, available: 2, at: 0))
        #expect(PPPHeader.error([0xff, 0x03, 0xc0]) == .truncated(needed: 4, available: 3, at: 0))
        #expect(PPPHeader.error([0x00]) == .truncated(needed: 2, available: 1, at: 0))
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try PPPoEHeader.expectRoundTrips(seed: 29) {
            PPPoEHeader(code: $0.byte(), session: $0.half(), length: $0.half())
        }
        try PPPHeader.expectRoundTrips(seed: 30) {
            // A number's first byte is even and its last one odd; 0xff is none.
            let number = UInt16($0.byte() & 0xfe) << 8 | UInt16($0.byte() | 1)
            return PPPHeader(
                protocol: Bool.random(using: &$0) ? number : number & 0x7f,
                hasAddress: .random(using: &$0),
                isCompressed: .random(using: &$0)
            )
        }
    }
}
