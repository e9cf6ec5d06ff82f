import Testing
import WeirWire

@Suite("Fragments in the packet decoder")
struct PacketDecoderFragmentTests {
    private static let datagram = hex("03e807d000200000") + Array(0..<24)

    private func ipv4(_ payload: some Collection<UInt8>, at offset: Int, hasMore: Bool, id: UInt16 = 1) -> [UInt8] {
        var header = IPv4Header(
            source: IPAddress(v4: 0x0a00_0001),
            destination: IPAddress(v4: 0x0a00_0002),
            protocol: .udp,
            payloadLength: payload.count
        )
        header.identification = id
        header.fragmentUnits = UInt16(offset / 8)
        if hasMore { header.flags = .moreFragments }
        return header.bytes + payload
    }

    private func ipv6(_ payload: some Collection<UInt8>, _ number: IPProtocol, at offset: Int, hasMore: Bool) -> [UInt8]
    {
        let ip = IPv6Header(
            source: .loopbackV6,
            destination: .anyV6,
            nextHeader: .fragment,
            payloadLength: payload.count + 8
        )
        let header = IPv6FragmentHeader(
            nextHeader: number,
            fragmentUnits: UInt16(offset / 8),
            hasMoreFragments: hasMore,
            identification: 7
        )
        return ip.bytes + header.bytes + payload
    }

    private func decode(_ decoder: inout PacketDecoder, _ bytes: [UInt8], originalLength: Int? = nil) -> DecodedPacket {
        var packet = DecodedPacket()
        decoder.decode(bytes.span.bytes, linkType: .raw, originalLength: originalLength, into: &packet)
        return packet
    }

    private func reassembled(_ decoder: borrowing PacketDecoder, _ range: Range<Int>) -> [UInt8] {
        decoder.withReassembledBytes { bytes in bytes.extracting(range).withUnsafeBytes { Array($0) } }
    }

    @Test("The packet that brings the last fragment holds the datagram")
    func whole() throws {
        var decoder = PacketDecoder()
        let first = decode(&decoder, ipv4(Self.datagram[..<16], at: 0, hasMore: true))
        #expect(first.udp == nil && first.stop == nil && first.network != nil)
        #expect(first.fragment?.offset == 0 && first.fragment?.length == 16 && first.payload == 20..<36)
        let last = decode(&decoder, ipv4(Self.datagram[16...], at: 16, hasMore: false))
        let udp = try #require(last.udp)
        #expect(last.fragment == nil && udp.isReassembled && udp.payloadLength == 24 && last.isPayloadReassembled)
        #expect(udp.tuple.description == "udp 10.0.0.1:1000 -> 10.0.0.2:2000")
        #expect(reassembled(decoder, udp.payload) == Array(0..<24))
        #expect(last.kinds == [.ipv4, .udp] && !last.layers[0].isReassembled && last.layers[1].isReassembled)
        let next = decode(&decoder, ipv4([], at: 0, hasMore: false))
        #expect(!next.isPayloadReassembled && reassembled(decoder, 0..<0) == [])
        let left = decoder.withReassembledBytes { $0.byteCount }
        #expect(left == 0)
    }

    @Test("Puts IPv6 datagrams together by what their first fragment says")
    func ipv6() throws {
        var decoder = PacketDecoder()
        #expect(decode(&decoder, ipv6(Self.datagram[16...], .tcp, at: 16, hasMore: false)).udp == nil)
        let packet = decode(&decoder, ipv6(Self.datagram[..<16], .udp, at: 0, hasMore: true))
        #expect(packet.udp?.tuple.description == "udp [::1]:1000 -> [::]:2000")
        #expect(packet.kinds == [.ipv6, .ipv6Fragment, .udp])
    }

    @Test("Reads a first fragment on when it was not captured whole, and no other")
    func cut() throws {
        var decoder = PacketDecoder()
        let first = ipv4(Self.datagram[..<24], at: 0, hasMore: true)
        let packet = decode(&decoder, Array(first.dropLast(4)), originalLength: first.count)
        #expect(packet.udp?.source.port == 1000 && packet.fragment?.isWhole == false)
        let other = ipv4(Self.datagram[24...], at: 24, hasMore: false)
        #expect(decode(&decoder, Array(other.dropLast()), originalLength: other.count).udp == nil)
        #expect(decoder.reassembler.counters.fragments == 0)
    }

    @Test("Reads a first fragment on where nothing is put together")
    func alone() {
        let first = ipv4(Self.datagram[..<16], at: 0, hasMore: true)
        let packet = DecodedPacket(first, linkType: .raw)
        #expect(packet.udp?.source.port == 1000 && packet.udp?.payloadLength == 8 && packet.fragment != nil)
        let second = DecodedPacket(ipv4(Self.datagram[16...], at: 16, hasMore: false), linkType: .raw)
        #expect(second.udp == nil && second.fragment?.offset == 16)
    }

    @Test("Puts fragments together that come within fragments")
    func nested() throws {
        var decoder = PacketDecoder()
        // UDP in two fragments, each in GRE, which comes in two fragments itself.
        let inner = [
            ipv4(Self.datagram[..<16], at: 0, hasMore: true, id: 9),
            ipv4(Self.datagram[16...], at: 16, hasMore: false, id: 9),
        ]
        var packet = DecodedPacket()
        for (index, bytes) in inner.enumerated() {
            let payload = GREHeader(type: .ipv4).bytes + bytes
            for (part, offset, hasMore) in [(payload[..<24], 0, true), (payload[24...], 24, false)] {
                var outer = try IPv4Header(ipv4(part, at: offset, hasMore: hasMore, id: UInt16(index + 1)))
                outer.protocol = .gre
                packet = decode(&decoder, outer.bytes + part)
            }
        }
        #expect(packet.kinds == [.ipv4, .gre, .ipv4, .udp] && packet.fragment == nil)
        let udp = try #require(packet.udp)
        #expect(udp.payloadLength == 24 && reassembled(decoder, udp.payload) == Array(0..<24))
        #expect(decoder.reassembler.waitingDatagrams == 0 && decoder.reassembler.counters.datagrams == 3)
        let layer = packet.layers[2]
        let source = try decoder.withReassembledBytes { bytes throws(DecodeError) in
            try IPv4Header(parsing: bytes, at: layer.range.lowerBound).source
        }
        #expect(source.description == "10.0.0.1")
    }

    @Test("Does not put together what an ICMP error quotes")
    func quoted() {
        var decoder = PacketDecoder()
        let quote = ipv4(Self.datagram[..<16], at: 0, hasMore: true)
        let ip = IPv4Header(source: .anyV4, destination: .anyV4, protocol: .icmp, payloadLength: 8 + quote.count)
        let packet = decode(&decoder, ip.bytes + ICMPv4Header(type: 11, code: 0).bytes + quote)
        #expect(packet.icmp?.quoted?.tuple?.source.port == 1000)
        #expect(packet.fragment == nil && decoder.reassembler.counters.fragments == 0)
    }
}
