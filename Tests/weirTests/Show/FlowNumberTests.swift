import Support
import Testing
import WeirWire

/// A flow is one flow with one number, whatever shows it: the relay, or a view of what the relay recorded.
@Suite("Numbers of recorded flows", .serialized, .tags(.network, .capture), .timeLimit(.minutes(1)))
struct FlowNumberTests {
    private static let toxic = ["--toxic", "replace,up,find=old,with=new"]

    /// Sends a request for each path through a relay, one flow after another, and answers each.
    private static func talk(_ paths: [String], to relay: Endpoint, _ server: TCPServer) throws {
        for path in paths {
            let client = try TCPPeer(to: relay)
            let peer = try server.accept()
            try client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
            client.finish()
            _ = try peer.receiveToEnd()
            try peer.send("HTTP/1.1 204 No Content\r\n\r\n")
            peer.finish()
            _ = try client.receiveToEnd()
        }
    }

    /// Returns the flow and the path of each request, and the flow of each answer.
    private static func read(_ messages: String) -> [String] {
        messages.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let flow = words.first(where: { $0.hasPrefix("#") }) else { return nil }
            return "\(flow) \(words.first { $0.hasPrefix("/") } ?? (line.contains("204") ? "204" : "?"))"
        }
    }

    @Test("Messages are shown once, but for what a toxic changed; either leg can be had alone")
    func messages() async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, Self.toxic)
        try Self.talk(["/a", "/old", "/b"], to: relay.endpoint, server)
        let ended = try await relay.program.stop()
        #expect(ended.status == 0)
        let both = try await shown([relay.path, "--messages"])
        #expect(both.status == 0)
        #expect(Self.read(both.output) == ["#1 /a", "#1 204", "#2 /old", "#2s /new", "#2 204", "#3 /b", "#3 204"])
        // A query on answers chooses each request once, too, and finds what a toxic made of one.
        let answered = try await shown([relay.path, "--messages", "--where", "status = 204"])
        #expect(Self.read(answered.output) == ["#1 /a", "#1 204", "#2 /old", "#2 204", "#3 /b", "#3 204"])
        let changed = try await shown([relay.path, "--messages", "--where", "path /new"])
        #expect(Self.read(changed.output).contains("#2s /new") && !changed.output.contains("/old"))
        let second = try await shown([relay.path, "--messages", "--leg", "server", "--flow", "2"])
        #expect(Self.read(second.output) == ["#2s /new", "#2s 204"])
        let first = try await shown([relay.path, "--messages", "--leg", "client", "--flow", "2"])
        #expect(Self.read(first.output) == ["#2c /old", "#2c 204"])
        let json = try await shown([relay.path, "--messages", "--json"])
        #expect(json.output.split(separator: "\n").count == 7)
        #expect(json.output.split(separator: "\n").count { $0.contains(#""leg":"server""#) } == 1)
    }

    @Test("A flow is followed by its number, on the client's leg or on the server's")
    func follow() async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, Self.toxic)
        try Self.talk(["/a", "/old"], to: relay.endpoint, server)
        _ = try await relay.program.stop()
        for (options, path) in [([], "/old"), (["--leg", "client"], "/old"), (["--leg", "server"], "/new")] {
            let raw = try await shown([relay.path, "--follow", "2", "--only", "up", "--as", "raw"] + options)
            #expect(raw.output == "GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n", "\(options)")
        }
        let missing = try await shown([relay.path, "--follow", "3"])
        #expect(missing.status == 1)
        #expect(missing.errors == "weir: there is no flow 3: the capture has 2, with the numbers 1 to 2\n")
    }

    @Test("Flows, packets and the summary count a flow once, by the relay's number")
    func others() async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route)
        try Self.talk(["/a", "/b", "/c"], to: relay.endpoint, server)
        _ = try await relay.program.stop()
        let flows = try await shown([relay.path, "--json"])
        #expect(
            flows.output.split(separator: "\n").map { $0.prefix(10) } == [
                "{\"flow\":1,", "{\"flow\":2,", "{\"flow\":3,",
            ]
        )
        let summary = try await shown([relay.path, "--summary", "--json"])
        #expect(summary.output.contains(#""flows_tcp":3,"flows_udp":0"#))
        let packets = try await shown([relay.path, "--packets", "--flow", "2"])
        let labels = packets.output.split(separator: "\n").map { $0.split(separator: " ")[2] }
        #expect(Set(labels) == ["#2c", "#2s"])
        let leg = try await shown([relay.path, "--packets", "--flow", "2", "--leg", "server"])
        #expect(Set(leg.output.split(separator: "\n").map { $0.split(separator: " ")[2] }) == ["#2s"])
    }

    @Test("Through a pipe it is the same")
    func pipe() async throws {
        let server = try TCPServer()
        let program = try WeirProgram(["relay", "--record", "-", server.route])
        try Self.talk(["/a", "/b"], to: try program.listening()[0], server)
        let capture = try await program.stop().output
        let messages = try await shown(["-", "--messages"], sending: capture)
        #expect(Self.read(messages.output) == ["#1 /a", "#1 204", "#2 /b", "#2 204"])
    }

    @Test("A leg is for views that have legs")
    func refusal() async throws {
        let ended = try await shown(["x.pcapng", "--leg", "server"])
        #expect(ended.status == 64)
        #expect(ended.errors.contains("--leg is for --messages, --packets, --follow and --grep."))
    }
}
