import Support
import Testing
import WeirWire

@Suite("Endpoint")
struct EndpointTests {
    @Test(
        "Prints what it parses",
        arguments: [
            ("127.0.0.1:80", Endpoint(address: .loopbackV4, port: 80)),
            ("[::1]:80", Endpoint(address: .loopbackV6, port: 80)),
            ("[fe80::1%2]:80", Endpoint(address: IPAddress(v6: 0xfe80 << 48, low: 1, scope: 2), port: 80)),
            ("0.0.0.0:0", Endpoint(address: .anyV4, port: 0)),
            ("[::]:65535", Endpoint(address: .anyV6, port: 65_535)),
            ("[::ffff:1.2.3.4]:9", Endpoint(address: IPAddress(v6: 0, low: 0xffff_0102_0304), port: 9)),
        ]
    )
    func text(text: String, endpoint: Endpoint) {
        #expect(Endpoint(text) == endpoint)
        #expect(Endpoint(utf8: text.utf8.span) == endpoint)
        #expect(endpoint.description == text)
        #expect(rendered { endpoint.write(to: &$0) } == text)
    }

    @Test(
        "Refuses anything else",
        arguments: [
            "", ":", ":80", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:080",
            "127.0.0.1:00",
            "127.0.0.1:65536", "127.0.0.1:100000", "127.0.0.1: 80", "127.0.0.1:80 ", " 127.0.0.1:80", "127.0.0.1:http",
            "127.0.0.1::80", "127.0.0.1:80:80", "localhost:80", "::1:80", "::1", "[::1]", "[::1]:", "[::1]80",
            "[::1] :80",
            "[::1:80", "::1]:80", "[[::1]]:80", "[]:80", "[:80", "]:80", "[127.0.0.1]:80", "[::1%0]:80",
            "[::1%eth0]:80",
            "[fe80::1]%2:80", "[::1]:8_0", "[::1]:٣",
        ]
    )
    func refuses(text: String) {
        #expect(Endpoint(text) == nil)
    }

    @Test("Gets each endpoint back from its text")
    func roundTrip() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<10_000 {
            let address = IPAddress.random(using: &generator)
            let endpoint = Endpoint(address: address, port: .random(in: 0 ... .max, using: &generator))
            #expect(Endpoint(endpoint.description) == endpoint)
        }
    }

    @Test("Takes every port and no other")
    func ports() {
        for port in 0...70_000 {
            #expect(Endpoint("1.2.3.4:\(port)").map { Int($0.port) } == (port <= 65_535 ? port : nil))
        }
    }

    @Test("Sorts by address, then by port")
    func order() {
        let first = Endpoint(address: .anyV4, port: 9)
        let second = Endpoint(address: .loopbackV4, port: 1)
        let third = Endpoint(address: .loopbackV4, port: 2)
        #expect([third, second, first].sorted() == [first, second, third])
        #expect(!(second < second))
    }

    @Test("Tells apart what differs in the port, the family or the zone only")
    func hashing() {
        let endpoints = [
            Endpoint(address: .loopbackV6, port: 1), Endpoint(address: .loopbackV6, port: 2),
            Endpoint(address: IPAddress(v6: 0, low: 1, scope: 1), port: 1),
            Endpoint(address: IPAddress(v4: 1), port: 1),
        ]
        #expect(Set(endpoints + endpoints).count == 4)
        #expect(Set(endpoints.map(\.hashValue)).count == 4)
    }
}
