import Support
import Testing
import WeirWire

@Suite("IPv4 header")
struct IPv4HeaderTests {
    static let bytes = hex("45 00 00 40 df 8e 40 00 40 06 6d d3 8d 8e e4 05 c0 96 bb 2b")
    /// With a router alert (RFC 2113).
    static let alert = hex("46 c0 00 28 00 00 40 00 01 02 41 bb c0 a8 01 96 e0 00 00 16 94 04 00 00")

    @Test("Parses a real header")
    func parses() throws {
        let header = try IPv4Header(Self.bytes)
        #expect(header.source.description == "141.142.228.5" && header.destination.description == "192.150.187.43")
        #expect(header.totalLength == 64 && header.size == 20 && header.identification == 0xdf8e)
        #expect(header.flags == .dontFragment && !header.isFragment && header.fragmentOffset == 0)
        #expect(header.timeToLive == 64 && header.protocol == .tcp && header.checksum == 0x6dd3)
        #expect(header.hasValidChecksum)
        #expect(header.bytes == Self.bytes)
    }

    @Test("Parses options")
    func options() throws {
        let header = try IPv4Header(Self.alert)
        #expect(header.size == 24 && header.differentiatedServices == 0xc0 && header.timeToLive == 1)
        #expect(Array(header.options) == [.routerAlert(0)])
        #expect(header.hasValidChecksum)
        #expect(header.bytes == Self.alert)
    }

    @Test("Refuses a short header, with and without options", arguments: [bytes, alert])
    func short(header: [UInt8]) {
        IPv4Header.expectTruncation(of: header)
    }

    @Test(
        "Refuses what is not IPv4 and lengths that lie",
        arguments: [
            (0, 0x65, DecodeError.malformed(.ipv4Version, at: 0)), (0, 0x44, .malformed(.ipv4HeaderLength, at: 0)),
            (0, 0x40, .malformed(.ipv4HeaderLength, at: 0)), (3, 19, .malformed(.ipv4TotalLength, at: 2)),
            (3, 1, .malformed(.ipv4TotalLength, at: 2)), (0, 0x4f, .truncated(needed: 60, available: 20, at: 0)),
        ]
    )
    func refuses(offset: Int, byte: UInt8, error: DecodeError) {
        var bytes = Self.bytes
        bytes[offset] = byte
        #expect(throws: error) { try IPv4Header(bytes) }
    }

    @Test("Lets a total length of 0 through, which the interface fills in")
    func segmentationOffload() throws {
        var bytes = Self.bytes
        (bytes[2], bytes[3]) = (0, 0)
        #expect(try IPv4Header(bytes).totalLength == 0)
    }

    @Test("Reads the position of a fragment")
    func fragments() throws {
        var bytes = Self.bytes
        (bytes[6], bytes[7]) = (0x20, 0xb9)
        let middle = try IPv4Header(bytes)
        #expect(middle.isFragment && middle.fragmentOffset == 1480 && middle.flags == .moreFragments)
        (bytes[6], bytes[7]) = (0x1f, 0xff)
        let last = try IPv4Header(bytes)
        #expect(last.isFragment && last.fragmentOffset == 65_528 && last.flags == [])
    }

    @Test("Makes a header with the right length and checksum")
    func makes() throws {
        let (source, destination) = (try #require(IPAddress("10.0.0.1")), try #require(IPAddress("10.0.0.2")))
        var header = IPv4Header(source: source, destination: destination, protocol: .udp, payloadLength: 65_515)
        #expect(header.totalLength == 65_535 && !header.hasValidChecksum)
        header.setChecksum()
        #expect(header.hasValidChecksum)
        #expect(Checksum.of(header.bytes) == 0)
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<500 {
            let (source, destination) = (IPAddress.random(using: &generator), IPAddress.random(using: &generator))
            let number = IPProtocol(rawValue: UInt8.random(in: 0 ... .max, using: &generator))
            let length = Int.random(in: 40...60_000, using: &generator)
            var header = IPv4Header(source: source, destination: destination, protocol: number, payloadLength: length)
            header.options.bytes = OptionBytes.random(using: &generator)
            header.identification = UInt16.random(in: 0 ... .max, using: &generator)
            header.differentiatedServices = UInt8.random(in: 0 ... .max, using: &generator)
            header.flags = IPv4Flags(rawValue: UInt8.random(in: 0...7, using: &generator))
            header.fragmentUnits = UInt16.random(in: 0...8191, using: &generator)
            header.timeToLive = UInt8.random(in: 0 ... .max, using: &generator)
            header.setChecksum()
            let bytes = header.bytes
            #expect(try IPv4Header(bytes) == header)
            #expect(Checksum.of(bytes) == 0)
        }
    }
}
