import Support
import Testing
import WeirWire

@Suite("Packet decoder")
struct PacketDecoderTests {
    @Test("Finds headers, addresses and ports of real packets", arguments: RealPacket.all)
    func real(expected: RealPacket) {
        let packet = DecodedPacket(expected.bytes, linkType: expected.linkType)
        #expect(packet.kinds == expected.kinds)
        #expect(packet.network.map { "\($0.source) \($0.destination)" } == expected.network)
        #expect(packet.tcp?.tuple.description == expected.tcp)
        #expect(packet.udp?.tuple.description == expected.udp)
        #expect(packet.stop == expected.stop)
        #expect(packet.mistake(within: expected.bytes.count) == nil)
    }

    @Test("Says a part of it for each prefix", arguments: RealPacket.all)
    func prefixes(packet: RealPacket) {
        expectPrefixesAgree(packet.bytes, linkType: packet.linkType)
    }

    @Test("Says nothing outside a packet, whatever is in it", arguments: RealPacket.all)
    func hostile(real: RealPacket) {
        var generator = SeededGenerator(seed: UInt64(real.bytes.count))
        var decoder = PacketDecoder(limits: .init(datagrams: 4, bytes: 4096))
        var packet = DecodedPacket()
        for _ in 0..<2000 {
            var bytes = real.bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] =
                    [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? generator.byte()
            }
            decoder.decode(bytes.span.bytes, linkType: real.linkType, into: &packet)
            if let mistake = packet.mistake(within: bytes.count) { Issue.record("\(mistake) in \(bytes)") }
        }
    }

    @Test("Gives the numbers of a segment and where its bytes are")
    func segment() throws {
        let real = RealPacket.tunnels[3]
        let packet = DecodedPacket(real.bytes, linkType: real.linkType)
        let tcp = try #require(packet.tcp)
        #expect(tcp.sequenceNumber == 2 && tcp.acknowledgmentNumber == 0 && tcp.window == 0x2000)
        #expect(tcp.flags == [.psh, .ack])
        #expect(tcp.header == 58..<78 && tcp.payload == 78..<79 && tcp.payloadLength == 1 && !tcp.isReassembled)
        #expect(packet.payload == 78..<79 && packet.layers[4].range == 58..<78)
        #expect(packet.layers.first(.gre)?.range == 34..<38 && !packet.layers.contains(.udp))
    }

    @Test("Tells what was captured of a payload from what was sent")
    func cutPayload() throws {
        let bytes = Array(RealPacket.internet[0].bytes.prefix(40))
        let packet = DecodedPacket(bytes, linkType: .raw, originalLength: 57)
        let udp = try #require(packet.udp)
        #expect(udp.payload == 28..<40 && udp.payloadLength == 29 && packet.stop == nil)
    }

    @Test("Leaves out what pads a frame")
    func padding() throws {
        let packet = DecodedPacket(RealPacket.internet[0].bytes + [0, 0, 0, 0, 0, 0], linkType: .raw)
        #expect(try #require(packet.udp).payload == 28..<57)
        #expect(packet.payload == 28..<57)
    }

    @Test("Keeps what an ICMP error quotes apart")
    func quotes() throws {
        let four = try #require(DecodedPacket(RealPacket.internet[3].bytes).icmp)
        #expect(four.family == .v4 && four.type == 3 && four.code == 3)
        #expect(four.quoted?.tuple?.description == "udp 192.168.1.1:53 -> 192.168.1.102:59207")
        let six = try #require(DecodedPacket(RealPacket.internet[4].bytes).icmp)
        #expect(six.family == .v6 && six.type == 1 && six.code == 0)
        #expect(six.quoted?.tuple?.description == "udp [fe80::beef]:30000 -> [fe80::dead]:13000")
        let echo = try #require(DecodedPacket(RealPacket.link[3].bytes, linkType: .linuxSLL2).icmp)
        #expect(echo.type == 8 && echo.quoted == nil)
    }

    @Test("Takes the ports of a quoted TCP header from the 8 bytes that are sure to be there")
    func quotedTCP() throws {
        var bytes = Array(RealPacket.internet[3].bytes.prefix(42 + 28))
        bytes[42 + 9] = 6
        let packet = DecodedPacket(bytes)
        #expect(packet.stop == nil && packet.tcp == nil)
        let quoted = try #require(packet.icmp?.quoted)
        #expect(quoted.tuple?.description == "tcp 192.168.1.1:53 -> 192.168.1.102:59207")
        #expect(quoted.addresses.source.description == "192.168.1.1")
    }

    @Test("Counts the layers that it has no room to list, and goes on")
    func deep() throws {
        let bytes = RealPacket.link[0].bytes
        let tags = (0..<100).flatMap { _ in hex("8100 0001") }
        let packet = DecodedPacket(Array(bytes[..<12]) + tags + bytes[12...])
        #expect(packet.layers.count == LayerList.capacity && packet.layers.omitted == 105 - LayerList.capacity)
        #expect(packet.tcp?.tuple.description == RealPacket.link[0].tcp)
    }

    @Test("Forgets the packet before")
    func reuse() {
        var decoder = PacketDecoder()
        var packet = DecodedPacket()
        let (first, second) = (RealPacket.tunnels[0].bytes, RealPacket.link[4].bytes)
        decoder.decode(first.span.bytes, linkType: .ethernet, into: &packet)
        decoder.decode(second.span.bytes, linkType: .linuxSLL, into: &packet)
        #expect(
            packet.kinds == [.linuxCooked, .arp] && packet.tcp == nil && packet.udp == nil && packet.network == nil
        )
        decoder.decode(RawSpan(), linkType: .ethernet, into: &packet)
        #expect(packet.layers.count == 0 && packet.stop == .truncated(needed: 14, available: 0, at: 0))
    }
}

