import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

/// What the clients of Toxiproxy send: Go's whole proxies, Python's nulls, Ruby's lists that are made again.
@Suite("Calls of Toxiproxy's clients", .tags(.network), .timeLimit(.minutes(1)))
struct ClientCallsTests {
    private static let one = #"{"name":"one","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}"#

    @Test(
        "Each of Toxiproxy's toxics is made in either stream, with all its attributes, changed and removed",
        arguments: [
            ("latency", #"{"latency":1000,"jitter":10}"#), ("latency", #"{"latency":0,"jitter":0}"#),
            ("bandwidth", #"{"rate":0}"#), ("bandwidth", #"{"rate":32}"#), ("slow_close", #"{"delay":100}"#),
            ("timeout", #"{"timeout":0}"#), ("reset_peer", #"{"timeout":2000}"#), ("limit_data", #"{"bytes":6}"#),
            ("slicer", #"{"average_size":64,"size_variation":32,"delay":10}"#), ("noop", "{}"),
        ]
    )
    func makesToxics(type: String, attributes: String) async throws {
        try await withAdmin { admin in
            _ = try await admin.call("POST", "/proxies", Self.one)
            for stream in ["upstream", "downstream"] {
                let (name, path) = ("\(type)_\(stream)", "/proxies/one/toxics")
                let expected =
                    #"{"attributes":\#(attributes),"name":"\#(name)","type":"\#(type)","stream":"\#(stream)","toxicity":1}"#
                // As Go and Ruby send it: the name is empty, or their own default.
                let body =
                    #"{"name":"","type":"\#(type)","stream":"\#(stream)","toxicity":1.0,"attributes":\#(attributes)}"#
                #expect(try await admin.call("POST", path, body).text == expected)
                #expect(try await admin.call("GET", "\(path)/\(name)").text == expected)
                #expect(
                    try await admin.call("GET", path).json().arrayValue?.contains { $0["name"] == .string(name) }
                        == true
                )
                let half = try await admin.call("POST", "\(path)/\(name)", #"{"toxicity":0.5,"attributes":{}}"#)
                #expect(half.text == expected.replacing(#""toxicity":1"#, with: #""toxicity":0.5"#))
                #expect(try await admin.call("DELETE", "\(path)/\(name)").status == 204)
                #expect(try await admin.call("GET", path).text == "[]")
            }
        }
    }

    @Test("An attribute that is missing is 0", arguments: [("latency", #"{"latency":0,"jitter":0}"#)])
    func fillsIn(type: String, attributes: String) async throws {
        try await withAdmin { admin in
            _ = try await admin.call("POST", "/proxies", Self.one)
            for body in [#"{"type":"\#(type)"}"#, #"{"type":"\#(type)","name":"n","attributes":null}"#] {
                let made = try await admin.call("POST", "/proxies/one/toxics", body)
                #expect(made.status == 200 && made.text.hasPrefix(#"{"attributes":\#(attributes),"#))
            }
        }
    }

    @Test("A value that is null is one that is missing")
    func takesNull() async throws {
        try await withAdmin { admin in
            let body = #"{"name":"one","listen":null,"upstream":"127.0.0.1:9","enabled":false}"#
            #expect(try await admin.call("POST", "/proxies", body).json()["listen"] == "")
            let change = #"{"listen":null,"upstream":null,"enabled":null}"#
            let same = try await admin.call("PATCH", "/proxies/one", change).json()
            #expect(same["listen"] == "" && same["upstream"] == "127.0.0.1:9" && same["enabled"] == false)
        }
    }

    @Test("Go sends the whole proxy with each change, and what is disabled or enabled twice stays so")
    func savesProxies() async throws {
        try await withAdmin { admin in
            var proxy = try await admin.call("POST", "/proxies", Self.one).text
            for (from, to) in [("true", "false"), ("false", "false"), ("false", "true"), ("true", "true")] {
                let expected = proxy.replacing(#""enabled":\#(from)"#, with: #""enabled":\#(to)"#)
                #expect(try await admin.call("PATCH", "/proxies/one", expected).text == expected)
                proxy = expected
            }
        }
    }

    @Test("Ruby makes a list again with another listen, then another upstream, and finds its mistakes by their place")
    func populatesAgain() async throws {
        let ports = [try LoopbackPort.free(), try LoopbackPort.free()]
        try await withAdmin { admin in
            for (port, upstream) in [(ports[0], "localhost:9"), (ports[1], "localhost:9"), (ports[1], "localhost:10")] {
                let item = #"{"name":"a","listen":"localhost:\#(port)","upstream":"\#(upstream)"}"#
                for _ in 0..<2 {
                    let answer = try await admin.call("POST", "/populate", "[\(item)]")
                    let proxy = try answer.json()["proxies"]?.arrayValue?.first
                    #expect(answer.status == 201 && proxy?["upstream"] == .string(upstream))
                    #expect(proxy?["listen"] == .string("127.0.0.1:\(port)"))
                }
            }
            let nameless = try await admin.call("POST", "/populate", #"[{"name":"b","upstream":"a:1"},{}]"#)
            #expect(nameless.text.hasPrefix(#"{"error":"missing required field: name at proxy 2","status":400"#))
            #expect(try await admin.call("GET", "/proxies").json().members?.map(\.key) == ["a"])
        }
    }
}
