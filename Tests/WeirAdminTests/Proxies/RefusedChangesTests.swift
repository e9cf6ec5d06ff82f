import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

/// What is refused changes nothing, and where listening fails the old listener stays.
@Suite("Changes of proxies that are refused", .tags(.network), .timeLimit(.minutes(1)))
struct RefusedChangesTests {
    /// Makes a proxy `one` with a toxic and an open flow, and checks after a body that all of it is as it was.
    private static func withProxy(
        _ body: (AdminFixture, _ listen: Endpoint, _ upstream: Endpoint) async throws -> Void
    ) async throws {
        let server = try TCPServer()
        try await withAdmin { admin in
            let proxy = #"{"name":"one","listen":"127.0.0.1:0","upstream":"\#(server.endpoint)"}"#
            let made = try await admin.call("POST", "/proxies", proxy).json()
            let text = try #require(made["listen"]?.stringValue)
            let listen = try #require(Endpoint(text))
            #expect(try await admin.call("POST", "/proxies/one/toxics", #"{"type":"noop"}"#).status == 200)
            let (client, peer) = try await runThread { (try TCPPeer(to: listen), try server.accept()) }
            let before = try await admin.call("GET", "/proxies").text
            try await body(admin, listen, server.endpoint)
            #expect(try await admin.call("GET", "/proxies").text == before)
            try await runThread {
                try client.send("still open")
                #expect(try peer.receive(10) == Array("still open".utf8))
                let (next, other) = (try TCPPeer(to: listen), try server.accept())
                try next.send("and for others")
                #expect(try other.receive(14) == Array("and for others".utf8))
            }
        }
    }

