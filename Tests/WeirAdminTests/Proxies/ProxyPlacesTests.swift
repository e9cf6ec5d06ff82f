import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

/// Where proxies listen, and what they are called, as they are disabled, enabled, moved and reset.
@Suite("Places of proxies", .tags(.network), .timeLimit(.minutes(1)))
struct ProxyPlacesTests {
    private static func echoes(at listen: Endpoint) async throws {
        try await runThread {
            let client = try TCPPeer(to: listen)
            try client.send("hello")
            #expect(try client.receive(5) == Array("hello".utf8))
        }
    }

    @Test(
        "A route of the command line is disabled and enabled again at its port, and keeps its spelling",
        arguments: ["tcp:PORT", "tcp:localhost:PORT", "tcp:127.0.0.1:PORT", "tcp:0", "udp:PORT", "udp:localhost:0"]
    )
    func keepsSpelling(place: String) async throws {
        let text = place.replacing("PORT", with: "\(try LoopbackPort.free())")
        let server = try TCPServer()
        try await withAdmin([text + "=\(server.endpoint)"]) { admin in
            let status = try #require(admin.relay.routes.first)
            let (name, port, endpoints) = (status.name, status.endpoints[0].port, status.endpoints)
            let host = place.contains("localhost") ? "localhost" : "127.0.0.1"
            let listen = (place.hasPrefix("udp") ? "udp:" : "") + "\(host):\(port)"
            #expect(try await admin.call("GET", "/proxies/\(name)").json()["listen"]?.stringValue == listen)
            // As Ruby's and Python's clients do it, and as Go's does, which sends the whole proxy.
            let whole = #""listen":"\#(listen)","upstream":"\#(server.endpoint)""#
            for rest in ["", "," + whole] {
                for enabled in [false, true] {
                    let body = #"{"enabled":\#(enabled)\#(rest)}"#
                    let answer = try await admin.call("POST", "/proxies/\(name)", body)
                    #expect(answer.status == 200, "\(answer.text)")
                    let proxy = try answer.json()
                    #expect(proxy["listen"]?.stringValue == listen && proxy["enabled"] == .bool(enabled))
                    #expect(admin.relay.route(named: name)?.endpoints == (enabled ? endpoints : []))
                }
            }
            #expect(try await admin.call("PATCH", "/proxies/\(name)", #"{"enabled":false}"#).status == 200)
            #expect(try await admin.call("POST", "/reset").status == 204)
            #expect(admin.relay.route(named: name)?.endpoints == endpoints)
        }
    }

    @Test("A listener's proxy has its transport, its port and its address, or listens on every address")
    func namesOfListeners() async throws {
        try await withAdmin(["tcp:127.0.0.1:0", "tcp:0.0.0.0:0", "udp:127.0.0.1:0"]) { admin in
            // They are in order of their names, which have the ports that the kernel chose.
            func order(_ status: RouteStatus) -> Int {
                status.route.transport == .udp ? 2 : status.endpoints[0].address.isUnspecified ? 1 : 0
            }
            let routes = admin.relay.routes.sorted { order($0) < order($1) }
            try #require(routes.count == 3)
            let ports = routes.map { $0.endpoints[0].port }
            let other = try #require((1...UInt16.max).first { !ports.contains($0) })
            let (own, second) = (IPAddress.loopbackV4, IPAddress(v4: 0x7f00_0002))
            let cases: [(Transport, IPAddress, UInt16, String?)] = [
                (.tcp, own, ports[0], routes[0].name), (.tcp, second, ports[0], nil), (.tcp, own, other, nil),
                (.tcp, own, ports[1], routes[1].name), (.tcp, second, ports[1], routes[1].name),
                (.tcp, second, other, nil), (.udp, own, ports[2], routes[2].name), (.udp, second, ports[2], nil),
                (.udp, own, other, nil), (.udp, .anyV4, ports[2], nil), (.tcp, .anyV4, ports[1], routes[1].name),
            ]
            let book = ProxyBook(admin.relay) { _ in }
            for (transport, address, port, name) in cases {
                let listener = Endpoint(address: address, port: port)
                #expect(book.name(transport, listener) == name, "\(transport) \(listener)")
            }
        }
    }

