import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("The bounds of requests to the control API", .tags(.network), .timeLimit(.minutes(1)))
struct AdminConnectionBoundsTests {
    /// Sends over one connection, and returns the statuses of what comes, and all of its text.
    private static func exchange(_ admin: AdminFixture, _ text: String) async throws -> (
        statuses: [String], text: String
    ) {
        let endpoint = admin.server.endpoint
        let bytes = try await runThread {
            let peer = try TCPPeer(to: endpoint)
            try peer.send(text)
            return try peer.receiveToEnd().bytes
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let statuses = text.ranges(of: "HTTP/1.").map { String(text[$0.upperBound...].dropFirst(2).prefix(3)) }
        return (statuses, text)
    }

    @Test("A body may have 1,048,576 bytes, and is refused once if it has more", arguments: [1_048_576, 1_048_577])
    func boundsBodies(count: Int) async throws {
        try await withAdmin { admin in
            let head = "POST /proxies HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            let body = "{}" + String(repeating: " ", count: count - 2)
            let expected = count > 1_048_576 ? ["413"] : ["400"]
            let whole = try await Self.exchange(admin, head + "Content-Length: \(count)\r\n\r\n" + body)
            #expect(whole.statuses == expected)
            var chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
            var rest = Array(body.utf8)[...]
            while !rest.isEmpty {
                let part = rest.prefix(65_536)
                rest = rest.dropFirst(65_536)
                chunked += "\(String(part.count, radix: 16))\r\n\(String(decoding: part, as: UTF8.self))\r\n"
            }
            #expect(try await Self.exchange(admin, chunked + "0\r\n\r\n").statuses == expected)
            if count == 1_048_576 { #expect(whole.text.contains("missing required field: name")) }
        }
    }

    @Test(
        "A header field may have 8,192 bytes, all of them 32,768, and there may be 100 of them",
        arguments: [
            ([8192], 200), ([8193], 400), ([8000, 8000, 8000, 8000, 620], 200), ([8000, 8000, 8000, 8000, 780], 400),
            (Array(repeating: 1, count: 98), 200), (Array(repeating: 1, count: 99), 400),
        ]
    )
    func boundsHeaders(lengths: [Int], status: Int) async throws {
        try await withAdmin { admin in
            let fields = lengths.map { ("X", String(repeating: "x", count: $0)) }
            let answer = try await admin.call("GET", "/v1/health", headers: fields)
            #expect(answer.status == status)
        }
    }

    @Test("A query begins with the first question mark")
    func splitsQuery() async throws {
        try await withAdmin { admin in
            for (query, status) in [("limit=1", 200), ("limit=1?", 400), ("?limit=1", 200), ("?limit=x", 200)] {
                let answer = try await admin.call("GET", "/v1/flows?\(query)")
                #expect(answer.status == status, "\(query)")
            }
        }
    }

    @Test("After a stream that has ended, the connection takes the next request")
    func goesOnAfterStream() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a.pcapng", Pattern.bytes(200_000))
        try await withAdmin(configure: { try $0.keepCaptures(in: folder.path) }) { admin in
            let file = "GET /v1/recordings/a.pcapng/file HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let last = "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            let answers = try await Self.exchange(admin, file + file + last)
            #expect(answers.text.ranges(of: "HTTP/1.1 200 OK\r\n").count == 3)
            #expect(answers.text.ranges(of: "transfer-encoding: chunked\r\n").count == 2)
            #expect(answers.text.ranges(of: "connection: close\r\n").count == 1)
        }
    }

    @Test("Nothing is done behind a stream to a client of HTTP/1.0, whose connection ends with it")
    func endsOldStreams() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a.pcapng", [1, 2, 3])
        try await withAdmin(configure: { try $0.keepCaptures(in: folder.path) }) { admin in
            let file =
                "GET /v1/recordings/a.pcapng/file HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
            let body = #"{"name":"a","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}"#
            let post = "POST /proxies HTTP/1.0\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
            let answers = try await Self.exchange(admin, file + post)
            #expect(answers.text.hasPrefix("HTTP/1.0 200 OK\r\n") && answers.text.hasSuffix("\r\n\r\n\u{1}\u{2}\u{3}"))
            #expect(answers.text.contains("connection: close\r\n") && admin.relay.routes.isEmpty)
        }
    }

    @Test("A stream whose client has gone lets go of its place at once")
    func leavesStreams() async throws {
        try await withAdmin { admin in
            let endpoint = admin.server.endpoint
            try await runThread {
                let peer = try TCPPeer(to: endpoint)
                try peer.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                _ = try peer.receive(100)
                peer.reset()
            }
            // Sooner than the next comment to a silent client.
            let deadline = Deadline(seconds: 4)
            var count = 1
            while count > 0, !deadline.isOver {
                count = try await admin.call("GET", "/metrics").text.contains("weir_event_listeners 0") ? 0 : 1
            }
            #expect(count == 0)
        }
    }

    @Test("The ID of a request has 20 characters of Toxiproxy's alphabet, and is another one each time")
    func makesIDs() {
        let ids = (0..<200).map { _ in RequestNumber.make() }
        #expect(Set(ids).count == 200)
        #expect(ids.allSatisfy { $0.utf8.count == 20 })
        #expect(Set(ids.joined()) == Set("0123456789abcdefghijklmnopqrstuv"))
    }
}
