import WeirWire

extension RealPacket {
    static let tunnels: [RealPacket] = [
        RealPacket(
            name: "TCP over IPv4 within Geneve",
            bytes: hex(
                """
                000000000000000000000000 0800 4500006ee5de40004011569e7f0000017f000001 b7fd17c1005a0000 0000655800109200
                38437dc8788e50eb7147dfc4 0800 4500003c455040003f065fe5c0a8006b9128444b
                b1a201bb849cf0cd00000000a002faf0df390000 020405b40402080a227a8c0c0000000001030307
                """
            ),
            kinds: [.ethernet, .ipv4, .udp, .geneve, .ethernet, .ipv4, .tcp],
            network: "127.0.0.1 127.0.0.1",
            tcp: "tcp 192.168.0.107:45474 -> 145.40.68.75:443",
            udp: "udp 127.0.0.1:47101 -> 127.0.0.1:6081"
        ),
        RealPacket(
            name: "TCP over IPv4 within GTP",
            bytes: hex(
                """
                00000c07ace888e0f3c8bff0 0800 45680060d38700003c111f2a4fbc9a5bf395adc6 08680868004c88ae
                30ff003c760d3bb0 4500003ca1414000400691140ade0a0aadc245bc afa0146c44262ba100000000a002faf085ee0000
                020405b40402080a000c8ae00000000001030301
                """
            ),
            kinds: [.ethernet, .ipv4, .udp, .gtp, .ipv4, .tcp],
            network: "79.188.154.91 243.149.173.198",
            tcp: "tcp 10.222.10.10:44960 -> 173.194.69.188:5228",
            udp: "udp 79.188.154.91:2152 -> 243.149.173.198:2152"
        ),
        RealPacket(
            name: "ICMP over IPv4 within VXLAN",
            bytes: hex(
                """
                00163e0871cf36dc851eb340 0800 45000086d2c0400040115152c0a8cb01c0a8ca01 b05d12b500720000 0800000000006400
                00308801000200163e37f604 0800 45000054000040004001234fc0a8cb03c0a8cb05 0800f6f2050c0001
                """
            ),
            kinds: [.ethernet, .ipv4, .udp, .vxlan, .ethernet, .ipv4, .icmpv4],
            network: "192.168.203.1 192.168.202.1",
            udp: "udp 192.168.203.1:45149 -> 192.168.202.1:4789"
        ),
        RealPacket(
            name: "TCP over IPv4 within GRE",
            bytes: hex(
                """
                020000000004020000000003 0800 4500004107d10000402f8687c0000201c6336401 00000800
                4500002903e90000400662bc0a1400010a140002 ad9c005000000002000000005018200075b20000 58
                """
            ),
            kinds: [.ethernet, .ipv4, .gre, .ipv4, .tcp],
            network: "192.0.2.1 198.51.100.1",
            tcp: "tcp 10.20.0.1:44444 -> 10.20.0.2:80"
        ),
        RealPacket(
            name: "A frame mirrored with ERSPAN type II",
            bytes: hex(
                """
                6400f1e201126400f1e20101 0800 4500009600004000fe2f76330202020201010101 100088be00000704 1017086400000000
                6400f1e103036400f1e10302 0800 4500006408940000ff0185001700000217000003 080057b500160000
                """
            ),
            kinds: [.ethernet, .ipv4, .gre, .erspan, .ethernet, .ipv4, .icmpv4],
            network: "2.2.2.2 1.1.1.1"
        ),
        RealPacket(
            name: "A frame mirrored with ERSPAN type III",
            bytes: hex(
                """
                005056eb85f400351af39d44 0800 4500008afd3700003f2f6a0b0a0000010a000002 100022eb03b3ed5c 201400000000145800008030
                025056564452005056bed55d 0800 45000054e1bc00003f01c813c0a80f2f01010101 0800097d01390000
                """
            ),
            kinds: [.ethernet, .ipv4, .gre, .erspan, .ethernet, .ipv4, .icmpv4],
            network: "10.0.0.1 10.0.0.2"
        ),
        RealPacket(
            name: "UDP over IPv6 within IPv4",
            bytes: hex(
                """
                0010db88d2ef00d0960272a2 0800 450000480001000040296a790102030405060708 60000000000c1140
                dead000000000000000000000000beef cafe000000000000000000000000babe 753032c8000c83d2 58585858
                """
            ),
            kinds: [.ethernet, .ipv4, .ipv6, .udp],
            network: "1.2.3.4 5.6.7.8",
            udp: "udp [dead::beef]:30000 -> [cafe::babe]:13000"
        ),
        RealPacket(
            name: "TCP over IPv4 within IPv6",
            bytes: hex(
                """
                00901a4165410016cf419c20 86dd 60000000002804402002 4637d5d300000000 00004637d5d3
                20014860000020010000000000000068 450000280001000040063b6b4637d5d3c0586301
                7a690050000000000000000050022000d5c40000
                """
            ),
            kinds: [.ethernet, .ipv6, .ipv4, .tcp],
            network: "2002:4637:d5d3::4637:d5d3 2001:4860:0:2001::68",
            tcp: "tcp 70.55.213.211:31337 -> 192.88.99.1:80"
        ),
        RealPacket(
            name: "ICMP over IPv4 in a Register of PIM",
            bytes: hex(
                """
                cc05061cf000cc06061cf001 0800 45000080015e0000ff673664c0a80006c0a801fe 2100deff00000000
                45000064000f0000fe01f6d2c0a8140aef010203 080090e100030000
                """
            ),
            kinds: [.ethernet, .ipv4, .pim, .ipv4, .icmpv4],
            network: "192.168.0.6 192.168.1.254"
        ),
        RealPacket(
            name: "TCP over IPv4 behind a VN-Tag between VLAN tags",
            bytes: hex(
                """
                000000000002000000000001 8100 00fa 8926 00000033 8100 00fa 0800 4500003c000040003a0682480a0a0a010a0a0a02
                01bbde8026dcf2817b67833fa012ffff6fb50000 0204
                """
            ),
            kinds: [.ethernet, .vlan, .vnTag, .vlan, .ipv4],
            network: "10.10.10.1 10.10.10.2",
            tcp: "tcp 10.10.10.1:443 -> 10.10.10.2:56960",
            stop: .truncated(needed: 40, available: 22, at: 48)
        ),
        RealPacket(
            name: "UDP over IPv4 in the clear behind a MACsec tag",
            bytes: hex(
                """
                b6b95d808d79caf9df4f509a 88e5 202200000042caf9df4f509a0064 0800 450000202df140004011a787c0a87201c0a87202
                92531a0a000c89e7 3132330a 079d1505db571783ceb1aec143e4e374
                """
            ),
            kinds: [.ethernet, .macsec, .ipv4, .udp],
            network: "192.168.114.1 192.168.114.2",
            udp: "udp 192.168.114.1:37459 -> 192.168.114.2:6666"
        ),
        RealPacket(
            name: "UDP over IPv4 behind NSH",
            bytes: hex(
                """
                5254004b735f02420a000803 894f 000601010003090700000001000000020000000300000004
                45000022284440004011e96a0a0008030a0d0d0d cc051f40000e0000 626567696e0a
                """
            ),
            kinds: [.ethernet, .nsh, .ipv4, .udp],
            network: "10.0.8.3 10.13.13.13",
            udp: "udp 10.0.8.3:52229 -> 10.13.13.13:8000"
        ),
        RealPacket(
            name: "TCP over IPv4 that a router redirects by WCCP",
            bytes: hex(
                """
                00145e2899a800 0f353aab40 0800 4500010cac830000fd2fa42e0afe7fc20afed652 0000883e 05590048
                450000f0911440004006a6500afe7fc30afe6ce4 050b01bd8383a18a550ac89d8018f98f29090000 0101080a00009e1e01abcb5f
                """
            ),
            kinds: [.ethernet, .ipv4, .gre, .wccp, .ipv4, .tcp],
            network: "10.254.127.194 10.254.214.82",
            tcp: "tcp 10.254.127.195:1291 -> 10.254.108.228:445"
        ),
        RealPacket(
            name: "TCP over IPv4 over a FabricPath",
            bytes: hex(
                """
                15e9fd9c8100424fcb82ac6a 8903 0000 9998cf7389eb829070bf47a7 0800 45000028000100004006 74c50101010602020202
                deadbeef0000000000000000 50022000ec3a0000
                """
            ),
            kinds: [.ethernet, .fabricPath, .ethernet, .ipv4, .tcp],
            network: "1.1.1.6 2.2.2.2",
            tcp: "tcp 1.1.1.6:57005 -> 2.2.2.2:48879"
        ),
    ]
}
