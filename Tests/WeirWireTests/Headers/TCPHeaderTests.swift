import Support
import Testing
import WeirWire

@Suite("TCP header")
struct TCPHeaderTests {
    static let syn = hex(
        """
        c0 96 00 50 e9 d0 a5 ae fe 21 32 3b b0 12 38 90 2e 50 00 00
        02 04 05 b4 04 02 08 0a 2f 89 42 59 16 4a dd 20 01 03 03 07 00 00 00 00
        """
    )
    /// A segment that opens a connection over IPv6.
    static let overIPv6 = hex("00 50 90 57 bd db f8 14 e3 1e bd 4f 60 12 16 80 3f 2d 00 00 02 04 05 a0")

    @Test("Parses a real header")
    func parses() throws {
        let header = try TCPHeader(Self.overIPv6)
        #expect(header.sourcePort == 80 && header.destinationPort == 36_951)
        #expect(header.sequenceNumber == 0xbddb_f814 && header.acknowledgmentNumber == 0xe31e_bd4f)
        #expect(header.flags == [.syn, .ack] && header.window == 5760 && header.checksum == 0x3f2d)
        #expect(header.size == 24 && header.urgentPointer == 0)
        #expect(header.options.maximumSegmentSize == 1440 && header.options.windowScale == nil)
        let (source, destination) = (IPAddress("2001:db8:1::1"), IPAddress("2001:db8:1::2"))
        let (from, to) = (try #require(source), try #require(destination))
        #expect(header.hasValidChecksum(from: from, to: to, payload: []))
        #expect(!header.hasValidChecksum(from: from, to: to, payload: [1]))
        #expect(header.bytes == Self.overIPv6)
    }

    @Test("Refuses a short header, with and without options", arguments: [syn, overIPv6])
    func short(header: [UInt8]) {
        TCPHeader.expectTruncation(of: header)
    }

    @Test("Refuses a header length under 20 bytes", arguments: 0..<5)
    func length(words: UInt8) {
        var bytes = Self.overIPv6
        bytes[12] = words << 4
        #expect(throws: DecodeError.malformed(.tcpHeaderLength, at: 12)) { try TCPHeader(bytes) }
    }

    @Test("Keeps all twelve bits beside the length")
    func flags() throws {
        var bytes = Self.overIPv6
        (bytes[12], bytes[13]) = (0x6f, 0xff)
        let header = try TCPHeader(bytes)
        #expect(header.flags.isSuperset(of: [.fin, .syn, .rst, .psh, .ack, .urg, .ece, .cwr, .ae]))
        #expect(header.flags.rawValue == 0xfff)
        #expect(header.bytes == bytes)
    }

    @Test("Sets the checksum over either pseudo-header", arguments: ["10.1.2.3", "2001:db8::7"])
    func checksum(address: String) throws {
        let address = try #require(IPAddress(address))
        var generator = SeededGenerator(seed: 8)
        for count in 0..<64 {
            let payload = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
            var header = TCPHeader.random(using: &generator)
            header.setChecksum(from: address, to: address, payload: payload.span.bytes)
            let bytes = header.bytes + payload
            var sum = Checksum(pseudoHeaderFrom: address, to: address, protocol: .tcp, length: bytes.count)
            sum.add(bytes.span.bytes)
            #expect(sum.isValid)
            #expect(header.hasValidChecksum(from: address, to: address, payload: payload))
        }
    }

    @Test("Parses what it emits")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<500 {
            let header = TCPHeader.random(using: &generator)
            #expect(try TCPHeader(header.bytes) == header)
        }
    }
}

extension TCPHeader {
    static func random(using generator: inout SeededGenerator) -> TCPHeader {
        var header = TCPHeader(
            sourcePort: UInt16.random(in: 0 ... .max, using: &generator),
            destinationPort: UInt16.random(in: 0 ... .max, using: &generator),
            sequenceNumber: UInt32.random(in: 0 ... .max, using: &generator),
            acknowledgmentNumber: UInt32.random(in: 0 ... .max, using: &generator),
            flags: TCPFlags(rawValue: UInt16.random(in: 0 ... .max, using: &generator)),
            window: UInt16.random(in: 0 ... .max, using: &generator),
            options: TCPOptions(bytes: OptionBytes.random(using: &generator))
        )
        header.checksum = UInt16.random(in: 0 ... .max, using: &generator)
        header.urgentPointer = UInt16.random(in: 0 ... .max, using: &generator)
        return header
    }
}

extension TCPHeader {
    func hasValidChecksum(from source: IPAddress, to destination: IPAddress, payload: [UInt8]) -> Bool {
        hasValidChecksum(from: source, to: destination, payload: payload.span.bytes)
    }
}