    @Test(
        "An update that is refused leaves the proxy, its flows and what is shown of it as they were",
        arguments: [
            (#"{"upstream":"nonsense"}"#, 400), (#"{"upstream":"127.0.0.1:LISTEN"}"#, 400),
            (#"{"upstream":"localhost:LISTEN","enabled":false}"#, 400), (#"{"upstream":"127.1:ADMIN"}"#, 400),
            (#"{"upstream":"localhost:ADMIN","listen":"127.0.0.1:0"}"#, 400), (#"{"upstream":1}"#, 400),
            (#"{"listen":"127.0.0.1:ADMIN"}"#, 500), (#"{"listen":"127.0.0.1:ADMIN","upstream":"127.0.0.1:9"}"#, 500),
            (#"{"listen":"nonsense","enabled":false}"#, 500), (#"{"listen":"192.0.2.1:LISTEN"}"#, 500),
            (#"{"enabled":"no"}"#, 400),
        ]
    )
    func keepsProxy(body: String, status: Int) async throws {
        try await Self.withProxy { admin, listen, _ in
            let body = body.replacing("LISTEN", with: "\(listen.port)")
                .replacing("ADMIN", with: "\(admin.server.endpoint.port)")
            for method in ["PATCH", "POST"] {
                let answer = try await admin.call(method, "/proxies/one", body)
                #expect(answer.status == status, "\(answer.text)")
            }
        }
    }

    @Test(
        "A list that is refused makes and replaces nothing, whatever comes before its mistake",
        arguments: [
            (#"{"name":"one","listen":"127.0.0.1:0","upstream":"localhost:ADMIN"}"#, 400),
            (#"{"name":"one","listen":"127.0.0.1:LISTEN","upstream":"localhost:LISTEN"}"#, 400),
            (#"{"name":"one","upstream":"nonsense"}"#, 400), (#"{"name":"one"}"#, 400), ("7", 400),
            (
                #"{"name":"one","listen":"127.0.0.1:FREE","upstream":"localhost:LISTEN"},"#
                    + #"{"name":"three","listen":"127.0.0.1:LISTEN","upstream":"localhost:FREE"}"#, 400
            ),
        ]
    )
    func keepsProxies(items: String, status: Int) async throws {
        let free = try LoopbackPort.free()
        try await Self.withProxy { admin, listen, upstream in
            let items = items.replacing("LISTEN", with: "\(listen.port)").replacing("FREE", with: "\(free)")
                .replacing("ADMIN", with: "\(admin.server.endpoint.port)")
            let first = #"{"name":"two","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}"#
            let answer = try await admin.call("POST", "/populate", "[\(first),\(items)]")
            let proxies = try answer.json()["proxies"]
            #expect(answer.status == status && proxies == .null, "\(answer.text)")
        }
    }

    @Test("Where a proxy of a list cannot listen, the one that it was to replace stays with its toxics")
    func keepsReplaced() async throws {
        let taken = try TCPServer()
        try await Self.withProxy { admin, _, _ in
            let other = #"{"name":"one","listen":"\#(taken.endpoint)","upstream":"127.0.0.1:9"}"#
            let answer = try await admin.call("POST", "/populate", "[\(other)]")
            let proxies = try answer.json()["proxies"]
            #expect(answer.status == 500 && proxies == .null, "\(answer.text)")
        }
    }

    @Test("A name is compared by what it resolves to, also for a proxy that is disabled and by way of others")
    func resolvesNames() async throws {
        let free = try LoopbackPort.free()
        try await withAdmin { admin in
            func make(_ name: String, _ listen: String, _ upstream: String, enabled: Bool = true) async throws -> Int {
                let body = #"{"name":"\#(name)","listen":"\#(listen)","upstream":"\#(upstream)","enabled":\#(enabled)}"#
                return try await admin.call("POST", "/proxies", body).status
            }
            let port = admin.server.endpoint.port
            for host in ["127.0.0.1", "localhost", "127.1"] {
                for enabled in [true, false] {
                    #expect(try await make("x", "127.0.0.1:0", "\(host):\(port)", enabled: enabled) == 400, "\(host)")
                    let own = try await make("x", "127.0.0.1:\(free)", "\(host):\(free)", enabled: enabled)
                    #expect(own == 400, "\(host) \(enabled)")
                }
            }
            // a -> b -> c, and back: by names alone.
            #expect(try await make("a", "127.0.0.1:\(free)", "127.0.0.1:9") == 201)
            #expect(try await make("b", "127.0.0.1:0", "localhost:\(free)") == 201)
            let b = try #require(try await admin.call("GET", "/proxies/b").json()["listen"]?.stringValue)
            let change = #"{"upstream":"\#(b.replacing("127.0.0.1", with: "localhost"))"}"#
            #expect(try await admin.call("PATCH", "/proxies/a", change).status == 400)
            #expect(try await admin.call("GET", "/proxies/a").json()["upstream"] == "127.0.0.1:9")
        }
    }

    @Test("A reset that would make a circle of proxies changes nothing")
    func keepsCircles() async throws {
        let free = try LoopbackPort.free()
        try await withAdmin { admin in
            let a = #"{"name":"a","listen":"127.0.0.1:\#(free)","upstream":"127.0.0.1:9"}"#
            let b = #"{"name":"b","listen":"127.0.0.1:0","upstream":"localhost:\#(free)"}"#
            for body in [a, b] { #expect(try await admin.call("POST", "/proxies", body).status == 201) }
            let listen = try #require(try await admin.call("GET", "/proxies/b").json()["listen"]?.stringValue)
            #expect(try await admin.call("PATCH", "/proxies/b", #"{"enabled":false}"#).status == 200)
            #expect(try await admin.call("PATCH", "/proxies/a", #"{"upstream":"\#(listen)"}"#).status == 200)
            #expect(try await admin.call("POST", "/proxies/a/toxics", #"{"type":"noop"}"#).status == 200)
            let before = try await admin.call("GET", "/proxies").text
            #expect(try await admin.call("POST", "/reset").status == 400)
            #expect(try await admin.call("PATCH", "/proxies/b", #"{"enabled":true}"#).status == 400)
            #expect(try await admin.call("GET", "/proxies").text == before)
        }
    }
}
