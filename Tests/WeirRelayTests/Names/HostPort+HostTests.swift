import Glibc
import Testing
import WeirRelay
import WeirWire

@Suite("A host that stands alone")
struct HostTests {
    @Test(
        "Takes addresses with or without brackets, and names",
        arguments: [
            ("127.0.0.1", HostPort.Host.address(.loopbackV4)),
            ("::1", .address(.loopbackV6)),
            ("[::1]", .address(.loopbackV6)),
            ("fe80::1%7", .address(IPAddress(v6: 0xfe80 << 48, low: 1, scope: 7))),
            ("[fe80::1%7]", .address(IPAddress(v6: 0xfe80 << 48, low: 1, scope: 7))),
            ("localhost", .name("localhost")),
            ("127.1", .name("127.1")),
            ("my_host.example-1.org.", .name("my_host.example-1.org.")),
            ("bücher.example", .name("bücher.example")),
        ]
    )
    func takes(text: String, host: HostPort.Host) throws {
        #expect(try HostPort.Host(alone: text) == host)
    }

    @Test("Takes an interface's name as the zone")
    func interface() throws {
        let host = HostPort.Host.address(IPAddress(v6: 0xfe80 << 48, low: 1, scope: if_nametoindex("lo")))
        #expect(try HostPort.Host(alone: "fe80::1%lo") == host)
        #expect(try HostPort.Host(alone: "[fe80::1%lo]") == host)
        #expect(throws: ResolveError.self) { try HostPort.Host(alone: "fe80::1%no-such") }
    }

    @Test("A name has 253 bytes at most, alone and in a route")
    func longNames() throws {
        let name = String(repeating: "a", count: 253)
        #expect(try HostPort.Host(alone: name) == .name(name))
        #expect(try HostPort.Host(alone: name + "a") == nil)
        #expect(try Route(parsing: "tcp:1=\(name):80").target == HostPort(.name(name), 80))
        #expect(throws: RouteError.self) { try Route(parsing: "tcp:1=\(name)a:80") }
    }

    @Test(
        "Refuses what can be neither",
        arguments: [
            "", "[]", "[127.0.0.1]", "[localhost]", "[::1", "::1]", "::g", "1.2.3.4:80", "a b", "*", "127.0.0.1%lo",
            "::1%",
        ]
    )
    func refuses(text: String) throws {
        #expect(try HostPort.Host(alone: text) == nil)
    }
}
