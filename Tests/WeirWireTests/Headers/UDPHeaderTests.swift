import Support
import Testing
import WeirWire

@Suite("UDP header")
struct UDPHeaderTests {
    /// A datagram to a name server, with its payload.
    static let bytes = hex("00 35 00 35 01 b9 1b 93")

    @Test("Parses a real header")
    func parses() throws {
        let header = try UDPHeader(Self.bytes)
        #expect(header.sourcePort == 53 && header.destinationPort == 53)
        #expect(header.length == 441 && header.checksum == 0x1b93)
        #expect(header.bytes == Self.bytes)
    }

    @Test("Refuses a short header")
    func short() {
        UDPHeader.expectTruncation(of: Self.bytes)
    }

    @Test("Refuses a length shorter than the header, but for 0", arguments: [0, 1, 7, 8] as [UInt8])
    func lengths(length: UInt8) throws {
        let bytes = hex("00 35 00 35 00") + [length, 0, 0]
        if length == 0 || length == 8 {
            #expect(try UDPHeader(bytes).length == length)
        } else {
            #expect(throws: DecodeError.malformed(.udpLength, at: 4)) { try UDPHeader(bytes) }
        }
    }

    @Test("Checks and sets the checksum over either pseudo-header", arguments: ["10.1.2.3", "2001:db8::7"])
    func checksum(address: String) throws {
        let address = try #require(IPAddress(address))
        var generator = SeededGenerator(seed: 6)
        for count in 0..<64 {
            let payload = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
            var header = UDPHeader(sourcePort: 1000, destinationPort: 2000, payloadLength: count)
            header.setChecksum(from: address, to: address, payload: payload.span.bytes)
            #expect(header.hasValidChecksum(from: address, to: address, payload: payload))
            header.sourcePort ^= 0x100
            #expect(!header.hasValidChecksum(from: address, to: address, payload: payload))
        }
    }

    @Test("Writes a checksum that comes out as 0 as 0xffff; over IPv4 alone 0 stands for none")
    func zero() throws {
        let (four, six) = (IPAddress.anyV4, IPAddress.anyV6)
        // Ports and payload that add up to the complement of the rest.
        var header = UDPHeader(sourcePort: 0, destinationPort: 0, payloadLength: 2)
        let payload = hex("ffda")
        header.setChecksum(from: four, to: four, payload: payload.span.bytes)
        #expect(header.checksum == 0xffff)
        #expect(header.hasValidChecksum(from: four, to: four, payload: payload))
        header.checksum = 0
        #expect(header.hasValidChecksum(from: four, to: four, payload: payload))
        #expect(!header.hasValidChecksum(from: six, to: six, payload: payload))
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var header = UDPHeader(
                sourcePort: UInt16.random(in: 0 ... .max, using: &generator),
                destinationPort: UInt16.random(in: 0 ... .max, using: &generator),
                payloadLength: Int.random(in: 0...65_527, using: &generator)
            )
            header.checksum = UInt16.random(in: 0 ... .max, using: &generator)
            #expect(try UDPHeader(header.bytes) == header)
        }
    }
}

extension UDPHeader {
    func hasValidChecksum(from source: IPAddress, to destination: IPAddress, payload: [UInt8]) -> Bool {
        hasValidChecksum(from: source, to: destination, payload: payload.span.bytes)
    }
}
