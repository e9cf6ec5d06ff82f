import Testing
import WeirWire

@Suite("Protocol numbers")
struct IPProtocolTests {
    @Test("Of IP are those of the registry")
    func internet() {
        let numbers: [IPProtocol] = [
            .hopByHopOptions, .icmp, .ipv4, .tcp, .udp, .ipv6, .routing, .fragment, .gre, .authentication, .icmpv6,
            .none, .destinationOptions, .pim, .mobility, .mpls, .hostIdentity, .shim6,
        ]
        #expect(
            numbers.map(\.rawValue) == [0, 1, 4, 6, 17, 41, 43, 44, 47, 51, 58, 59, 60, 103, 135, 137, 139, 140]
        )
    }

    @Test("Of the transports are TCP's and UDP's, and no other is one")
    func transports() {
        #expect(Transport.allCases.map { IPProtocol($0) } == [.tcp, .udp])
        let found = (UInt8.min ... .max).filter { Transport(IPProtocol(rawValue: $0)) != nil }
        #expect(found == [6, 17])
        #expect(Transport(IPProtocol.tcp) == .tcp && Transport(IPProtocol.udp) == .udp)
    }

    @Test("Of Linux's packets are those of the kernel")
    func packetTypes() {
        let types: [LinuxPacketType] = [.toUs, .broadcast, .multicast, .toOther, .fromUs]
        #expect(types.map(\.rawValue) == [0, 1, 2, 3, 4])
    }
}
