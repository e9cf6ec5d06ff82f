import Glibc
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@testable import WeirAdmin

/// What Go 1.24's `net.SplitHostPort` and `net.Listen` say of the same texts.
@Suite("Addresses as Go reads them")
struct GoAddressTests {
    private static func reading(_ text: String) -> String {
        do throws(GoAddress.Failure) {
            let address = try GoAddress(text)
            return "\(address.transport) \(address.host) \(address.port)"
        } catch {
            return error.description
        }
    }

    @Test(
        "A text is read as Go does, or refused in Go's words",
        arguments: [
            ("", "tcp  0"), ("udp:", "udp  0"), (":80", "tcp  80"), ("udp::80", "udp  80"), ("h:", "tcp h 0"),
            ("h:80", "tcp h 80"), ("udp:h:80", "udp h 80"), ("[::1]:80", "tcp ::1 80"), ("[]:80", "tcp  80"),
            ("127.0.0.1:65535", "tcp 127.0.0.1 65535"), ("h:65536", "address 65536: invalid port"),
            ("h:x", "lookup tcp/x: unknown port"), ("udp:h:8x", "lookup udp/8x: unknown port"),
            ("h:-1", "lookup tcp/-1: unknown port"), ("h", "address h: missing port in address"),
            ("[::1", "address [::1: missing ']' in address"), ("[::1]", "address [::1]: missing port in address"),
            ("[::1]80", "address [::1]80: missing port in address"),
            ("[::1]x:80", "address [::1]x:80: missing port in address"),
            ("[::1]:80:90", "address [::1]:80:90: too many colons in address"),
            ("::1:80", "address ::1:80: too many colons in address"),
            ("a:b:80", "address a:b:80: too many colons in address"),
            ("a[b:80", "address a[b:80: unexpected '[' in address"),
            ("a]b:80", "address a]b:80: unexpected ']' in address"),
            ("[[::1]:80", "address [[::1]:80: unexpected '[' in address"),
            ("[::1]:8]", "address [::1]:8]: unexpected ']' in address"),
            ("h:[80", "address h:[80: unexpected '[' in address"),
        ]
    )
    func reads(text: String, expected: String) {
        #expect(Self.reading(text) == expected)
    }

    private static func listening(_ text: String) -> String {
        do { return "\(try GoAddress(text).listening())" } catch { return "\(error)" }
    }

    private static func target(_ text: String) -> String {
        do { return "\(try GoAddress(text).target())" } catch { return "\(error)" }
    }

    @Test(
        "It listens at one address, or at all of them for each wildcard",
        arguments: [
            (":9", HostPort(.any, 9)), ("0.0.0.0:9", HostPort(.any, 9)), ("[::]:9", HostPort(.any, 9)),
            ("127.0.0.2:9", HostPort(.address(IPAddress(v4: 0x7F00_0002)), 9)),
            ("[::1]:9", HostPort(.address(.loopbackV6), 9)), ("localhost:9", HostPort(.address(.loopbackV4), 9)),
            ("[::ffff:127.0.0.1]:9", HostPort(.address(.loopbackV4), 9)),
        ]
    )
    func listens(text: String, expected: HostPort) throws {
        #expect(try GoAddress(text).listening() == expected)
    }

    @Test(
        "It leads to an address, a name that is not looked up, or this machine if there is no host",
        arguments: [
            (":9", HostPort(.address(.loopbackV4), 9)),
            ("127.0.0.2:9", HostPort(.address(IPAddress(v4: 0x7F00_0002)), 9)),
            ("[::1]:9", HostPort(.address(.loopbackV6), 9)), ("no.such.host:9", HostPort(.name("no.such.host"), 9)),
        ]
    )
    func leads(text: String, expected: HostPort) throws {
        #expect(try GoAddress(text).target() == expected)
    }

    @Test("What cannot be is refused in Go's words")
    func refuses() {
        #expect(Self.listening("a b:9") == "lookup a b: no such host")
        #expect(Self.target("a b:9") == "lookup a b: no such host")
        #expect(Self.target("*:9") == "lookup *: no such host")
        #expect(Self.target("h:0") == "address h:0: invalid port" && Self.target("h:") == "address h:0: invalid port")
        #expect(Self.target("") == "address :0: invalid port")
    }

    @Test("Where it listens is shown in Toxiproxy's form")
    func showsEndpoints() throws {
        let v4 = Endpoint(address: .loopbackV4, port: 9)
        let v6 = Endpoint(address: .loopbackV6, port: 9)
        let all = [Endpoint(address: .anyV4, port: 9), Endpoint(address: .anyV6, port: 9)]
        func text(_ listen: String, _ endpoints: [Endpoint]) throws -> String? {
            GoAddress.text(try Route(parsing: "\(listen)=h:1"), endpoints)
        }
        #expect(try text("tcp:1", []) == nil)
        #expect(try text("udp:1", []) == nil)
        #expect(try text("tcp:1", [v4]) == "127.0.0.1:9")
        #expect(try text("udp:1", [v6]) == "udp:[::1]:9")
        #expect(try text("tcp:1", [v4, v6]) == "127.0.0.1:9")
        #expect(try text("tls:1", all) == "tls:[::]:9")
        #expect(try text("udp:1", all) == "udp:[::]:9")
        #expect(try text("auto:1", [all[0]]) == "auto:0.0.0.0:9")
    }

    @Test(
        "What is spoken is before the address; a host may have such a name",
        arguments: [
            ("tls:h:80", .tls, "tcp h 80"), ("auto::80", .automatic, "tcp  80"), ("tcp:[::1]:80", .plain, "tcp ::1 80"),
            ("tls:80", nil, "tcp tls 80"), ("h:80", nil, "tcp h 80"), ("udp:h:80", nil, "udp h 80"),
        ] as [(String, RouteSecurity.Layer?, String)]
    )
    func layers(text: String, layer: RouteSecurity.Layer?, expected: String) throws {
        #expect(try GoAddress(text).layer == layer)
        #expect(Self.reading(text) == expected)
    }

    @Test(
        "Where a route is to listen is shown, and why it cannot",
        arguments: [
            (HostPort(.any, 9), "[::]:9", ":9"), (HostPort(.loopbackByDefault, 9), "127.0.0.1:9", "127.0.0.1:9"),
            (HostPort(.address(.loopbackV6), 9), "[::1]:9", "[::1]:9"),
            (HostPort(.name("localhost"), 9), "localhost:9", "localhost:9"),
        ]
    )
    func showsRoutes(place: HostPort, text: String, failing: String) {
        let error = SystemError("listen", ErrorNumber(EADDRINUSE))
        for (transport, prefix) in [(Transport.tcp, ""), (.udp, "udp:")] {
            let route = Route(transport, listen: place, target: nil)
            #expect(GoAddress.text(route) == prefix + text)
            let failure = GoAddress.failure(error, listening: route)
            #expect(failure == "listen \(transport) \(failing): bind: address already in use")
            #expect(GoAddress.failure(GoAddress.Failure(description: "why"), listening: route) == "why")
        }
    }
}
