import Support
import Testing
import WeirWire

@Suite("ICMPv6 header")
struct ICMPv6HeaderTests {
    @Test("Parses a real header, whose checksum is right")
    func parses() throws {
        let header = try ICMPv6Header.read(hex("88 00 546c e0000000"))
        #expect(header.type == 136 && header.code == 0 && header.rest == 0xe000_0000 && !header.quotesPacket)
        let payload = hex("20010db8000100000000000000000001 0201aa0004000a04")
        let (first, second) = (IPAddress("2001:db8:1::1"), IPAddress("2001:db8:1::2"))
        let (source, destination) = (try #require(first), try #require(second))
        let isValid = header.hasValidChecksum(from: source, to: destination, payload: payload.span.bytes)
        let isValidElsewhere = header.hasValidChecksum(from: source, to: .loopbackV6, payload: payload.span.bytes)
        #expect(isValid && !isValidElsewhere)
    }

    @Test("Knows which messages quote a packet")
    func quotes() {
        let types = (0...255).filter { ICMPv6Header(type: UInt8($0), code: 0).quotesPacket }
        #expect(types == [1, 2, 3, 4])
    }

    @Test("Sets a checksum that it finds right")
    func checksum() {
        var generator = SeededGenerator(seed: 36)
        for count in 0..<40 {
            let payload = generator.bytes(count)
            var header = ICMPv6Header(type: 128, code: 0, rest: generator.word())
            header.setChecksum(from: .loopbackV6, to: .loopbackV6, payload: payload.span.bytes)
            let isValid = header.hasValidChecksum(from: .loopbackV6, to: .loopbackV6, payload: payload.span.bytes)
            #expect(isValid)
            // An earlier one does not count.
            let first = header.checksum
            header.setChecksum(from: .loopbackV6, to: .loopbackV6, payload: payload.span.bytes)
            #expect(header.checksum == first && first != 0)
        }
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        try ICMPv6Header.expectRoundTrips(seed: 37) {
            var header = ICMPv6Header(type: $0.byte(), code: $0.byte(), rest: $0.word())
            header.checksum = $0.half()
            return header
        }
    }
}
