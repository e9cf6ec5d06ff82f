import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@testable import WeirAdmin

/// Compares what is answered with what Toxiproxy 2.12 answers, row by row of its table.
@Suite("Toxiproxy's API", .tags(.network), .timeLimit(.minutes(1)))
struct ToxiproxyTests {
    private static let one = #"{"name":"one","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}"#

    private static func isError(_ answer: Answer, _ status: Int, _ message: String) {
        #expect(answer.status == status)
        #expect(answer.text == "{\"error\":\"\(message)\",\"status\":\(status)}\n")
        #expect(answer.header("content-type") == "text/plain; charset=utf-8")
        #expect(answer.header("x-content-type-options") == "nosniff")
        #expect(answer.header("x-toxiproxy-request-id")?.count == 20)
    }

    @Test("There are no proxies at first, and one that was made is listed by its name")
    func listsProxies() async throws {
        try await withAdmin { admin in
            let none = try await admin.call("GET", "/proxies")
            #expect(none.status == 200 && none.text == "{}")
            #expect(none.header("content-type") == "application/json")
            let made = try await admin.call("POST", "/proxies", Self.one)
            #expect(made.status == 201)
            let listen = try #require(try made.json()["listen"]?.stringValue)
            #expect(listen.hasPrefix("127.0.0.1:") && listen != "127.0.0.1:0")
            let text =
                #"{"name":"one","listen":"\#(listen)","upstream":"127.0.0.1:9","enabled":true,"Logger":{},"toxics":[]}"#
            #expect(made.text == text)
            #expect(try await admin.call("GET", "/proxies").text == "{\"one\":\(text)}")
            #expect(try await admin.call("GET", "/proxies/one").text == text)
        }
    }

