import Testing
import WeirWire

/// Holds a real packet and what is known of it.
struct RealPacket: Sendable, CustomTestStringConvertible {
    var name: String
    var linkType: LinkType = .ethernet
    var bytes: [UInt8]
    var kinds: [LayerKind]
    /// The outermost pair, `10.0.0.1 10.0.0.2`.
    var network: String?
    var tcp: String?
    var udp: String?
    var stop: DecodeError?

    var testDescription: String { name }

    /// Packets of public captures, each of another kind, some without the end of their payload.
    static let all: [RealPacket] = link + internet + tunnels

    static let link: [RealPacket] = [
        RealPacket(
            name: "TCP over IPv4 in two VLAN tags",
            bytes: hex(
                """
                0010db88d2ef c8bcc896d2a0 8100 b000 8100 b000 0800 45000040df8e400040066dd38d8ee405c096bb2b
                e9d00050fe21323a00000000b002ffff3bc00000 020405b4010303040101080a164add200000000004020000
                """
            ),
            kinds: [.ethernet, .vlan, .vlan, .ipv4, .tcp],
            network: "141.142.228.5 192.150.187.43",
            tcp: "tcp 141.142.228.5:59856 -> 192.150.187.43:80"
        ),
        RealPacket(
            name: "TCP over IPv4 through a provider's backbone",
            bytes: hex(
                """
                02cccc003cff02cccc003aff 8100 0fd3 88e7 001ebb44 10604b7dba75 10604b7f2d27 8100 0fb4 0800
                45000034432040008006affd0ac7f90b0ac7f90c c1c1c1088044b7b600000000800220008caa0000 020405b40103030201010402
                """
            ),
            kinds: [.ethernet, .vlan, .backbone, .ethernet, .vlan, .ipv4, .tcp],
            network: "10.199.249.11 10.199.249.12",
            tcp: "tcp 10.199.249.11:49601 -> 10.199.249.12:49416"
        ),
        RealPacket(
            name: "TCP over IPv4 in an IEEE 802.3 frame",
            bytes: hex(
                """
                66778899aabb001122334455 0030 aaaa03 000000 0800 4500002800010000 4006f77bc0a80101c0a80102
                303900500000006400000000 50022000dba10000
                """
            ),
            kinds: [.ethernet, .llc, .snap, .ipv4, .tcp],
            network: "192.168.1.1 192.168.1.2",
            tcp: "tcp 192.168.1.1:12345 -> 192.168.1.2:80"
        ),
        RealPacket(
            name: "ICMP over IPv4 with Linux's second cooked header",
            linkType: .linuxSLL2,
            bytes: hex(
                """
                0800000000000001030400060000000000000000 45000054af8c40004001071ac0000201c0000201
                080066b400080001 e9bdf96200000000e24e0d0000000000
                """
            ),
            kinds: [.linuxCooked2, .ipv4, .icmpv4],
            network: "192.0.2.1 192.0.2.1"
        ),
        RealPacket(
            name: "ARP with Linux's cooked header",
            linkType: .linuxSLL,
            bytes: hex(
                """
                00010001 0006 cc2de02619990000 0806 0001080006040001cc2de0261999c0a81601000000000000c0a816a0
                000000000000000000000000000000000000
                """
            ),
            kinds: [.linuxCooked, .arp]
        ),
        RealPacket(
            name: "TCP over IPv6 on a BSD loopback",
            linkType: .null,
            bytes: hex(
                """
                1e000000 6000d08d002c064000000000000000000000000000000001 00000000000000000000000000000001
                cd2a00504ec852bd00000000b002ffff00340000 02043fc4010303050101080a49b886850000000004020000
                """
            ),
            kinds: [.loopback, .ipv6, .tcp],
            network: "::1 ::1",
            tcp: "tcp [::1]:52522 -> [::1]:80"
        ),
        RealPacket(
            name: "TCP over IPv4 in PPP over Ethernet in two VLAN tags",
            bytes: hex(
                """
                000000000001000000000000 8100 0e78 8100 09aa 8864 11000f070042 0021
                450000400000400040 06 35b30101010102020202 4faa01bbd7a8415500000000b002ffffeced0000
                020405a0010303060101080a012dd88c0000000004020000
                """
            ),
            kinds: [.ethernet, .vlan, .vlan, .pppoe, .ppp, .ipv4, .tcp],
            network: "1.1.1.1 2.2.2.2",
            tcp: "tcp 1.1.1.1:20394 -> 2.2.2.2:443"
        ),
        RealPacket(
            name: "TCP over IPv4 behind an MPLS label",
            bytes: hex(
                """
                003096e6fc39003096052838 8847 0001ddff 45c0002c00000000ff06a4e70a0102010a220001
                2af9001798320ffb0000000060021020a2400000 02040218
                """
            ),
            kinds: [.ethernet, .mpls, .ipv4, .tcp],
            network: "10.1.2.1 10.34.0.1",
            tcp: "tcp 10.1.2.1:11001 -> 10.34.0.1:23"
        ),
    ]

