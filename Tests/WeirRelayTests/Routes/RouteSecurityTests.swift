import Testing
import WeirWire

@testable import WeirRelay

@Suite("Routes with TLS, as text")
struct RouteSecurityTests {
    @Test(
        "The layer before LISTEN is that of both sides, unless TARGET has one of its own",
        arguments: [
            ("tcp:1=h:2", false, false, "tcp:1=h:2"), ("tls:1=h:2", true, true, "tls:1=h:2"),
            ("tls:1=tcp:h:2", true, false, "tls:1=tcp:h:2"), ("tcp:1=tls:h:2", false, true, "tcp:1=tls:h:2"),
            ("tls:1=tls:h:2", true, true, "tls:1=h:2"), ("tcp:1=tcp:h:2", false, false, "tcp:1=h:2"),
            ("tls:*:1=tls:[::1]:2", true, true, "tls:*:1=[::1]:2"),
            // A host may have such a name.
            ("tcp:1=tls:2", false, false, "tcp:1=tls:2"), ("tls:1=tcp:2", true, true, "tls:1=tcp:2"),
        ]
    )
    func layers(text: String, client: Bool, server: Bool, printed: String) throws {
        let route = try Route(parsing: text)
        #expect(route.transport == .tcp && route.security == RouteSecurity(client: client, server: server))
        #expect(route.description == printed)
        #expect(try Route(parsing: printed) == route)
    }

    @Test("An echo server may be behind TLS; datagrams have no layer")
    func others() throws {
        #expect(try Route(echo: "tls:9").security == RouteSecurity(client: true, server: false))
        #expect(try Route(echo: "tcp:9").security == .plain)
        #expect(throws: RouteError.self) { try Route(parsing: "udp:1=tls:h:2") }
        #expect(throws: RouteError.self) { try Route(parsing: "TLS:1=h:2") }
    }
}