    @Test("The command line's echo servers are disabled and enabled again as well")
    func keepsEchoServers() async throws {
        try await withAdmin(["tcp:0"]) { admin in
            let name = try #require(admin.relay.routes.first).name
            let off = try await admin.call("PATCH", "/proxies/\(name)", #"{"enabled":false}"#)
            #expect(off.status == 200, "\(off.text)")
            #expect(try await admin.call("PATCH", "/proxies/\(name)", #"{"enabled":true}"#).status == 200)
            try await Self.echoes(at: admin.relay.endpoint)
        }
    }

    @Test("The port that the kernel chose stays the proxy's own", arguments: ["127.0.0.1:0", "localhost:0", "[::1]:0"])
    func keepsPort(place: String) async throws {
        try await withAdmin(["tcp:0"]) { admin in
            let body = #"{"name":"one","listen":"\#(place)","upstream":"\#(admin.relay.endpoint)"}"#
            let listen = try #require(try await admin.call("POST", "/proxies", body).json()["listen"]?.stringValue)
            let endpoint = try #require(Endpoint(listen))
            for enable in [
                ("POST", "/reset", ""), ("POST", "/proxies/one", #"{"enabled":true}"#), ("POST", "/reset", ""),
            ] {
                let off = try await admin.call("POST", "/proxies/one", #"{"enabled":false}"#).json()
                #expect(off["listen"]?.stringValue == listen && off["enabled"] == false)
                #expect(try await admin.call(enable.0, enable.1, enable.2).status < 300)
                #expect(try await admin.call("GET", "/proxies/one").json()["listen"]?.stringValue == listen)
                try await Self.echoes(at: endpoint)
            }
            // Port 0 asks for another one.
            let moved = try await admin.call("PATCH", "/proxies/one", #"{"listen":"127.0.0.1:0"}"#).json()
            #expect(moved["listen"]?.stringValue != listen)
        }
    }

    @Test("A proxy moves to another port, its old one is free then, and a toxic's stream keeps its spelling")
    func moves() async throws {
        let free = try LoopbackPort.free()
        try await withAdmin(["tcp:0"]) { admin in
            let body = #"{"name":"one","listen":"127.0.0.1:0","upstream":"\#(admin.relay.endpoint)"}"#
            let listen = try #require(try await admin.call("POST", "/proxies", body).json()["listen"]?.stringValue)
            let toxic = #"{"type":"noop","name":"n","stream":"Upstream"}"#
            #expect(try await admin.call("POST", "/proxies/one/toxics", toxic).json()["stream"] == "Upstream")
            for change in [
                #"{"listen":"localhost:\#(free)"}"#, #"{"upstream":"localhost:\#(admin.relay.endpoint.port)"}"#,
                #"{"enabled":false}"#, #"{"enabled":true}"#,
            ] {
                let proxy = try await admin.call("PATCH", "/proxies/one", change).json()
                #expect(proxy["toxics"]?.arrayValue?.map { $0["stream"] } == ["Upstream"], "\(change)")
                #expect(proxy["listen"] == .string("127.0.0.1:\(free)"))
                #expect(try await admin.call("GET", "/proxies/one/toxics/n").json()["stream"] == "Upstream")
            }
            try await Self.echoes(at: Endpoint(address: .loopbackV4, port: free))
            _ = try TCPServer(at: try #require(Endpoint(listen)))
        }
    }

    @Test("A proxy that leads elsewhere goes on listening, and its next flow goes there", arguments: ["", "udp:"])
    func leadsElsewhere(prefix: String) async throws {
        let (first, second) = (try UDPPeer(), try UDPPeer())
        try await withAdmin(["tcp:0", "tcp:0"]) { admin in
            let isUDP = !prefix.isEmpty
            var targets = admin.relay.listeners.map(\.endpoint)
            if isUDP { targets = [try #require(first.local), try #require(second.local)] }
            let body = #"{"name":"one","listen":"\#(prefix)127.0.0.1:0","upstream":"\#(targets[0])"}"#
            let listen = try #require(try await admin.call("POST", "/proxies", body).json()["listen"]?.stringValue)
            let endpoint = try #require(Endpoint(String(listen.dropFirst(prefix.count))))
            let client = try await runThread { try UDPPeer(to: endpoint) }
            if isUDP {
                try await runThread {
                    try client.send("to the first")
                    #expect(try first.receiveText() == "to the first")
                }
            }
            let change = #"{"upstream":"\#(targets[1])"}"#
            #expect(try await admin.call("PATCH", "/proxies/one", change).json()["listen"]?.stringValue == listen)
            guard isUDP else { return try await Self.echoes(at: endpoint) }
            try await runThread {
                try client.send("to the second")
                #expect(try second.receiveText() == "to the second")
            }
        }
    }
}
