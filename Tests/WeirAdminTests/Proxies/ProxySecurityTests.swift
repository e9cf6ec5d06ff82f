import Support
import Testing
import WeirRelay
import WeirWire

@Suite("Proxies with TLS", .tags(.network), .timeLimit(.minutes(1)))
struct ProxySecurityTests {
    private static func body(_ name: String, _ listen: String, _ upstream: String) -> String {
        #"{"name":"\#(name)","listen":"\#(listen)","upstream":"\#(upstream)"}"#
    }

    @Test("What both sides speak is before their addresses, and can be changed")
    func changes() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        try await withAdmin(relaying: { configuration in
            var settings = TLSServices.Settings()
            settings.authorityFolder = path
            configuration.makeTLS = { [settings] () throws(TLSServicesError) in
                try TLSServices(settings, host: "test") { _ in nil }
            }
        }) { admin in
            let made = try await admin.call("POST", "/proxies", Self.body("a", "tls:127.0.0.1:0", "tcp:localhost:9"))
                .json()
            #expect(made["listen"]?.stringValue?.hasPrefix("tls:127.0.0.1:") == true)
            #expect(made["upstream"] == "tcp:localhost:9")
            // The CA was made for the first route with TLS.
            #expect(try folder.read("ca.pem").count > 100)
            #expect(admin.relay.routes.map(\.route.security) == [RouteSecurity(client: .tls, server: .plain)])
            _ = try await admin.call("POST", "/proxies/a", #"{"upstream":"localhost:9"}"#)
            #expect(admin.relay.routes.map(\.route.security) == [RouteSecurity(client: .tls, server: .tls)])
            let changed = try await admin.call("POST", "/proxies/a", #"{"listen":"auto:127.0.0.1:0"}"#).json()
            #expect(changed["listen"]?.stringValue?.hasPrefix("auto:127.0.0.1:") == true)
            #expect(admin.relay.routes.map(\.route.security) == [RouteSecurity(client: .automatic, server: .automatic)])
            let plain = try await admin.call("POST", "/proxies/a", #"{"listen":"127.0.0.1:0"}"#).json()
            #expect(plain["listen"]?.stringValue?.hasPrefix("127.0.0.1:") == true)
            #expect(admin.relay.routes.map(\.route.security) == [.plain])
        }
    }

    @Test(
        "What cannot be is refused, and changes nothing",
        arguments: [
            ("auto:127.0.0.1:0", "tls:localhost:9", 400), ("127.0.0.1:0", "auto:localhost:9", 400),
            ("udp:127.0.0.1:0", "tls:localhost:9", 400), ("tls:127.0.0.1:0", "localhost:9", 500),
        ]
    )
    func refused(listen: String, upstream: String, status: Int) async throws {
        try await withAdmin { admin in
            let answer = try await admin.call("POST", "/proxies", Self.body("a", listen, upstream))
            #expect(answer.status == status)
            #expect(admin.relay.routes.isEmpty)
        }
    }
}