    @Test(
        "A proxy that is wrong is refused, with Toxiproxy's words",
        arguments: [
            ("", "bad request body: EOF"), ("{", "bad request body: unexpected EOF"),
            ("{}", "missing required field: name"), ("null", "missing required field: name"),
            (#"{"name":"x"}"#, "missing required field: upstream"),
            (#"{"NAME":"","upstream":"a:1"}"#, "missing required field: name"),
            (
                #"{"name":1,"upstream":"a:1"}"#,
                "bad request body: json: cannot unmarshal number into Go struct field .name of type string"
            ), ("[]", "bad request body: json: cannot unmarshal array into Go value of type struct"),
            ("xyz", "bad request body: invalid character 'x' looking for beginning of value"),
        ]
    )
    func refusesProxies(body: String, message: String) async throws {
        try await withAdmin { admin in
            Self.isError(try await admin.call("POST", "/proxies", body), 400, message)
        }
    }

    @Test("A name that is taken, a port that is taken and an address that is none are said")
    func refusesPlaces() async throws {
        let taken = try TCPServer()
        try await withAdmin { admin in
            _ = try await admin.call("POST", "/proxies", Self.one)
            Self.isError(try await admin.call("POST", "/proxies", Self.one), 409, "proxy already exists")
            let port = #"{"name":"two","listen":"\#(taken.endpoint)","upstream":"127.0.0.1:9"}"#
            Self.isError(
                try await admin.call("POST", "/proxies", port),
                500,
                "listen tcp \(taken.endpoint): bind: address already in use"
            )
            let text = #"{"name":"two","listen":"local373","upstream":"127.0.0.1:9"}"#
            Self.isError(
                try await admin.call("POST", "/proxies", text),
                500,
                "address local373: missing port in address"
            )
            #expect(try await admin.call("GET", "/proxies/two").status == 404)
        }
    }

    @Test("Keys are known in any case, others are passed over, and only the first value is read")
    func readsAsGoDoes() async throws {
        try await withAdmin { admin in
            let body = #"{"Name":"a","UPSTREAM":"h:1","Listen":"localhost:0","enabled":false,"other":[1]} trailing"#
            let made = try await admin.call("POST", "/proxies", body, headers: [("Content-Type", "text/nonsense")])
            #expect(made.status == 201)
            #expect(try made.json()["listen"] == "localhost:0")
            #expect(try made.json()["enabled"] == false)
            let enabled = try await admin.call("PATCH", "/proxies/a", #"{"enabled":true,"name":"b"}"#)
            #expect(enabled.status == 200)
            #expect(try enabled.json()["name"] == "a")
            #expect(try enabled.json()["listen"]?.stringValue?.hasPrefix("127.0.0.1:") == true)
            #expect(try enabled.json()["upstream"] == "h:1")
        }
    }

    @Test("A proxy is changed by PATCH and POST, keeps its toxics, and is deleted", arguments: ["PATCH", "POST"])
    func changesProxies(method: String) async throws {
        try await withAdmin { admin in
            let made = try await admin.call("POST", "/proxies", Self.one).json()
            let listen = try #require(made["listen"]?.stringValue)
            _ = try await admin.call("POST", "/proxies/one/toxics", #"{"type":"noop"}"#)
            let changed = try await admin.call(method, "/proxies/one", #"{"upstream":"127.0.0.1:10"}"#).json()
            #expect(changed["upstream"] == "127.0.0.1:10" && changed["listen"]?.stringValue == listen)
            #expect(changed["toxics"]?.arrayValue?.count == 1)
            let off = try await admin.call(method, "/proxies/one", #"{"enabled":false}"#).json()
            #expect(off["enabled"] == false && off["listen"]?.stringValue == listen)
            Self.isError(try await admin.call(method, "/proxies/two", "{}"), 404, "proxy not found")
            Self.isError(try await admin.call(method, "/proxies/one", ""), 400, "bad request body: EOF")
            let gone = try await admin.call("DELETE", "/proxies/one")
            #expect(gone.status == 204 && gone.body.isEmpty)
            Self.isError(try await admin.call("DELETE", "/proxies/one"), 404, "proxy not found")
            Self.isError(try await admin.call("GET", "/proxies/one"), 404, "proxy not found")
        }
    }

    @Test("Toxics are made with their defaults, listed upstream first, changed and removed")
    func changesToxics() async throws {
        try await withAdmin { admin in
            _ = try await admin.call("POST", "/proxies", Self.one)
            #expect(try await admin.call("GET", "/proxies/one/toxics").text == "[]")
            let body = #"{"type":"latency","attributes":{"latency":100}}"#
            let made = try await admin.call("POST", "/proxies/one/toxics", body)
            #expect(made.status == 200)
            let text =
                #"{"attributes":{"latency":100,"jitter":0},"name":"latency_downstream","type":"latency","#
                + #""stream":"downstream","toxicity":1}"#
            #expect(made.text == text)
            let second = #"{"type":"bandwidth","stream":"UPSTREAM","name":"b","toxicity":0.5,"attributes":{"rate":1}}"#
            let upstream = try await admin.call("POST", "/proxies/one/toxics", second)
            let secondText =
                #"{"attributes":{"rate":1},"name":"b","type":"bandwidth","stream":"UPSTREAM","toxicity":0.5}"#
            #expect(upstream.text == secondText)
            #expect(try await admin.call("GET", "/proxies/one/toxics").text == "[\(secondText),\(text)]")
            #expect(try await admin.call("GET", "/proxies/one/toxics/b").text == secondText)
            for method in ["PATCH", "POST"] {
                let change = #"{"attributes":{"jitter":5},"name":"ignored","stream":"upstream"}"#
                let changed = try await admin.call(method, "/proxies/one/toxics/latency_downstream", change)
                #expect(changed.status == 200)
                #expect(changed.text == text.replacing(#""jitter":0"#, with: #""jitter":5"#))
            }
            let gone = try await admin.call("DELETE", "/proxies/one/toxics/b")
            #expect(gone.status == 204 && gone.body.isEmpty)
        }
    }

    @Test("A toxic that is wrong is refused, in Toxiproxy's order")
    func refusesToxics() async throws {
        try await withAdmin { admin in
            _ = try await admin.call("POST", "/proxies", Self.one)
            func post(_ body: String, to proxy: String = "one") async throws -> Answer {
                try await admin.call("POST", "/proxies/\(proxy)/toxics", body)
            }
            Self.isError(try await post("", to: "none"), 404, "proxy not found")
            Self.isError(try await post("{"), 400, "bad request body: unexpected EOF")
            let stream = "stream was invalid, can be either upstream or downstream"
            Self.isError(try await post(#"{"type":"x","stream":""}"#), 400, stream)
            Self.isError(try await post(#"{"type":"x"}"#), 400, "invalid toxic type")
            _ = try await post(#"{"type":"noop","name":"n"}"#)
            let twice = #"{"type":"latency","name":"n","stream":"upstream","attributes":{"latency":"x"}}"#
            Self.isError(try await post(twice), 409, "toxic already exists")
            let wrong = try await post(#"{"type":"latency","attributes":{"latency":"x"}}"#)
            #expect(wrong.status == 400 && wrong.text.hasPrefix(#"{"error":"bad request body: "#))
            let path = "/proxies/one/toxics/none"
            for method in ["GET", "PATCH", "POST", "DELETE"] {
                Self.isError(try await admin.call(method, path, "{}"), 404, "toxic not found")
                let other = path.replacing("one", with: "two")
                Self.isError(try await admin.call(method, other, "{}"), 404, "proxy not found")
            }
        }
    }

    @Test("A list of proxies is made; what is the same is kept, what differs is replaced, and a failure stops there")
    func populates() async throws {
        let taken = try TCPServer()
        try await withAdmin { admin in
            let empty = try await admin.call("POST", "/populate", "[]")
            #expect(empty.status == 201 && empty.text == #"{"proxies":null}"#)
            #expect(try await admin.call("POST", "/populate", "[\(Self.one)]").status == 201)
            _ = try await admin.call("POST", "/proxies/one/toxics", #"{"type":"noop"}"#)
            let listen = try #require(try await admin.call("GET", "/proxies/one").json()["listen"]?.stringValue)
            let same = #"[{"name":"one","listen":"\#(listen)","upstream":"127.0.0.1:9"}]"#
            let kept = try await admin.call("POST", "/populate", same).json()["proxies"]?.arrayValue?.first
            #expect(kept?["toxics"]?.arrayValue?.count == 1)
            let other = try await admin.call("POST", "/populate", same.replacing("9\"}", with: "10\"}")).json()
            #expect(other["proxies"]?.arrayValue?.first?["toxics"] == [])
            let missing = try await admin.call("POST", "/populate", #"[{"name":"x","upstream":"a:1"},{"name":"y"}]"#)
            #expect(missing.status == 400)
            #expect(
                missing.text
                    == #"{"error":"missing required field: upstream at proxy 2","status":400,"proxies":null}"#
            )
            #expect(missing.header("content-type") == "application/json")
            #expect(try await admin.call("GET", "/proxies/x").status == 404)
            let bad =
                #"[{"name":"x","listen":"127.0.0.1:0","upstream":"a:1"},"#
                + #"{"name":"y","listen":"\#(taken.endpoint)","upstream":"a:1"},{"name":"z","upstream":"a:1"}]"#
            let stopped = try await admin.call("POST", "/populate", bad)
            #expect(stopped.status == 500)
            let value = try stopped.json()
            #expect(value["proxies"]?.arrayValue?.map { $0["name"] } == ["x"])
            #expect(value["error"]?.stringValue == "listen tcp \(taken.endpoint): bind: address already in use")
            #expect(try await admin.call("GET", "/proxies/z").status == 404)
        }
    }

    @Test("Reset enables every proxy and removes every toxic")
    func resets() async throws {
        try await withAdmin { admin in
            _ = try await admin.call("POST", "/proxies", Self.one)
            _ = try await admin.call("POST", "/proxies/one/toxics", #"{"type":"noop"}"#)
            _ = try await admin.call("PATCH", "/proxies/one", #"{"enabled":false}"#)
            let reset = try await admin.call("POST", "/reset", "nonsense")
            #expect(reset.status == 204 && reset.body.isEmpty)
            let proxy = try await admin.call("GET", "/proxies/one").json()
            #expect(proxy["enabled"] == true && proxy["toxics"] == [])
        }
    }

    @Test("The version is one for which clients use PATCH")
    func tellsItsVersion() async throws {
        try await withAdmin { admin in
            let answer = try await admin.call("GET", "/version")
            #expect(answer.text == "{\"version\": \"2.12.0\"}\n")
            #expect(answer.header("content-type") == "application/json;charset=utf-8")
        }
    }

    @Test("Unknown paths, wrong methods, HEAD and browsers are answered as Toxiproxy does")
    func refusesRequests() async throws {
        try await withAdmin { admin in
            for path in ["/", "/proxies/", "/nothing", "/proxies/a/b", "/proxies/a/toxics/b/c"] {
                let answer = try await admin.call("GET", path)
                #expect(answer.status == 404 && answer.text == "404 page not found\n", "\(path)")
                #expect(answer.header("x-toxiproxy-request-id") == nil)
            }
            for (method, path) in [
                ("HEAD", "/proxies"), ("PUT", "/proxies"), ("GET", "/reset"), ("DELETE", "/version"),
            ] {
                let answer = try await admin.call(method, path)
                #expect(answer.status == 405 && answer.body.isEmpty, "\(method) \(path)")
            }
            let browser = try await admin.call("GET", "/proxies", headers: [("User-Agent", "Mozilla/5.0")])
            #expect(browser.status == 403 && browser.text == "User agent not allowed\n")
            let ours = try await admin.call("GET", "/v1/health", headers: [("User-Agent", "Mozilla/5.0")])
            #expect(ours.status == 200)
        }
    }

    @Test("A proxy whose listen is empty listens on every address, which is said as a warning")
    func listensEverywhere() async throws {
        try await withAdmin { admin in
            let body = #"{"name":"one","upstream":"127.0.0.1:9","enabled":false}"#
            let made = try await admin.call("POST", "/proxies", body).json()
            #expect(made["listen"] == "" && made["enabled"] == false)
            #expect(admin.reports.lines.isEmpty)
            for text in ["", ":0", "0.0.0.0:0", "[::]:0"] {
                let address = try GoAddress(text)
                #expect(try address.listening() == HostPort(.any, 0), "\(text)")
            }
        }
    }

    @Test("A proxy of UDP is one whose listen begins with udp:")
    func relaysDatagrams() async throws {
        let server = try UDPPeer()
        try await withAdmin { admin in
            let body = #"{"name":"u","listen":"udp:127.0.0.1:0","upstream":"\#(try #require(server.local))"}"#
            let made = try await admin.call("POST", "/proxies", body).json()
            let listen = try #require(made["listen"]?.stringValue)
            let endpoint = try #require(Endpoint(String(listen.dropFirst(4))))
            #expect(listen.hasPrefix("udp:"))
            try await runThread {
                let client = try UDPPeer(to: endpoint)
                try client.send("hello")
                #expect(try server.receiveText() == "hello")
            }
        }
    }

    @Test("A toxic acts on a flow that is open, and its removal releases the flow")
    func actsAtOnce() async throws {
        let server = try TCPServer()
        try await withAdmin { admin in
            let body = #"{"name":"one","listen":"127.0.0.1:0","upstream":"\#(server.endpoint)"}"#
            let listen = try #require(try await admin.call("POST", "/proxies", body).json()["listen"]?.stringValue)
            let endpoint = try #require(Endpoint(listen))
            let (client, peer) = try await runThread { (try TCPPeer(to: endpoint), try server.accept()) }
            let toxic = #"{"type":"latency","stream":"upstream","attributes":{"latency":3600000}}"#
            #expect(try await admin.call("POST", "/proxies/one/toxics", toxic).status == 200)
            try await runThread { try client.send("held") }
            while await admin.relay.tallies().isEmpty { await Task.yield() }
            #expect(try await admin.call("DELETE", "/proxies/one/toxics/latency_upstream").status == 204)
            #expect(try await runThread { try peer.receive(4) } == Array("held".utf8))
        }
    }

    /// What drops the connections of a proxy: a method, a path behind the proxy's, and a body.
    private static let drops = [
        ("DELETE", "", ""), ("PATCH", "", #"{"enabled":false}"#), ("PATCH", "", #"{"upstream":"127.0.0.1:9"}"#),
        ("POST", "", #"{"listen":"127.0.0.1:0"}"#), ("DELETE", "/toxics/timeout_downstream", ""),
    ]

    @Test(
        "Connections are dropped where a proxy goes, stops or leads elsewhere, and where a timeout goes",
        arguments: drops
    )
    func dropsConnections(method: String, path: String, body: String) async throws {
        let server = try TCPServer()
        try await withAdmin { admin in
            let proxy = #"{"name":"one","listen":"127.0.0.1:0","upstream":"\#(server.endpoint)"}"#
            let listen = try #require(try await admin.call("POST", "/proxies", proxy).json()["listen"]?.stringValue)
            let endpoint = try #require(Endpoint(listen))
            #expect(try await admin.call("POST", "/proxies/one/toxics", #"{"type":"timeout"}"#).status == 200)
            let (client, peer) = try await runThread { (try TCPPeer(to: endpoint), try server.accept()) }
            while await admin.relay.tallies().first?.openFlows != 1 { await Task.yield() }
            // What changes nothing drops nothing.
            let same = #"{"listen":"\#(listen)","upstream":"\#(server.endpoint)","enabled":true}"#
            #expect(try await admin.call("PATCH", "/proxies/one", same).status == 200)
            #expect(await admin.relay.tallies().first?.openFlows == 1)
            let status = try await admin.call(method, "/proxies/one" + path, body).status
            #expect(status == (method == "DELETE" ? 204 : 200))
            #expect(try await runThread { try client.receiveToEnd().bytes }.isEmpty)
            #expect(try await runThread { try peer.receiveToEnd().bytes }.isEmpty)
        }
    }

    @Test("Where a port is taken meanwhile, a change and a reset say so, and the proxy stays disabled")
    func cannotListenAgain() async throws {
        try await withAdmin { admin in
            let made = try await admin.call("POST", "/proxies", Self.one).json()
            let listen = try #require(made["listen"]?.stringValue)
            _ = try await admin.call("PATCH", "/proxies/one", #"{"enabled":false}"#)
            let taken = try TCPServer(at: try #require(Endpoint(listen)))
            let message = "listen tcp \(taken.endpoint): bind: address already in use"
            Self.isError(try await admin.call("PATCH", "/proxies/one", #"{"enabled":true}"#), 500, message)
            Self.isError(try await admin.call("POST", "/reset"), 500, message)
            #expect(try await admin.call("GET", "/proxies/one").json()["enabled"] == false)
        }
    }
}
