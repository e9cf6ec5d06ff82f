import Support
import Testing
import WeirWire

@testable import WeirRelay

@Suite("Resolved names")
struct ResolvedNamesTests {
    @Test("Remembers each name of an address once, in the order of the answers")
    func remembers() {
        let names = ResolvedNames()
        let endpoints = [Endpoint(address: .loopbackV4, port: 1), Endpoint(address: .loopbackV6, port: 1)]
        names.add("b", endpoints)
        names.add("a", [endpoints[0]])
        names.add("b", endpoints)
        #expect(names.names(of: .loopbackV4) == ["b", "a"] && names.names(of: .loopbackV6) == ["b"])
        #expect(names.names(of: .anyV4) == [])
    }

    @Test("Remembers the names of 4096 addresses, and of none that comes later")
    func bound() {
        let names = ResolvedNames()
        let endpoints = (0..<4099).map { Endpoint(address: IPAddress(v4: 0x0A00_0000 + UInt32($0)), port: 1) }
        names.add("n", Array(endpoints[..<4095]))
        names.add("n", Array(endpoints[4095...]))
        let known = endpoints.map { names.names(of: $0.address) }
        #expect(known == Array(repeating: ["n"], count: 4096) + Array(repeating: [], count: 3))
    }

    @Test("Is told what a target's name was resolved to, and nothing of a target that is an address")
    func target() throws {
        let names = ResolvedNames()
        for host: HostPort.Host in [.name("n.test"), .address(.anyV4)] {
            _ = Target(
                HostPort(host, 80),
                over: .tcp,
                family: nil,
                resolve: { host, _ throws(ResolveError) in [Endpoint(address: .loopbackV6, port: host.port)] },
                names: names,
                report: { Issue.record("\($0)") }
            )
        }
        #expect(names.names(of: .loopbackV6) == ["n.test"] && names.names(of: .anyV4) == [])
    }
}
