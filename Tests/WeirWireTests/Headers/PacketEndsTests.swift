import Testing
import WeirWire

@Suite("Packet ends")
struct PacketEndsTests {
    /// A SYN of TCP over IPv4 on a loopback of Linux, as tcpdump -XX shows it.
    private static let syn = hex(
        """
        000000000000 000000000000 0800
        45000034 12344000 4006 0000 7f000001 7f000002
        c350 2328 00000001 00000000 8002 ffff 0000 0000 0204ffd7 0101 0402 0103 0307
        """
    )
    private static let addresses6 = "20010db8000000000000000000000001 20010db8000000000000000000000002"
    private static let query6 = hex("60000000 000c 11 40 \(addresses6) 1388 0035 000c 0000 61626364")

    private func read(_ bytes: [UInt8], _ linkType: LinkType = .ethernet, length: Int? = nil) -> PacketEnds {
        PacketEnds(bytes.span.bytes, linkType, originalLength: length ?? bytes.count)
    }

    private func tuple(_ transport: Transport, _ source: String, _ destination: String) throws -> FiveTuple {
        FiveTuple(
            transport: transport,
            source: try #require(Endpoint(source)),
            destination: try #require(Endpoint(destination))
        )
    }

    @Test("TCP over IPv4 over Ethernet has ports, flags and the payload's length")
    func tcp() throws {
        let ends = read(Self.syn)
        #expect(ends.tuple == (try tuple(.tcp, "127.0.0.1:50000", "127.0.0.2:9000")))
        #expect(ends.flags == .syn)
        #expect(ends.payloadLength == 0)
        #expect(ends.etherType == .ipv4)
        #expect(ends.ipProtocol == .tcp)
    }

    @Test("Every link type that carries IP gives the same ends")
    func linkTypes() throws {
        let heads: [(LinkType, String)] = [
            (.ethernet, "000000000000 000000000000 86dd"),
            (.ethernet, "000000000000 000000000000 8100 0001 86dd"),
            (.ethernet, "000000000000 000000000000 88a8 0001 8100 0002 86dd"),
            (.linuxSLL, "0000 0304 0006 0000000000000000 86dd"),
            (.linuxSLL2, "86dd 0000 00000001 0304 00 06 0000000000000000"),
            (.raw, ""), (.ipv6, ""), (.null, "0a000000"), (.loop, "0000001c"),
        ]
        for (linkType, head) in heads {
            let ends = read(hex(head) + Self.query6, linkType)
            #expect(ends.tuple == (try tuple(.udp, "[2001:db8::1]:5000", "[2001:db8::2]:53")), "\(linkType)")
            #expect(ends.payloadLength == 4)
            #expect(ends.flags == nil)
        }
    }

    @Test("A first fragment has ports, a later one has addresses only")
    func fragments() {
        func fragment(_ offset: String) -> PacketEnds {
            read(
                hex("60000000 0014 2c 40 \(Self.addresses6) 11 00 \(offset) 00000001 1388 0035 000c 0000 61626364"),
                .raw
            )
        }
        #expect(fragment("0001").tuple?.source.port == 5000)
        #expect(!fragment("0001").isLaterFragment)
        #expect(fragment("0009").tuple == nil)
        #expect(fragment("0009").isLaterFragment)
        #expect(fragment("0009").source?.address == IPAddress("2001:db8::1"))
        #expect(fragment("0009").payloadLength == 12)
        let later = read(hex("45000018 00010001 4011 0000 0a000001 0a000002 00000000"), .raw)
        #expect(later.tuple == nil)
        #expect(later.isLaterFragment)
    }

    @Test("What has no ports says what it is, and what is unknown says nothing")
    func others() {
        let arp = read(hex("ffffffffffff 020000000001 0806") + [UInt8](repeating: 0, count: 28))
        #expect(arp.etherType == .arp)
        #expect(arp.source == nil)
        #expect(arp.payloadLength == 28)
        let ping = read(hex("4500001c 00000000 4001 0000 7f000001 7f000001 0800f7ff 00000000"), .raw)
        #expect(ping.ipProtocol == IPProtocol(rawValue: 1))
        #expect(ping.destination?.address == .loopbackV4)
        #expect(ping.tuple == nil)
        #expect(ping.payloadLength == 8)
        #expect(read([1, 2, 3], LinkType(rawValue: 147)).etherType == nil)
        #expect(read([0x90], .raw).etherType == nil)
    }

    @Test("The payload is counted by the headers, also where the packet was cut")
    func cut() {
        let bytes = hex("45000422 00004000 4011 0000 7f000001 7f000001 1388 0035 040e 0000 00")
        #expect(read(bytes, .raw, length: 1058).payloadLength == 1030)
    }

    @Test("Every prefix is read without a trap, and has no ports before the header is whole")
    func prefixes() {
        for packet in [(Self.syn, LinkType.ethernet, 66), (Self.query6, .raw, 48)] {
            for count in 0...packet.0.count {
                let ends = read(Array(packet.0.prefix(count)), packet.1, length: packet.0.count)
                #expect((ends.tuple != nil) == (count >= packet.2))
            }
        }
    }
}