@Suite("Where decoding stops")
struct DecodingStopTests {
    private static let ethernet = hex("000000000000000000000000")

    @Test(
        "Says why and where",
        arguments: [
            (
                hex("0000000000000000000000 00 88cc 0207"),
                DecodeError.unsupported(.etherType(.init(rawValue: 0x88cc)), at: 14)
            ),
            (ethernet + hex("0800 44"), .truncated(needed: 20, available: 1, at: 14)),
            (ethernet + hex("0800 54") + [UInt8](repeating: 0, count: 19), .malformed(.ipv4Version, at: 14)),
            (ethernet + hex("86dd 54") + [UInt8](repeating: 0, count: 39), .malformed(.ipv6Version, at: 14)),
            (ethernet + hex("0003 e0e003 00"), .unsupported(.llc(0xe0), at: 17)),
            (ethernet + hex("0008 aaaa03 00000c 2000 00"), .unsupported(.llc(0xaa), at: 22)),
            (ethernet + hex("8864 11000001 0004 c021 01"), .unsupported(.ppp(0xc021), at: 22)),
            (ethernet + hex("8847 00000100 00"), .malformed(.ipVersion, at: 18)),
            (ethernet + hex("88e5 0c00 00000001 ffff"), .unsupported(.etherType(.macsec), at: 14)),
            (ethernet + hex("0806 0006 0800 06 04") + [UInt8](repeating: 0, count: 22), .malformed(.arpKind, at: 14)),
        ]
    )
    func reasons(bytes: [UInt8], expected: DecodeError) {
        let packet = DecodedPacket(bytes)
        #expect(packet.stop == expected)
        #expect(packet.tcp == nil && packet.udp == nil)
    }

    @Test("Says so of link types that it does not read")
    func linkTypes() {
        #expect(DecodedPacket([1, 2, 3], linkType: .pktap).stop == .unsupported(.linkType(.pktap), at: 0))
        #expect(!PacketDecoder.reads(.pktap) && PacketDecoder.reads(.ethernet) && PacketDecoder.reads(.rawOpenBSD))
        #expect(DecodedPacket(hex("00000007 00"), linkType: .loop).stop == .unsupported(.addressFamily(7), at: 4))
    }

