import Testing
import WeirWire

@testable import WeirAnalysis
@testable import WeirEngine

@Suite("ICMP in one line")
struct ICMPInfoTests {
    private func text(_ body: (inout ByteBuffer) -> Void) -> String {
        var output = ByteBuffer()
        body(&output)
        return output.string
    }

    @Test(
        "Each type and code of ICMP has the words of tshark",
        arguments: [
            (8, 0, "Echo (ping) request  id=0x1234, seq=258/513, ttl=64"),
            (0, 0, "Echo (ping) reply    id=0x1234, seq=258/513, ttl=64"),
            (3, 0, "Destination unreachable (Network unreachable)"),
            (3, 3, "Destination unreachable (Port unreachable)"),
            (3, 15, "Destination unreachable (Precedence cutoff in effect)"), (3, 16, "Destination unreachable"),
            (4, 0, "Source quench (flow control)"),
            (5, 3, "Redirect (Redirect for TOS and host)"), (5, 4, "Redirect"),
            (9, 0, "Mobile IP Advertisement (Normal router advertisement)"),
            (10, 0, "Router solicitation"), (11, 1, "Time-to-live exceeded (Fragment reassembly time exceeded)"),
            (12, 2, "Parameter problem (Bad length)"),
            (13, 0, "Timestamp request"), (14, 0, "Timestamp reply"), (15, 0, "Information request"),
            (16, 0, "Information reply"),
            (17, 0, "Address mask request"), (18, 0, "Address mask reply"), (1, 2, "type 1, code 2"),
            (7, 0, "type 7, code 0"), (255, 255, "type 255, code 255"),
        ] as [(UInt8, UInt8, String)]
    )
    func version4(type: UInt8, code: UInt8, expected: String) {
        let header = ICMPv4Header(type: type, code: code, rest: 0x1234_0102)
        #expect(text { ICMPInfo.append(header, timeToLive: 64, to: &$0) } == expected)
    }

    @Test(
        "Each type and code of ICMPv6 has the words of tshark",
        arguments: [
            (128, 0, "Echo (ping) request id=0x1234, seq=258, hop limit=64"),
            (129, 0, "Echo (ping) reply id=0x1234, seq=258, hop limit=64"),
            (127, 0, "type 127, code 0"), (1, 0, "Destination Unreachable (no route to destination)"),
            (1, 7, "Destination Unreachable (Error in Source Routing Header)"),
            (1, 8, "Destination Unreachable"), (2, 0, "Packet Too Big"),
            (3, 1, "Time Exceeded (fragment reassembly time exceeded)"),
            (4, 3, "Parameter Problem (IPv6 First Fragment has incomplete IPv6 Header Chain)"),
            (130, 0, "Multicast Listener Query"),
            (131, 0, "Multicast Listener Report"), (132, 0, "Multicast Listener Done"), (133, 0, "Router Solicitation"),
            (134, 0, "Router Advertisement"),
            (135, 0, "Neighbor Solicitation"), (136, 0, "Neighbor Advertisement"), (137, 0, "Redirect"),
            (143, 0, "Multicast Listener Report Message v2"),
        ] as [(UInt8, UInt8, String)]
    )
    func version6(type: UInt8, code: UInt8, expected: String) {
        let header = ICMPv6Header(type: type, code: code, rest: 0x1234_0102)
        #expect(text { ICMPInfo.append(header, hopLimit: 64, to: &$0) } == expected)
    }

    private static let target: [UInt8] = [0xfe, 0x80] + [UInt8](repeating: 0, count: 13) + [2]
    private static let source: [UInt8] = [1, 1, 0, 0x11, 0x22, 0x33, 0x44, 0x55]
    private static let link: [UInt8] = [2, 1, 6, 7, 8, 9, 10, 11]

    @Test(
        "Neighbor Discovery says of whom it is, and from whom, in any order of options",
        arguments: [
            (134, 0, 8, [], source, " from 00:11:22:33:44:55"), (134, 0, 8, [], link, ""),
            (134, 0, 8, [], link + source, " from 00:11:22:33:44:55"),
            (134, 0, 8, [], Array(source.prefix(7)), ""), (134, 0, 8, [], [0, 0, 0, 0, 0, 0, 0, 0] + source, ""),
            (134, 0, 8, [], [1, 2] + [UInt8](repeating: 9, count: 14) + source, " from 00:11:22:33:44:55"),
            (135, 0, 0, target, [], " for fe80::2"),
            (135, 0, 0, target, source, " for fe80::2 from 00:11:22:33:44:55"),
            (135, 0, 0, target, link, " for fe80::2"),
            (135, 0, 0, Array(target.prefix(15)), [], ""), (136, 0, 0, target, [], " fe80::2"),
            (136, 7, 0, target, link, " fe80::2 (rtr, sol, ovr) is at 06:07:08:09:0a:0b"),
            (136, 4, 0, target, source, " fe80::2 (rtr)"),
            (136, 2, 0, target, source + link, " fe80::2 (sol) is at 06:07:08:09:0a:0b"),
            (136, 1, 0, target, Array(link.prefix(7)), " fe80::2 (ovr)"),
            (136, 5, 0, target, [], " fe80::2 (rtr, ovr)"), (136, 5, 0, Array(target.prefix(15)), [], ""),
            (133, 0, 0, [], source, ""), (137, 0, 0, target, link, ""),
        ] as [(UInt8, UInt32, Int, [UInt8], [UInt8], String)]
    )
    func neighbors(type: UInt8, flags: UInt32, blank: Int, target: [UInt8], options: [UInt8], expected: String) {
        let header = ICMPv6Header(type: type, code: 0, rest: flags << 29)
        let bytes =
            [type, 0, 0, 0, UInt8(flags << 5), 0, 0, 0] + [UInt8](repeating: 0, count: blank) + target + options
        #expect(text { NeighborInfo.append(header, bytes.span.bytes, to: &$0) } == expected)
    }
}
