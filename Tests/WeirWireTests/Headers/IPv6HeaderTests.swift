import Support
import Testing
import WeirWire

@Suite("IPv6 header")
struct IPv6HeaderTests {
    static let bytes = hex(
        """
        60 00 00 00 00 18 06 40 20 01 0d b8 00 01 00 00 00 00 00 00 00 00 00 01
        20 01 0d b8 00 01 00 00 00 00 00 00 00 00 00 02
        """
    )

    @Test("Parses a real header")
    func parses() throws {
        let header = try IPv6Header(Self.bytes)
        #expect(header.source.description == "2001:db8:1::1" && header.destination.description == "2001:db8:1::2")
        #expect(header.payloadLength == 24 && header.nextHeader == .tcp && header.hopLimit == 64)
        #expect(header.trafficClass == 0 && header.flowLabel == 0)
        #expect(header.bytes == Self.bytes)
    }

    @Test("Tells the traffic class from the flow label")
    func classAndLabel() throws {
        var bytes = Self.bytes
        bytes.replaceSubrange(0..<4, with: [0x6a, 0xbf, 0xed, 0xcb])
        let header = try IPv6Header(bytes)
        #expect(header.trafficClass == 0xab && header.flowLabel == 0xfedcb)
        #expect(header.bytes == bytes)
    }

    @Test("Refuses a short header")
    func short() {
        IPv6Header.expectTruncation(of: Self.bytes)
    }

    @Test("Refuses another version")
    func version() {
        var bytes = Self.bytes
        bytes[0] = 0x45
        #expect(throws: DecodeError.malformed(.ipv6Version, at: 0)) { try IPv6Header(bytes) }
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<500 {
            var header = IPv6Header(
                source: IPAddress(v6: generator.next(), low: generator.next()),
                destination: IPAddress(v6: generator.next(), low: generator.next()),
                nextHeader: IPProtocol(rawValue: UInt8.random(in: 0 ... .max, using: &generator)),
                payloadLength: Int.random(in: 0...65_535, using: &generator)
            )
            header.trafficClass = UInt8.random(in: 0 ... .max, using: &generator)
            header.flowLabel = UInt32.random(in: 0...0xfffff, using: &generator)
            header.hopLimit = UInt8.random(in: 0 ... .max, using: &generator)
            #expect(try IPv6Header(header.bytes) == header)
        }
    }
}
