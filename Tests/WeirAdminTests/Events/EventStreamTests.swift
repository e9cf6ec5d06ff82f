import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("The stream of events", .tags(.network), .timeLimit(.minutes(1)))
struct EventStreamTests {
    /// Returns the events of an answer, each as its lines.
    private static func events(_ answer: Answer) -> [[Substring]] {
        answer.text.split(separator: "\n\n").filter { $0.contains("event: ") }.map { $0.split(separator: "\n") }
    }

    private static func talk(_ text: String, _ admin: AdminFixture) async throws {
        try await runThread {
            let peer = try TCPPeer(to: admin.relay.endpoint)
            try peer.send(text)
            _ = try peer.receive(text.utf8.count)
            peer.finish()
            _ = try peer.receiveToEnd()
        }
    }

    @Test("Events are streamed with filters, and resumed behind the last one that was seen")
    func streamsEvents() async throws {
        try await withAdmin(["tcp:0"]) { admin in
            async let stream = admin.call("GET", "/v1/events?event=open,close&limit=4")
            while try await admin.call("GET", "/metrics").text.contains("weir_event_listeners 0") {}
            try await runThread {
                for _ in 0..<2 {
                    let peer = try TCPPeer(to: admin.relay.endpoint)
                    try peer.send("x")
                    peer.finish()
                    _ = try peer.receiveToEnd()
                }
            }
            let answer = try await stream
            #expect(answer.header("content-type") == "text/event-stream")
            let events = answer.text.split(separator: "\n\n").filter { $0.contains("event:") }
            #expect(events.count == 4)
            #expect(events.allSatisfy { $0.contains("event: open") || $0.contains("event: close") })
            let id = try #require(events[1].split(separator: "\n").first { $0.hasPrefix("id: ") }).dropFirst(4)
            let headers = [("Last-Event-ID", String(id))]
            let again = try await admin.call("GET", "/v1/events?event=open,close&limit=2", headers: headers)
            #expect(again.text.split(separator: "\n\n").filter { $0.contains("event:") } == Array(events[2...]))
        }
    }

    @Test("A query chooses events, and a wrong one is refused")
    func queries() async throws {
        try await withAdmin(["tcp:0"]) { admin in
            try await Self.talk("short", admin)
            try await Self.talk("a longer text", admin)
            let ends = try await admin.call("GET", "/v1/events?after=0&event=close&limit=2")
            #expect(Self.events(ends).count == 2)
            let path = "/v1/events?after=0&event=open,close&limit=2&query=bytes_up%20%3E%208"
            let events = Self.events(try await admin.call("GET", path))
            #expect(events.count == 2 && events.allSatisfy { $0.contains { $0.contains("\"flow\":2") } })
            // The first one has waited for the second, and the client goes on after that.
            #expect(events.first?.first == "event: open" && events.last?.first?.hasPrefix("id: ") == true)
            for (query, words) in [
                ("prt%2080", "did you mean 'port'?"), ("packets%20%3E%201", "a relay sees no packets"),
            ] {
                let refused = try await admin.call("GET", "/v1/events?query=\(query)")
                #expect(refused.status == 400 && refused.text.contains(words), "\(refused.text)")
            }
        }
    }

    @Test("Chunks are streamed with their bytes to who asks for them, where no other output wants them")
    func streamsBytes() async throws {
        try await withAdmin(["tcp:0"]) { admin in
            async let stream = admin.call("GET", "/v1/events?event=data&bytes=true&direction=upstream&limit=1")
            while try await admin.call("GET", "/metrics").text.contains("weir_event_listeners 0") {}
            let (text, done) = (Base64.encode(Array("secret".utf8)), Lock(false))
            let sending = Task {
                // The relay is told that bytes are wanted a little after the stream has begun.
                while !done.withLock({ $0 }) {
                    try await runThread {
                        let peer = try TCPPeer(to: admin.relay.endpoint)
                        try peer.send("secret")
                        _ = try peer.receive(6)
                    }
                }
            }
            #expect(try await stream.text.contains("\"bytes\":\"\(text)\""))
            done.withLock { $0 = true }
            try await sending.value
        }
    }

