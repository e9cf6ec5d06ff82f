import Testing
import WeirWire

@Suite("GTP header")
struct GTPHeaderTests {
    private func payload(_ bytes: [UInt8], at offset: Int = 0) throws -> Int {
        try GTPHeader(bytes, at: offset).payloadOffset(in: bytes.span.bytes, at: offset)
    }

    @Test("Parses real headers, with a sequence number and with an extension")
    func parses() throws {
        let header = try GTPHeader.read(hex("32 ff 003c 760d3bb0 45000000"))
        #expect(header.message == GTPHeader.userData && header.length == 60 && header.tunnel == 0x760d_3bb0)
        #expect(header.flags == 2 && header.size == 12)
        let extended = hex("36 ff 05e4 00100657 000500c0 01090400 45")
        #expect(try GTPHeader(extended).flags == 6)
        #expect(try payload(extended) == 16)
        #expect(try payload([9, 9] + extended, at: 2) == 18)
        #expect(try GTPHeader.read(hex("30 01 0000 00000000")).size == 8)
    }

    @Test("Walks several extensions, and refuses one without a length or one that is cut")
    func extensions() throws {
        let start = hex("34 ff 0000 00000000 000000c0")
        #expect(try payload(start + hex("01 0000 85 02 0000 000000 00 00 45")) == 24)
        #expect(throws: DecodeError.malformed(.gtpExtension, at: 12)) { try payload(start + hex("00 0000 00")) }
        #expect(throws: DecodeError.truncated(needed: 8, available: 7, at: 12)) {
            try payload(start + hex("02 0000 000000 00"))
        }
        #expect(throws: DecodeError.truncated(needed: 4, available: 3, at: 12)) { try payload(start + hex("010000")) }
    }

    @Test("Refuses other versions, and GTP'", arguments: [0x12, 0x20, 0x50, 0x0e] as [UInt8])
    func refuses(first: UInt8) {
        #expect(GTPHeader.error([first] + [UInt8](repeating: 0, count: 11)) == .malformed(.gtpVersion, at: 0))
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try GTPHeader.expectRoundTrips(seed: 43) {
            GTPHeader(
                message: $0.byte(),
                length: $0.half(),
                tunnel: $0.word(),
                flags: $0.byte(),
                optional: $0.word()
            )
        }
    }
}
