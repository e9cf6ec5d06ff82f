import Testing
import WeirWire

@testable import WeirCapture

@Suite("Route filter")
struct RouteFilterTests {
    private func end(_ transport: Transport, _ port: UInt16, _ address: IPAddress = .loopbackV4) -> (
        Transport, Endpoint
    ) {
        (transport, Endpoint(address: address, port: port))
    }

    @Test("A filter names each port of each transport once")
    func ports() {
        let ends = [end(.tcp, 9000), end(.tcp, 80), end(.tcp, 80, .loopbackV6), end(.tcp, 9000, .anyV4)]
        #expect(RouteFilter.text(for: ends) == "tcp port 80 or tcp port 9000")
    }

    @Test("Where UDP is relayed, fragments pass too: only a first one has ports")
    func fragments() {
        #expect(
            RouteFilter.text(for: [end(.udp, 53), end(.tcp, 80)])
                == "tcp port 80 or udp port 53 or (ip proto 17 and ip[6:2] & 0x1fff != 0) or ip6[6] == 44"
        )
    }
}
