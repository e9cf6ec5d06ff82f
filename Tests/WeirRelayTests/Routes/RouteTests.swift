import Testing
import WeirRelay
import WeirWire

@Suite("Route")
struct RouteTests {
    @Test(
        "Parses LISTEN=TARGET, and prints what it parses",
        arguments: [
            (
                "tcp:9000=127.0.0.1:65432",
                Route(
                    .tcp,
                    listen: HostPort(.loopbackByDefault, 9000),
                    target: HostPort(.address(.loopbackV4), 65_432)
                )
            ),
            (
                "udp:[::1]:9000=localhost:65432",
                Route(.udp, listen: HostPort(.address(.loopbackV6), 9000), target: HostPort(.name("localhost"), 65_432))
            ),
            (
                "tcp:*:0=10.0.0.5:80",
                Route(.tcp, listen: HostPort(.any, 0), target: HostPort(.address(IPAddress(v4: 0x0a00_0005)), 80))
            ),
            (
                "udp:[::]:53=[fe80::1%2]:53",
                Route(
                    .udp,
                    listen: HostPort(.address(.anyV6), 53),
                    target: HostPort(.address(IPAddress(v6: 0xfe80 << 48, low: 1, scope: 2)), 53)
                )
            ),
            (
                "tcp:my-host_1.example:1=A.b.C:65535",
                Route(
                    .tcp,
                    listen: HostPort(.name("my-host_1.example"), 1),
                    target: HostPort(.name("A.b.C"), 65_535)
                )
            ),
        ]
    )
    func parses(text: String, route: Route) throws {
        #expect(try Route(parsing: text) == route)
        #expect(route.description == text)
    }

    @Test(
        "Says which part is wrong",
        arguments: [
            ("", "'='"),
            ("tcp:9000", "'='"),
            ("9000=127.0.0.1:80", "'tcp:', 'tls:', 'auto:' or 'udp:'"),
            ("sctp:9000=127.0.0.1:80", "'tcp:', 'tls:', 'auto:' or 'udp:'"),
            ("TCP:9000=127.0.0.1:80", "'tcp:', 'tls:', 'auto:' or 'udp:'"),
            (":9000=127.0.0.1:80", "'tcp:', 'tls:', 'auto:' or 'udp:'"),
            ("tcp:=127.0.0.1:80", "LISTEN ends with a port"),
            ("tcp:65536=127.0.0.1:80", "LISTEN ends with a port"),
            ("tcp:-1=127.0.0.1:80", "LISTEN ends with a port"),
            ("tcp:+1=127.0.0.1:80", "LISTEN ends with a port"),
            ("tcp:1 =127.0.0.1:80", "LISTEN ends with a port"),
            ("tcp:٣=127.0.0.1:80", "LISTEN ends with a port"),
            ("tcp::9000=127.0.0.1:80", "LISTEN has no host"),
            ("tcp:::1:9000=127.0.0.1:80", "LISTEN has an IPv6 address, which stands in brackets: [::1]"),
            ("tcp:[127.0.0.1]:9000=127.0.0.1:80", "LISTEN has '127.0.0.1' in brackets"),
            ("tcp:[]:9000=127.0.0.1:80", "LISTEN has '' in brackets"),
            ("tcp:9000=", "TARGET ends with HOST:PORT"),
            ("tcp:9000=80", "TARGET needs a host"),
            ("tcp:9000=localhost", "TARGET ends with HOST:PORT"),
            ("tcp:9000=localhost:http", "TARGET ends with HOST:PORT"),
            ("tcp:9000=*:80", "TARGET cannot be '*'"),
            ("tcp:9000=localhost:0", "TARGET needs a port"),
            ("tcp:9000=:80", "TARGET has no host"),
            ("tcp:9000=::1:80", "TARGET has an IPv6 address, which stands in brackets: [::1]"),
            ("tcp:9000=256.0.0.1:80", "TARGET has '256.0.0.1'"),
            ("tcp:9000=1.2.3:80", "TARGET has '1.2.3'"),
            ("tcp:9000=host name:80", "TARGET has 'host name'"),
            ("tcp:9000=host/path:80", "TARGET has 'host/path'"),
            ("tcp:9000=höst:80", "TARGET has 'höst'"),
            ("tcp:9000=a=b:80", "TARGET has 'a=b'"),
            ("tcp:9000=\(String(repeating: "a", count: 254)):80", "TARGET has 'aaa"),
        ]
    )
    func refuses(text: String, problem: String) {
        let error = #expect(throws: RouteError.self) { try Route(parsing: text) }
        #expect(error?.text == text)
        #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "")")
    }

    @Test("Parses LISTEN alone for an echo server", arguments: ["tcp:7", "udp:*:0", "tcp:[::1]:7"])
    func echo(text: String) throws {
        let route = try Route(echo: text)
        #expect(route.target == nil)
        #expect(route.description == text)
    }

    @Test("Refuses what is no LISTEN", arguments: ["", "7", "tcp", "tcp:", "tcp:x", "tcp:7=127.0.0.1:7"])
    func refusesEcho(text: String) {
        #expect(throws: RouteError.self) { try Route(echo: text) }
    }
}
