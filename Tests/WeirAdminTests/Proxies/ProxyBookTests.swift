import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("The book of proxies", .tags(.network), .timeLimit(.minutes(1)))
struct ProxyBookTests {
    private static func item(_ name: String, _ listen: String, _ upstream: String, _ rest: String = "") -> String {
        #"{"name":"\#(name)","listen":"\#(listen)","upstream":"\#(upstream)"\#(rest)}"#
    }

    private static func populate(_ admin: AdminFixture, _ text: String) async -> String {
        do {
            try await admin.server.populate(Array(text.utf8))
            return "done"
        } catch let error as ProxiesError {
            return (error.isBadText ? "bad: " : "") + error.description.split(separator: "; a file")[0]
        } catch {
            return "\(error)"
        }
    }

    @Test("A mistake in a list names the proxy and its place, and what was before it")
    func namesPlaces() async throws {
        let taken = try TCPServer()
        try await withAdmin { admin in
            let (a, b) = (Self.item("a", "127.0.0.1:0", "127.0.0.1:9"), Self.item("b", "127.0.0.1:0", "127.0.0.1:9"))
            let own = Self.item("x", "127.0.0.1:0", "127.0.0.1:\(admin.server.endpoint.port)")
            let bad = Self.item("x", "127.0.0.1:0", "nonsense")
            let busy = Self.item("x", "\(taken.endpoint)", "127.0.0.1:9")
            let unread = Self.item("x", "nonsense", "127.0.0.1:9")
            let admins =
                "127.0.0.1:\(admin.server.endpoint.port) is this relay's own control API, where no route may lead"
            let cases = [
                ("[\(bad)]", "bad: proxy 1: upstream: address nonsense: missing port in address"),
                ("[\(a),\(b),\(bad)]", "bad: proxy 3: upstream: address nonsense: missing port in address"),
                ("[\(own)]", "bad: proxy 1: \(admins)"), ("[\(a),\(own)]", "bad: proxy 2: \(admins)"),
                ("[\(a),{}]", "bad: missing required field: name at proxy 2"), ("[1\n,\n}]", "bad: line 3: "),
                // What does not depend on the text is found when its turn comes.
                ("[\(a),\(unread),\(own)]", "proxy 2: address nonsense: missing port in address"),
                ("[\(a),\(b),\(busy)]", "proxy 3: listen tcp \(taken.endpoint): bind: address already in use"),
            ]
            for (text, expected) in cases {
                let message = await Self.populate(admin, text)
                #expect(message == expected || expected.hasSuffix(": ") && message.hasPrefix(expected), "\(text)")
                let isRun = !expected.hasPrefix("bad")
                #expect(admin.relay.routes.isEmpty == !isRun, "\(text)")
            }
            #expect(admin.relay.routes.map(\.name) == ["a", "b"])
        }
    }

