import Support
import Testing
import WeirAnalysis
import WeirEngine

@testable import WeirRelay

@Suite("The host's ports", .tags(.network), .timeLimit(.minutes(1)))
struct HostPortsTests {
    @Test("The range and the reserved ports are those of the network that is looked at", .needsRoot)
    func ranges() throws {
        let namespace = try NetworkNamespace()
        #expect(try namespace.make { HostPorts.reserved() }.isEmpty)
        try namespace.run(
            "sysctl",
            ["-qw", "net.ipv4.ip_local_port_range=40000 40199", "net.ipv4.ip_local_reserved_ports=8080,9000-9010"]
        )
        #expect(try namespace.make { HostPorts.range() } == PortRange(40_000, 40_199))
        #expect(try namespace.make { HostPorts.reserved() } == [PortRange(8080, 8080), PortRange(9000, 9010)])
    }
}
