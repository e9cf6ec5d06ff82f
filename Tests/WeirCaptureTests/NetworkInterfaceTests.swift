#if LiveCapture
import Support
import Testing
import WeirCapture
import WeirWire

@Suite("Network interfaces", .tags(.network))
struct NetworkInterfaceTests {
    @Test("The loopback is up and has its addresses; what stands for all interfaces is none")
    func loopback() throws {
        let all = try NetworkInterface.all()
        let loopback = try #require(all.first { $0.name == "lo" })
        #expect(loopback.isLoopback && loopback.isUp && loopback.addresses.contains(.loopbackV4))
        if LoopbackSocket.hasIPv6 { #expect(loopback.addresses.contains(.loopbackV6)) }
        #expect(NetworkInterface.loopbackName == "lo" && all.count(where: \.isLoopback) == 1)
        let any = try #require(all.first { $0.name == "any" })
        #expect(!any.isLoopback && any.addresses.isEmpty)
        #expect(Set(all.map(\.name)).count == all.count)
    }

    @Test("An interface that is down is told to be", .needsRoot)
    func down() throws {
        let namespace = try NetworkNamespace()
        try namespace.run("ip", ["link", "set", "lo", "down"])
        let states = try namespace.make { try NetworkInterface.all().filter { $0.name == "lo" }.map(\.isUp) }
        #expect(states == [false])
    }
}
#endif
