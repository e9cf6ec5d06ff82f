import Testing
import WeirWire

@Suite("The walk through a packet, at its bounds")
struct PacketWalkTests {
    private static let macs = hex("020000000002 020000000001")
    private static let arp = hex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002")

    private func decoded(_ head: String, _ rest: [UInt8] = [], linkType: LinkType = .ethernet) -> DecodedPacket {
        DecodedPacket((linkType == .ethernet ? Self.macs : []) + hex(head) + rest, linkType: linkType)
    }

    @Test("A type of up to 1,500 is a length, which ends the frame")
    func lengths() {
        #expect(decoded("05dc e0e003 00").stop == .unsupported(.llc(0xe0), at: 17))
        #expect(decoded("05dd e0e003 00").stop == .unsupported(.etherType(EtherType(rawValue: 1501)), at: 14))
        let ip = EncapsulationTests.inner
        #expect(decoded("0008 aaaa03 000000 0800", ip).stop == .truncated(needed: 20, available: 0, at: 22))
        #expect(decoded("0028 aaaa03 000000 0800", ip).udp?.payload == 50..<54)
        #expect(decoded("0026 aaaa03 000000 0800", ip).udp?.payload == 50..<52)
    }

    @Test("Of Linux's cooked frames 4 is an LLC header, and a type begins with 1,536")
    func cooked() {
        let head = "0000 0001 0006 020000000001 0000"
        #expect(decoded(head + "0004 e0e003", linkType: .linuxSLL).stop == .unsupported(.llc(0xe0), at: 19))
        for type in ["0001", "0003", "0005", "05ff", "0600"] {
            let number = EtherType(rawValue: UInt16(type, radix: 16) ?? 0)
            #expect(decoded(head + type, linkType: .linuxSLL).stop == .unsupported(.etherType(number), at: 16))
        }
        let second = "0004 0000 00000001 0001 00 06 020000000001 0000 e0e003"
        #expect(decoded(second, linkType: .linuxSLL2).stop == .unsupported(.llc(0xe0), at: 23))
    }

    @Test("A PPPoE session's length ends it, and another code carries no packet")
    func pppoe() {
        let session = decoded("8864 1100 0001 0004 0021", [0x45, 0, 0, 0, 0, 0])
        #expect(session.stop == .truncated(needed: 20, available: 2, at: 22))
        let other = decoded("8864 1109 0001 0003", [1, 2, 3, 4, 5])
        #expect(other.stop == nil && other.payload == 20..<23 && other.kinds == [.ethernet, .pppoe])
    }

    @Test("What MACsec leaves clear is read, without the 16 bytes of its check", arguments: [false, true])
    func macsec(hasChannel: Bool) {
        let tag = hasChannel ? "2000 00000001 0000000000000001" : "0000 00000001"
        let packet = decoded("88e5 \(tag) 0806", Self.arp + [UInt8](repeating: 7, count: 5 + 16))
        let start = hasChannel ? 58 : 50
        #expect(packet.kinds == [.ethernet, .macsec, .arp] && packet.stop == nil)
        #expect(packet.payload == start..<(start + 5))
        let short = decoded("88e5 \(tag) 0806", [UInt8](repeating: 7, count: 9))
        #expect(short.stop == .truncated(needed: 28, available: 0, at: start - 28))
        let cut = decoded("88e5 \(tag) 08")
        #expect(cut.stop == .truncated(needed: start - 42, available: start - 43, at: 14))
    }

    @Test("Netfilter's log carries the packet of its family, and what it does not know as it is")
    func nflog() {
        func log(_ family: String, _ content: [UInt8]) -> DecodedPacket {
            let value = [UInt8(content.count + 4), 0, 9, 0] + content
            let trailer = [UInt8](repeating: 0, count: -content.count & 3) + [8, 0, 1, 0, 7, 7, 7, 7]
            return decoded("\(family)000000", value + trailer, linkType: .nflog)
        }
        #expect(log("02", EncapsulationTests.inner).udp?.destination.port == 53)
        let addresses = "00000000000000000000000000000001 00000000000000000000000000000002"
        let six = hex("60000000 000c 11 40 \(addresses) 03e80035000c0000 61626364")
        #expect(log("0a", six).udp?.destination.port == 53)
        let other = log("07", [1, 2, 3, 4, 5])
        #expect(other.stop == nil && other.payload == 8..<13 && other.kinds == [.nflog])
        for family in ["02", "0a"] {
            let empty = log(family, [])
            #expect(empty.stop == nil && empty.payload.isEmpty)
        }
    }

    /// Returns a datagram within so many VXLANs.
    private func nested(_ depth: Int) -> DecodedPacket {
        var packet = Self.macs + hex("0800") + EncapsulationTests.inner
        for _ in 0..<depth {
            let body = hex("08000000 00000100") + packet
            let sizes = [UInt16(body.count + 28), UInt16(body.count + 8)].map { [UInt8($0 >> 8), UInt8($0 & 255)] }
            let ip = hex("4500") + sizes[0] + hex("00010000401100000a0000010a000002")
            packet = Self.macs + hex("0800") + ip + hex("03e812b5") + sizes[1] + [0, 0] + body
        }
        return DecodedPacket(packet)
    }

    @Test("Of datagrams within each other eight are kept beside the outermost", arguments: [0, 1, 7, 8, 9, 12])
    func inner(depth: Int) {
        let packet = nested(depth)
        #expect(packet.stop == nil && packet.innerUDP.count == min(depth, 8))
        #expect(packet.udp?.destination.port == (depth == 0 ? 53 : 4789))
        if depth > 0, depth <= 8 { #expect(packet.innerUDP.last?.destination.port == 53) }
        #expect(packet.network?.source.description == (depth == 0 ? "172.16.0.1" : "10.0.0.1"))
    }

    @Test("A list of layers keeps each one's place and length, up to 16 of them")
    func layers() {
        let packet = nested(4)
        #expect(packet.layers.count == 16 && packet.layers.omitted == 3)
        #expect((0..<4).map { packet.layers[$0].range } == [0..<14, 14..<34, 34..<42, 42..<50])
        #expect((0..<16).allSatisfy { !packet.layers[$0].isReassembled })
        #expect(packet.layers[15].range == 192..<200 && packet.layers[15].kind == .vxlan)
        #expect(packet.layers.first(.vxlan)?.range == 42..<50 && packet.layers.first(.tcp) == nil)
    }
}
