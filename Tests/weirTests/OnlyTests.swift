import Support
import Testing
import WeirWire

/// `weir relay --only` with real sockets; `FilteredSinkTests` has the rules.
@Suite("What weir relay --only shows", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct OnlyTests {
    private let server: TCPServer
    private let folder: TemporaryFolder

    init() throws {
        server = try TCPServer()
        folder = try TemporaryFolder()
    }

    /// Relays two requests of one client and what another one says, and returns the log's events by flow.
    private func events(_ query: String) async throws -> [String] {
        let log = folder.path + "/log"
        let program = try WeirProgram(["relay", "--show", "none", "--log", log, "--only", query, server.route])
        let endpoint = try program.listening()[0]
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        for (path, status) in [("/a", "200 OK"), ("/b", "404 Not Found")] {
            let request = Array("GET \(path) HTTP/1.1\r\n\r\n".utf8)
            let answer = Array("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n".utf8)
            try client.send(request)
            #expect(try peer.receive(request.count) == request)
            try peer.send(answer)
            #expect(try client.receive(answer.count) == answer)
        }
        client.finish()
        peer.finish()
        #expect(try client.receiveToEnd().bytes == [])
        let other = try TCPPeer(to: endpoint)
        let otherPeer = try server.accept()
        try other.send("needle")
        #expect(try otherPeer.receive(6) == Array("needle".utf8))
        other.finish()
        otherPeer.finish()
        #expect(try other.receiveToEnd().bytes == [])
        #expect(try await program.stop().status == 0)
        return try LogLines(TemporaryFolder.read(log)).objects.map { object in
            "\(object["flow"] ?? "-") \(object["event"] ?? "-")"
        }
    }

    @Test("A request with the answer that fits, and its flow's first and last lines")
    func exchange() async throws {
        let events = try await events("status >= 400")
        #expect(events.filter { $0 == "1 message" }.count == 2 && events.filter { $0 == "1 data" }.count == 2)
        #expect(events.first == "1 open" && events.last == "1 close")
        #expect(!events.contains { $0.hasPrefix("2 ") })
    }

    @Test("The flow in which bytes are, or that is of a route")
    func others() async throws {
        let events = try await events("contains needle")
        #expect(events.filter { $0 == "2 data" }.count == 1 && !events.contains { $0.hasPrefix("1 ") })
    }

    @Test("Everything, if every flow fits")
    func everything() async throws {
        let events = try await events("proxy tcp-* and not udp")
        #expect(events.filter { $0 == "1 data" }.count == 4 && events.filter { $0 == "2 data" }.count == 1)
        #expect(
            events.filter { $0.hasSuffix(" open") }.count == 2 && events.filter { $0.hasSuffix(" close") }.count == 2
        )
    }
}
