import NIOCore
import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("Who may steer a relay", .tags(.network), .timeLimit(.minutes(2)))
struct SafetyTests {
    @Test(
        "Without a token Host must name the loopback",
        arguments: [
            ("localhost", true), ("localhost:8474", true), ("LOCALHOST", true), ("127.0.0.1:1", true),
            ("127.9.9.9", true), ("[::1]:8474", true), ("[::1]", true), ("a.localhost", true), ("localhost.", true),
            ("evil.example", false), ("evil.example:8474", false), ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false), ("127.0.0.1@evil.example", false), ("10.0.0.1", false), ("", false),
            ("[::2]:1", false), ("[::1]evil", false), ("localhost:80evil", false), ("::1", false),
            ("evillocalhost", false), ("evillocalhost:8474", false), (".localhost.evil", false),
        ]
    )
    func checksHost(host: String, isIn: Bool) async throws {
        #expect(AccessPolicy.isLoopback(host: host) == isIn)
        try await withAdmin { admin in
            let answer = try await admin.call("GET", "/v1/health", host: host)
            #expect(answer.status == (isIn ? 200 : host.isEmpty ? 403 : 403))
            let toxiproxy = try await admin.call("GET", "/proxies", host: host)
            #expect(toxiproxy.status == (isIn ? 200 : 403))
        }
    }

    @Test("Two Hosts, or none, are refused")
    func countsHosts() async throws {
        try await withAdmin { admin in
            let two = "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
            let refused = try await admin.send(two)
            #expect(refused.status >= 400)
            let old = try await admin.send("GET /v1/health HTTP/1.0\r\nConnection: close\r\n\r\n")
            #expect(old.status == 403)
        }
    }

    @Test("A page of another origin may neither change nor read anything, one of our own may do both")
    func checksOrigin() async throws {
        try await withAdmin { admin in
            let body = #"{"name":"x","listen":"127.0.0.1:0","upstream":"a:1","enabled":false}"#
            var foreign = ["http://evil.example", "https://evil.example", "null", "https://\(admin.authority)", ""]
                .map { [("Origin", $0)] }
            foreign += ["cross-site", "same-site", "nonsense", ""].map { [("Sec-Fetch-Site", $0)] }
            let own = [("Origin", "http://\(admin.authority)"), ("Sec-Fetch-Site", "same-origin")]
            foreign += [own + [("Origin", "http://127.0.0.1:1")], own + [("Sec-Fetch-Site", "cross-site")]]
            for headers in foreign {
                let answer = try await admin.call("POST", "/proxies", body, headers: headers)
                #expect(answer.status == 403, "\(headers)")
                for (method, path) in [
                    ("GET", "/proxies"), ("GET", "/v1/events?event=data&bytes=true&limit=1"), ("HEAD", "/v1/events"),
                    ("GET", "/metrics"), ("OPTIONS", "/proxies"),
                ] {
                    let read = try await admin.call(method, path, headers: headers)
                    #expect(read.status == 403, "\(method) \(path) \(headers)")
                    #expect(read.header("access-control-allow-origin") == nil)
                }
            }
            #expect(try await admin.call("GET", "/proxies").text == "{}")
            #expect(try await admin.call("POST", "/proxies", body, headers: own).status == 201)
            #expect(try await admin.call("GET", "/proxies", headers: own).status == 200)
            let typed = [("Sec-Fetch-Site", "none")]
            #expect(try await admin.call("GET", "/v1/health", headers: typed).status == 200)
        }
    }

    @Test("With a token every call needs it, and Host is not checked")
    func asksForToken() async throws {
        try await withAdmin(configure: { try $0.requireToken(" s3cret-token-of-16\n") }) { admin in
            let authorizations: [String?] = [
                nil, "Bearer", "Bearer wrong", "Bearer s3cret-token-of-1",
                "Bearer s3cret-token-of-16x", "Basic s3cret-token-of-16",
                "Bearer s3cret-token-of-16s3cret-token-of-16",
            ]
            for path in ["/proxies", "/v1/health", "/metrics", "/nothing"] {
                for authorization in authorizations {
                    let headers = authorization.map { [("Authorization", $0)] } ?? []
                    let answer = try await admin.call("GET", path, headers: headers)
                    #expect(answer.status == 401, "\(path) \(authorization ?? "none")")
                    #expect(answer.header("www-authenticate")?.hasPrefix("Bearer") == true)
                }
            }
            let right = [("Authorization", "bearer s3cret-token-of-16")]
            #expect(try await admin.call("GET", "/v1/health", headers: right, host: "relay.example").status == 200)
        }
    }

    @Test("Without a token it listens on the loopback alone")
    func bindsLoopback() async throws {
        for place in ["0.0.0.0:0", "[::]:0"] {
            var settings = AdminSettings()
            try settings.listen(at: place)
            await #expect(throws: AdminSettingsError.self, "\(place)") { try await AdminServer(settings) }
        }
        var settings = AdminSettings()
        #expect(throws: AdminSettingsError.self) { try settings.listen(at: "nonsense") }
        #expect(throws: AdminSettingsError.self) { try settings.listen(at: "*:8474") }
        #expect(throws: AdminSettingsError.self) { try settings.keepCaptures(in: "") }
        #expect(throws: AdminSettingsError.self) { try settings.requireToken(" \n") }
        #expect(throws: AdminSettingsError.self) { try settings.requireToken("two words of 16 bytes") }
    }

    @Test("A token has 16 characters or more, blanks around it not counted", arguments: [1, 15, 16, 17])
    func tokenLength(_ length: Int) throws {
        var settings = AdminSettings()
        let text = " " + String(repeating: "x", count: length) + " \n"
        guard length < 16 else { return try settings.requireToken(text) }
        #expect {
            try settings.requireToken(text)
        } throws: {
            "\($0)".contains("\(length) characters") && "\($0)".contains("16 or more")
        }
    }

    @Test("No proxy leads to the control API, by whatever name")
    func refusesItself() async throws {
        try await withAdmin { admin in
            let port = admin.server.endpoint.port
            let hosts = [
                "127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "0.0.0.0", "[::ffff:127.0.0.1]", "[::]",
                "0", "",
            ]
            for (index, host) in hosts.enumerated() {
                let body = #"{"name":"x\#(index)","listen":"127.0.0.1:0","upstream":"\#(host):\#(port)"}"#
                let answer = try await admin.call("POST", "/proxies", body)
                // [::] reaches ::1 alone, where nobody listens.
                if host == "[::]" { continue }
                #expect(answer.status == 400, "\(host): \(answer.text)")
            }
            let other = #"{"name":"y","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}"#
            #expect(try await admin.call("POST", "/proxies", other).status == 201)
            let change = try await admin.call("PATCH", "/proxies/y", #"{"upstream":"localhost:\#(port)"}"#)
            #expect(change.status == 400)
        }
    }

    @Test("A body of 100 MB is refused, and not kept")
    func boundsBodies() async throws {
        try await withAdmin { admin in
            let endpoint = admin.server.endpoint
            let bytes = try await runThread {
                let peer = try TCPPeer(to: endpoint)
                try peer.send("POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n")
                // The answer may come, and the connection end, before all is sent.
                try? peer.send(100_000_000, seed: 1)
                return try peer.receiveToEnd().bytes
            }
            #expect(bytes.isEmpty || String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 413"))
            let chunked = try await runThread {
                let peer = try TCPPeer(to: endpoint)
                try peer.send("POST /proxies HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<40 { try? peer.send("10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n") }
                return try peer.receiveToEnd().bytes
            }
            #expect(chunked.isEmpty || String(decoding: chunked, as: UTF8.self).hasPrefix("HTTP/1.1 413"))
            #expect(try await admin.call("GET", "/v1/health").status == 200)
        }
    }

    @Test("Headers are bounded in size and in number")
    func boundsHeaders() async throws {
        try await withAdmin { admin in
            let long = String(repeating: "x", count: 100_000)
            let large = try await admin.call("GET", "/v1/health", headers: [("X-Long", long)])
            #expect(large.status == 400)
            let many = (0..<200).map { ("X-\($0)", "1") }
            let crowded = try await admin.call("GET", "/v1/health", headers: many)
            #expect(crowded.status == 400)
        }
    }

    @Test("1,000 idle connections keep nobody out")
    func boundsConnections() async throws {
        try await withAdmin { admin in
            let endpoint = admin.server.endpoint
            let idle = try await runThread { try (0..<1000).map { _ in try TCPPeer(to: endpoint) } }
            #expect(try await admin.call("GET", "/v1/health").status == 200)
            for peer in idle { peer.close() }
        }
    }

    @Test("A request that does not come whole in time is given up, one by one byte as well")
    func boundsRequests() async throws {
        try await withAdmin(configure: { $0.times.request = .milliseconds(300) }) { admin in
            let endpoint = admin.server.endpoint
            for start in [
                "", "GET /v1/he", "POST /proxies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nab",
            ] {
                let ending = try await runThread {
                    let peer = try TCPPeer(to: endpoint)
                    if !start.isEmpty { try peer.send(start) }
                    return try peer.receiveToEnd()
                }
                #expect(ending.bytes.isEmpty, "\(start)")
            }
        }
    }

    @Test("A reader of events who takes nothing is cut off, and the relay goes on", arguments: [true, false])
    func boundsReaders(isStalled: Bool) async throws {
        try await withAdmin(["tcp:0"], configure: { $0.times.progress = .milliseconds(300) }) { admin in
            let endpoint = admin.server.endpoint
            let reader = try await runThread {
                let peer = try TCPPeer(to: endpoint, receiveBuffer: 4096)
                try peer.send("GET /v1/events?event=data&bytes=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return peer
            }
            while try await admin.call("GET", "/metrics").text.contains("weir_event_listeners 0") {}
            try await runThread {
                let client = try TCPPeer(to: admin.relay.endpoint)
                for _ in 0..<64 {
                    try client.send(65_536, seed: 1)
                    _ = try client.receive(65_536)
                }
            }
            if isStalled {
                while try await !admin.call("GET", "/metrics").text.contains("weir_event_listeners 0") {}
            } else {
                let text = try await runThread { try reader.receive(20_000) }
                #expect(String(decoding: text, as: UTF8.self).contains("event: data"))
            }
            reader.close()
        }
    }

    @Test("Requests that are no HTTP, or ask for no path, end with 400")
    func refusesNonsense() async throws {
        try await withAdmin { admin in
            for text in [
                "nonsense\r\n\r\n", "GET //evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            ] {
                let answer = try await admin.send(text)
                #expect(answer.status == 400, "\(text)")
            }
        }
    }
}
