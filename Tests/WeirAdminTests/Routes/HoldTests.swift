import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("Chunks that are held", .tags(.network), .timeLimit(.minutes(1)))
struct HoldTests {
    /// Starts a relay to a server with a hold on what clients send, and a client that is connected through it.
    private static func withHold(
        timeout: Int = 60_000,
        _ body: (AdminFixture, _ client: TCPPeer, _ server: TCPPeer) async throws -> Void
    ) async throws {
        let server = try TCPServer()
        try await withAdmin([server.route]) { admin in
            let proxy = "tcp-\(admin.relay.endpoint.port)"
            let toxic = #"{"type":"hold","name":"h","stream":"upstream","attributes":{"timeout":\#(timeout)}}"#
            #expect(try await admin.call("POST", "/proxies/\(proxy)/toxics", toxic).status == 200)
            let endpoint = admin.relay.endpoint
            let (client, peer) = try await runThread { (try TCPPeer(to: endpoint), try server.accept()) }
            try await body(admin, client, peer)
            client.close()
            peer.close()
        }
    }

    /// Waits until so many chunks are held, and returns them.
    private static func held(_ admin: AdminFixture, _ count: Int) async throws -> [JSONValue] {
        while true {
            let held = try await admin.call("GET", "/v1/holds?wait=1&limit=1000").json()["holds"]?.arrayValue ?? []
            if held.count >= count { return held }
        }
    }

    private static func decide(_ admin: AdminFixture, _ held: JSONValue, _ body: String) async throws -> Int {
        let id = try #require(held["id"]?.stringValue)
        return try await admin.call("POST", "/v1/holds/\(id)", body).status
    }

    private static func edit(_ text: String) -> String {
        #"{"action":"edit","bytes":"\#(Base64.encode(Array(text.utf8)))"}"#
    }

    @Test(
        "A chunk waits, and goes on as it is, longer, shorter or not at all",
        arguments: [
            (#"{"action":"forward"}"#, "original"), (edit("a good deal longer"), "a good deal longer"),
            (edit("s"), "s"),
            (edit(""), ""), (#"{"action":"drop"}"#, ""),
        ]
    )
    func decides(body: String, expected: String) async throws {
        try await Self.withHold { admin, client, peer in
            try await runThread { try client.send("original") }
            let chunk = try await Self.held(admin, 1)[0]
            #expect(chunk["bytes"]?.stringValue == Base64.encode(Array("original".utf8)))
            let others = try await admin.call("GET", "/v1/holds?toxic=other").json()
            let ours = try await admin.call("GET", "/v1/holds?toxic=h&limit=1").json()
            #expect(others["holds"] == [] && ours["holds"]?.arrayValue?.count == 1)
            #expect(chunk["direction"] == "upstream" && chunk["toxic"] == "h" && chunk["length"] == 8)
            #expect(try await Self.decide(admin, chunk, body) == 204)
            #expect(try await Self.decide(admin, chunk, body) == 404)
            try await runThread {
                client.finish()
                let bytes = try peer.receiveToEnd().bytes
                #expect(bytes == Array(expected.utf8))
            }
        }
    }

    @Test("A decision that is wrong changes nothing")
    func refuses() async throws {
        try await Self.withHold { admin, client, _ in
            try await runThread { try client.send("x") }
            let chunk = try await Self.held(admin, 1)[0]
            for body in [
                "", "{}", #"{"action":"eat"}"#, #"{"action":"edit"}"#, #"{"action":"edit","bytes":"?"}"#, "[]",
            ] {
                #expect(try await Self.decide(admin, chunk, body) == 400, "\(body)")
            }
            #expect(try await Self.held(admin, 1).count == 1)
        }
    }

    @Test("What nobody decides about goes on when its time is over")
    func timesOut() async throws {
        try await Self.withHold(timeout: 200) { _, client, peer in
            try await runThread {
                try client.send("late")
                #expect(try peer.receive(4) == Array("late".utf8))
            }
        }
    }

    @Test("Decided about in any order, a stream stays in order, and its end comes last")
    func keepsOrder() async throws {
        try await Self.withHold { admin, client, peer in
            for (index, text) in ["one ", "two ", "three "].enumerated() {
                try await runThread { try client.send(text) }
                _ = try await Self.held(admin, index + 1)
            }
            client.finish()
            let chunks = try await Self.held(admin, 3)
            #expect(try await Self.decide(admin, chunks[2], Self.edit("3 ")) == 204)
            #expect(try await Self.decide(admin, chunks[1], #"{"action":"forward"}"#) == 204)
            #expect(try await Self.held(admin, 1).map { $0["number"] } == [1])
            #expect(try await Self.decide(admin, chunks[0], Self.edit("1 ")) == 204)
            #expect(try await runThread { try peer.receiveToEnd().bytes } == Array("1 two 3 ".utf8))
        }
    }

    @Test("A client that has gone meanwhile takes nothing with it: what it sent goes on, and a reset after it")
    func clientGoes() async throws {
        try await Self.withHold { admin, client, peer in
            try await runThread { try client.send("last words") }
            let chunk = try await Self.held(admin, 1)[0]
            client.reset()
            #expect(try await Self.decide(admin, chunk, #"{"action":"forward"}"#) == 204)
            #expect(try await runThread { try peer.receive(10) } == Array("last words".utf8))
        }
    }

    @Test("1,000 chunks of as many datagrams are held at once, and all forwarded")
    func holdsMany() async throws {
        let server = try UDPPeer()
        let target = try #require(server.local)
        try await withAdmin(["udp:0=\(target)"]) { admin in
            let proxy = "udp-\(admin.relay.endpoint.port)"
            let toxic = #"{"type":"hold","stream":"upstream","attributes":{"timeout":60000}}"#
            #expect(try await admin.call("POST", "/proxies/\(proxy)/toxics", toxic).status == 200)
            let endpoint = admin.relay.endpoint
            try await runThread {
                let client = try UDPPeer(to: endpoint)
                for number in 0..<1000 { try client.send("datagram \(number)") }
            }
            _ = try await Self.held(admin, 1000)
            #expect(try await admin.call("POST", "/v1/holds", #"{"action":"forward"}"#).json()["decided"] == 1000)
            try await runThread {
                for number in 0..<1000 {
                    let text = try server.receiveText()
                    #expect(text == "datagram \(number)")
                }
            }
        }
    }
}