    @Test(
        "Messages are streamed to who asks for them, without the chunks in which they came",
        arguments: [false, true]
    )
    func streamsMessages(alsoData: Bool) async throws {
        try await withAdmin(["tcp:0"]) { admin in
            let kinds = alsoData ? "message,data" : "message"
            async let stream = admin.call("GET", "/v1/events?event=\(kinds)&direction=upstream&limit=3")
            while try await admin.call("GET", "/metrics").text.contains("weir_event_listeners 0") {}
            let done = Lock(false)
            let sending = Task {
                // The relay is told that messages are wanted a little after the stream has begun.
                while !done.withLock({ $0 }) { try await Self.talk("*1\r\n$4\r\nPING\r\n", admin) }
            }
            let events = Self.events(try await stream)
            done.withLock { $0 = true }
            try await sending.value
            #expect(events.count == 3)
            let messages = events.filter { $0[1] == "event: message" }
            #expect(alsoData ? !messages.isEmpty : messages.count == 3, "\(events)")
            for message in messages {
                let object =
                    #""direction":"upstream","protocol":"redis","offset":0,"length":14,"complete":true,"summary":"PING","request":true}"#
                #expect(message[2].hasSuffix(object), "\(message)")
            }
        }
    }

    @Test("An id names the relay, as /v1/health does; a client of another one is told that it began anew")
    func tellsRestart() async throws {
        try await withAdmin(["tcp:0"]) { admin in
            let instance = try #require(try await admin.call("GET", "/v1/health").json()["instance"]?.stringValue)
            try await Self.talk("x", admin)
            let all = Self.events(try await admin.call("GET", "/v1/events?after=0&event=open,close&limit=2"))
            #expect(all.map { $0[1] } == ["event: open", "event: close"])
            #expect(all.allSatisfy { $0[0].hasPrefix("id: \(instance)-") })
            for id in ["0123456789abcdef-1", "0123456789abcdef-99", "nonsense"] {
                let answer = try await admin.call(
                    "GET",
                    "/v1/events?event=open,close&limit=2",
                    headers: [("Last-Event-ID", id)]
                )
                let events = Self.events(answer)
                #expect(events[0][0] == "id: \(instance)-0" && events[0][1] == "event: restart", "\(id)")
                #expect(events[0][2] == "data: {\"event\":\"restart\",\"instance\":\"\(instance)\"}")
                #expect(Array(events[1...]) == all)
            }
            let last = String(all[0][0].dropFirst(4))
            for (path, headers) in [("&after=\(last)", []), ("", [("Last-Event-ID", last)])] {
                let rest = try await admin.call("GET", "/v1/events?event=open,close&limit=1" + path, headers: headers)
                #expect(Self.events(rest) == [all[1]])
            }
            #expect(try await admin.call("GET", "/v1/events?after=x").status == 400)
        }
    }

    @Test("Bytes go to the client that asked for them alone")
    func keepsBytesApart() async throws {
        try await withAdmin(["tcp:0"]) { admin in
            async let with = admin.call("GET", "/v1/events?event=data&bytes=true&direction=upstream&limit=1")
            async let without = admin.call("GET", "/v1/events?event=data&direction=upstream&limit=1")
            while try await !admin.call("GET", "/metrics").text.contains("weir_event_listeners 2") {}
            let done = Lock(false)
            let sending = Task {
                // The relay is told that bytes are wanted a little after the stream has begun.
                while !done.withLock({ $0 }) { try await Self.talk("secret", admin) }
            }
            #expect(try await with.text.contains("\"bytes\":"))
            let text = try await without.text
            #expect(text.contains("\"length\":6") && !text.contains("bytes"), "\(text)")
            // Also one that comes later reads the log without them.
            let later = try await admin.call("GET", "/v1/events?event=data&after=0&limit=3").text
            #expect(later.contains("\"length\":6") && !later.contains("bytes"), "\(later)")
            done.withLock { $0 = true }
            try await sending.value
        }
    }
}
