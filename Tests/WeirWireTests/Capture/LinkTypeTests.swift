import Testing
import WeirWire

@Suite("Link types")
struct LinkTypeTests {
    @Test(
        "Have the numbers and the names of the registry",
        arguments: [
            (.null, 0, "NULL"), (.ethernet, 1, "ETHERNET"), (.ppp, 9, "PPP"), (.rawBSD, 12, "RAW"),
            (.rawOpenBSD, 14, "RAW"), (.raw, 101, "RAW"), (.ciscoHDLC, 104, "C_HDLC"), (.loop, 108, "LOOP"),
            (.linuxSLL, 113, "LINUX_SLL"), (.ipv4, 228, "IPV4"), (.ipv6, 229, "IPV6"), (.nflog, 239, "NFLOG"),
            (.upperPDU, 252, "WIRESHARK_UPPER_PDU"), (.pktap, 258, "PKTAP"), (.linuxSLL2, 276, "LINUX_SLL2"),
            (LinkType(rawValue: 147), 147, "link type 147"),
        ] as [(LinkType, UInt16, String)]
    )
    func registry(type: LinkType, number: UInt16, name: String) {
        #expect(type.rawValue == number && "\(type)" == name)
    }
}
