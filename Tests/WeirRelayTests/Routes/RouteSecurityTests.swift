import Testing
import WeirWire

@testable import WeirRelay

@Suite("Routes with TLS, as text")
struct RouteSecurityTests {
    @Test(
        "The layer before LISTEN is that of both sides, unless TARGET has one of its own",
        arguments: [
            ("tcp:1=h:2", .plain, .plain, "tcp:1=h:2"), ("tls:1=h:2", .tls, .tls, "tls:1=h:2"),
            ("tls:1=tcp:h:2", .tls, .plain, "tls:1=tcp:h:2"), ("tcp:1=tls:h:2", .plain, .tls, "tcp:1=tls:h:2"),
            ("tls:1=tls:h:2", .tls, .tls, "tls:1=h:2"), ("tcp:1=tcp:h:2", .plain, .plain, "tcp:1=h:2"),
            ("tls:*:1=tls:[::1]:2", .tls, .tls, "tls:*:1=[::1]:2"),
            ("auto:1=h:2", .automatic, .automatic, "auto:1=h:2"),
            ("auto:1=tcp:h:2", .automatic, .plain, "auto:1=tcp:h:2"),
            // A host may have such a name.
            ("tcp:1=tls:2", .plain, .plain, "tcp:1=tls:2"), ("tls:1=tcp:2", .tls, .tls, "tls:1=tcp:2"),
        ] as [(String, RouteSecurity.Layer, RouteSecurity.Layer, String)]
    )
    func layers(
        text: String,
        client: RouteSecurity.Layer,
        server: RouteSecurity.Layer,
        printed: String
    ) throws {
        let route = try Route(parsing: text)
        #expect(route.transport == .tcp && route.security == RouteSecurity(client: client, server: server))
        #expect(route.description == printed)
        #expect(try Route(parsing: printed) == route)
    }

    @Test("What comes decides for the sides that follow it")
    func resolving() throws {
        let follows = try Route(parsing: "auto:1=h:2").security
        #expect(follows.resolved(isTLS: true) == RouteSecurity(client: .tls, server: .tls))
        #expect(follows.resolved(isTLS: false) == .plain)
        let terminates = try Route(parsing: "auto:1=tcp:h:2").security
        #expect(terminates.resolved(isTLS: true) == RouteSecurity(client: .tls, server: .plain))
        #expect(terminates.resolved(isTLS: false) == .plain)
    }

    @Test("An echo server may be behind TLS; datagrams have no layer")
    func others() throws {
        #expect(try Route(echo: "tls:9").security == RouteSecurity(client: .tls, server: .plain))
        #expect(try Route(echo: "auto:9").security == RouteSecurity(client: .automatic, server: .plain))
        #expect(try Route(echo: "tcp:9").security == .plain)
        #expect(throws: RouteError.self) { try Route(parsing: "udp:1=tls:h:2") }
        #expect(throws: RouteError.self) { try Route(parsing: "TLS:1=h:2") }
    }
}