    static let internet: [RealPacket] = [
        RealPacket(
            name: "UDP over IPv4 without a link layer",
            linkType: .raw,
            bytes: hex(
                """
                45000039000100004011a695c0a8016409090909 0035 0035 0025 1976
                123401000001000000000000076578616d706c6503636f6d0000010001
                """
            ),
            kinds: [.ipv4, .udp],
            network: "192.168.1.100 9.9.9.9",
            udp: "udp 192.168.1.100:53 -> 9.9.9.9:53"
        ),
        RealPacket(
            name: "TCP over IPv6 by a route of one stop",
            bytes: hex(
                """
                ffffffffffff000000000000 86dd 60000000003c2b40200104f80004000702e081fffe52ffff
                200104f80004000702e081fffe529a6b 0604000200000000 20010078000100320000000000000001
                20010078000100320000000000000002 75300050000000000000000050022000517e0000
                """
            ),
            kinds: [.ethernet, .ipv6, .ipv6Routing, .tcp],
            network: "2001:4f8:4:7:2e0:81ff:fe52:ffff 2001:4f8:4:7:2e0:81ff:fe52:9a6b",
            tcp: "tcp [2001:4f8:4:7:2e0:81ff:fe52:ffff]:30000 -> [2001:78:1:32::2]:80"
        ),
        RealPacket(
            name: "TCP over IPv6 in the only fragment of its packet",
            bytes: hex(
                """
                aa0004000a040010189531 6a 86dd 60000000001c2c4020010db8000100000000000000000002
                20010db8000100000000000000000001 0600000000000000 e92e005069817905000000005002200068660000
                """
            ),
            kinds: [.ethernet, .ipv6, .ipv6Fragment, .tcp],
            network: "2001:db8:1::2 2001:db8:1::1",
            tcp: "tcp [2001:db8:1::2]:59694 -> [2001:db8:1::1]:80"
        ),
        RealPacket(
            name: "An ICMP error over IPv4 that quotes UDP",
            bytes: hex(
                """
                0019e3e75d23000bdb6358a6 0800 450000b0281e000080018e77c0a80166c0a80101 030303bb00000000
                450000a3371100004011bf81c0a80101c0a80166 0035e747008f76d2 98a48180000100010004
                """
            ),
            kinds: [.ethernet, .ipv4, .icmpv4, .ipv4, .udp],
            network: "192.168.1.102 192.168.1.1"
        ),
        RealPacket(
            name: "An ICMP error over IPv6 that quotes UDP",
            bytes: hex(
                """
                ffffffffffff000000000000 86dd 6000000000443a40fe80000000000000000000000000dead
                fe80000000000000000000000000beef 0100f1a600000000 6000000000140040fe80000000000000000000000000beef
                fe80000000000000000000000000dead 1100010400000000 753032c8000c0c8e 58585858
                """
            ),
            kinds: [.ethernet, .ipv6, .icmpv6, .ipv6, .ipv6Extension, .udp],
            network: "fe80::dead fe80::beef"
        ),
    ]
}