    @Test("A list disables what it replaces, and enables it again; what is the same keeps its state")
    func populatesDisabled() async throws {
        let free = try LoopbackPort.free()
        try await withAdmin { admin in
            let place = "127.0.0.1:\(free)"
            let changes = [
                (Self.item("a", place, "127.0.0.1:9"), true),
                (Self.item("a", place, "127.0.0.1:9", #","enabled":false"#), true),
                (Self.item("a", place, "127.0.0.1:10", #","enabled":false"#), false),
                (Self.item("a", place, "127.0.0.1:10"), false), (Self.item("a", place, "127.0.0.1:11"), true),
            ]
            for (text, isEnabled) in changes {
                let proxy = try await admin.call("POST", "/populate", "[\(text)]").json()["proxies"]?.arrayValue?[0]
                #expect(proxy?["enabled"] == .bool(isEnabled), "\(text)")
                #expect(admin.relay.route(named: "a")?.isEnabled == isEnabled)
                #expect(proxy?["listen"] == .string(place))
            }
        }
    }

    @Test("The place of a disabled proxy keeps its spelling, and another spelling of it is no change")
    func keepsDisabledSpelling() async throws {
        let (first, second) = (try LoopbackPort.free(), try LoopbackPort.free())
        try await withAdmin { admin in
            let body = Self.item("a", "localhost:\(first)", "127.0.0.1:9", #","enabled":false"#)
            #expect(try await admin.call("POST", "/proxies", body).status == 201)
            let steps = [
                ("127.0.0.1:\(first)", "localhost:\(first)"), ("localhost:\(second)", "localhost:\(second)"),
                ("127.0.0.1:\(second)", "localhost:\(second)"), ("udp:127.0.0.1:\(second)", "udp:127.0.0.1:\(second)"),
            ]
            for (given, shown) in steps {
                let proxy = try await admin.call("PATCH", "/proxies/a", #"{"listen":"\#(given)"}"#).json()
                #expect(proxy["listen"] == .string(shown) && proxy["enabled"] == false, "\(given)")
            }
            #expect(admin.relay.route(named: "a")?.route.transport == .udp)
            #expect(admin.reports.lines.isEmpty)
        }
    }

    @Test(
        "An enabled proxy goes to the other transport at its port, and says nothing where only this machine reaches it"
    )
    func changesTransport() async throws {
        try await withAdmin { admin in
            let made = try await admin.call("POST", "/proxies", Self.item("a", "127.0.0.1:0", "127.0.0.1:9")).json()
            let listen = try #require(made["listen"]?.stringValue)
            for shown in ["udp:\(listen)", listen] {
                let proxy = try await admin.call("PATCH", "/proxies/a", #"{"listen":"\#(shown)"}"#).json()
                #expect(proxy["listen"] == .string(shown))
                #expect(admin.relay.route(named: "a")?.route.transport == (shown == listen ? .tcp : .udp))
            }
            #expect(admin.reports.lines.isEmpty)
        }
    }

    @Test("One toxic is removed of several, and a change that is wrong changes nothing")
    func changesOneToxic() async throws {
        try await withAdmin { admin in
            _ = try await admin.call("POST", "/proxies", Self.item("a", "127.0.0.1:0", "127.0.0.1:9"))
            for (name, stream) in [("x", "downstream"), ("y", "Upstream"), ("z", "downstream")] {
                let body = #"{"type":"noop","name":"\#(name)","stream":"\#(stream)"}"#
                #expect(try await admin.call("POST", "/proxies/a/toxics", body).status == 200)
            }
            func names() async throws -> [String] {
                try await admin.call("GET", "/proxies/a/toxics").json().arrayValue?.compactMap { toxic in
                    toxic["name"]?.stringValue.map { "\($0) \(toxic["stream"]?.stringValue ?? "")" }
                } ?? []
            }
            #expect(try await names() == ["y Upstream", "x downstream", "z downstream"])
            for change in [#"{"toxicity":1.5}"#, #"{"toxicity":-1}"#, #"{"toxicity":"1"}"#, #"{"attributes":7}"#] {
                let refused = try await admin.call("PATCH", "/proxies/a/toxics/y", change)
                #expect(refused.status == 400 && refused.text.hasPrefix(#"{"error":"bad request body: "#), "\(change)")
            }
            let changed = try await admin.call("PATCH", "/proxies/a/toxics/y", #"{"toxicity":0.5,"attributes":null}"#)
            #expect(
                changed.text == #"{"attributes":{},"name":"y","type":"noop","stream":"Upstream","toxicity":0.5}"#
            )
            #expect(try await admin.call("DELETE", "/proxies/a/toxics/x").status == 204)
            #expect(try await names() == ["y Upstream", "z downstream"])
            #expect(try await admin.call("POST", "/reset").status == 204)
            #expect(try await names().isEmpty)
        }
    }

    @Test("The second of two proxies is changed and deleted, and the first stays as it is")
    func changesSecond() async throws {
        try await withAdmin { admin in
            for name in ["a", "b"] {
                _ = try await admin.call("POST", "/proxies", Self.item(name, "127.0.0.1:0", "127.0.0.1:9"))
                _ = try await admin.call("POST", "/proxies/\(name)/toxics", #"{"type":"noop"}"#)
            }
            let first = try await admin.call("GET", "/proxies/a").text
            let changed = try await admin.call("PATCH", "/proxies/b", #"{"upstream":"127.0.0.1:10","enabled":false}"#)
            #expect(try changed.json()["upstream"] == "127.0.0.1:10" && changed.json()["enabled"] == false)
            #expect(try await admin.call("DELETE", "/proxies/b/toxics/noop_downstream").status == 204)
            #expect(try await admin.call("GET", "/proxies/a").text == first)
            #expect(try await admin.call("DELETE", "/proxies/b").status == 204)
            #expect(try await admin.call("GET", "/proxies").text == "{\"a\":\(first)}")
            // A name that is free again has nothing of the one before.
            let again = try await admin.call("POST", "/proxies", Self.item("b", "127.0.0.1:0", "127.0.0.1:9")).json()
            #expect(again["upstream"] == "127.0.0.1:9" && again["enabled"] == true && again["toxics"] == [])
        }
    }
}