    @Test("Reads IPv6 where the link type, or the type of a frame, says IPv4")
    func version() throws {
        let bytes = Array(RealPacket.internet[1].bytes.dropFirst(14))
        #expect(DecodedPacket(bytes, linkType: .ipv4).tcp?.destination.port == 80)
        #expect(DecodedPacket(bytes, linkType: .rawBSD).tcp?.destination.port == 80)
        #expect(DecodedPacket(bytes, linkType: .ipv6).tcp?.destination.port == 80)
    }

    /// A segment of 5 bytes, in IPv4.
    private static let segment = hex(
        "4500002d000040004006 0000 0a0000010a000002 03e807d000000001000000015018006400000000 68656c6c6f"
    )

    @Test("Keeps the stream of a header that is cut behind the window", arguments: 0..<20)
    func cutHeader(count: Int) {
        let packet = DecodedPacket(Array(Self.segment.prefix(20 + count)), linkType: .raw, originalLength: 45)
        #expect((packet.tcp != nil) == (count >= 16))
        #expect(packet.stop == .truncated(needed: 20, available: count, at: 20))
        #expect(packet.tcp.map { $0.payloadLength == 5 && $0.payload.isEmpty } ?? true)
    }

    @Test("Keeps the stream of a header that lies about its length, without a payload")
    func lyingHeader() throws {
        var bytes = Self.segment
        bytes[32] = 0x40
        let short = DecodedPacket(bytes, linkType: .raw)
        #expect(short.stop == .malformed(.tcpHeaderLength, at: 32))
        #expect(try #require(short.tcp).payloadLength == 0)
        bytes[32] = 0xf0
        let long = DecodedPacket(bytes, linkType: .raw)
        #expect(long.stop == .truncated(needed: 60, available: 25, at: 20))
        #expect(try #require(long.tcp).payload.isEmpty)
    }

    @Test("Believes the packet's length where IPv4 says 0, and none that is shorter than its header")
    func totalLength() throws {
        var bytes = Self.segment
        bytes[3] = 0
        #expect(try #require(DecodedPacket(bytes, linkType: .raw).tcp).payload == 40..<45)
        bytes[3] = 19
        let packet = DecodedPacket(bytes, linkType: .raw)
        #expect(packet.tcp == nil && packet.network == nil && packet.stop == .malformed(.ipv4TotalLength, at: 2))
        bytes[2] = 0xff
        #expect(try #require(DecodedPacket(bytes, linkType: .raw).tcp).payload == 40..<45)
    }

    @Test("Takes a UDP length of 0 for a jumbogram over IPv6, and for a mistake over IPv4")
    func jumbogram() throws {
        let four = hex("450000200000000040110000 0a0000010a000002 03e807d000000000 61626364")
        #expect(DecodedPacket(four, linkType: .raw).stop == .malformed(.udpLength, at: 24))
        let addresses = "00000000000000000000000000000001 00000000000000000000000000000002"
        let six = hex("60000000 0000 11 40 \(addresses) 03e807d000000000 61626364")
        #expect(try #require(DecodedPacket(six, linkType: .raw).udp).payload == 48..<52)
    }

    @Test("Prints reasons in words")
    func words() {
        #expect(
            "\(DecodeError.truncated(needed: 20, available: 6, at: 34))"
                == "truncated at 34: 20 bytes needed, 6 available"
        )
        #expect("\(DecodeError.malformed(.ipv4Version, at: 14))" == "malformed at 14: IPv4 version")
        #expect("\(DecodeError.unsupported(.etherType(.arp), at: 2))" == "unsupported at 2: EtherType 0x0806")
        #expect("\(DecodeError.unsupported(.internet(.gre), at: 2))" == "unsupported at 2: IP protocol 47")
        #expect("\(DecodeError.unsupported(.linkType(.raw), at: 0))" == "unsupported at 0: RAW")
        #expect(DecodeError.malformed(.ipv4Version, at: 14).offset == 14)
    }
}
