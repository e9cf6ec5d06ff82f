import Support
import Testing
import WeirRelay
import WeirWire

@testable import WeirAdmin

@Suite("The places of the control API's connections", .tags(.network), .timeLimit(.minutes(1)))
struct ConnectionLimitTests {
    private static let health = "GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    private static let stream = "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Sends a request, and reads the beginning of its answer.
    private static func ask(_ peer: TCPPeer, _ request: String) throws -> String {
        try peer.send(request)
        return String(decoding: try peer.receive(15), as: UTF8.self)
    }

    @Test("A further connection takes the place of the one that has waited longest for a request")
    func replacesWaiting() async throws {
        try await withAdmin(configure: { $0.maxConnections = 3 }) { admin in
            let endpoint = admin.server.endpoint
            try await runThread {
                let first = try TCPPeer(to: endpoint)
                #expect(try Self.ask(first, Self.stream) == "HTTP/1.1 200 OK")
                let second = try TCPPeer(to: endpoint)
                #expect(try Self.ask(second, Self.health) == "HTTP/1.1 200 OK")
                let third = try TCPPeer(to: endpoint)
                #expect(try Self.ask(third, Self.health) == "HTTP/1.1 200 OK")
                let fourth = try TCPPeer(to: endpoint)
                #expect(try Self.ask(fourth, Self.stream) == "HTTP/1.1 200 OK")
                #expect(try second.receiveToEnd().ending == .end)
                let fifth = try TCPPeer(to: endpoint)
                #expect(try Self.ask(fifth, Self.stream) == "HTTP/1.1 200 OK")
                #expect(try third.receiveToEnd().ending == .end)
                // Those that are left are busy.
                let sixth = try TCPPeer(to: endpoint)
                #expect(try sixth.receiveToEnd() == ([], .end))
                first.reset()
                while true {
                    let seventh = try TCPPeer(to: endpoint)
                    try? seventh.send(Self.health)
                    if let bytes = try? seventh.receive(15), !bytes.isEmpty { break }
                }
                fourth.close()
                fifth.close()
            }
        }
    }

    @Test("A connection that has ended leaves its place", arguments: [true, false])
    func leaves(isClean: Bool) async throws {
        try await withAdmin(configure: { $0.maxConnections = 2 }) { admin in
            let endpoint = admin.server.endpoint
            for _ in 0..<10 {
                if isClean { #expect(try await admin.call("GET", "/v1/health").status == 200) }
                let status = try await runThread {
                    let peer = try TCPPeer(to: endpoint)
                    defer { peer.reset() }
                    return try Self.ask(peer, Self.stream)
                }
                #expect(status == "HTTP/1.1 200 OK")
                while try await !admin.call("GET", "/metrics").text.contains("weir_event_listeners 0") {}
            }
        }
    }

    @Test("256 connections are open at once, and 32 streams")
    func bounds() async throws {
        try await withAdmin { admin in
            let endpoint = admin.server.endpoint
            try await runThread {
                let streams = try (0..<32).map { _ in try TCPPeer(to: endpoint) }
                for peer in streams { #expect(try Self.ask(peer, Self.stream) == "HTTP/1.1 200 OK") }
                let one = try TCPPeer(to: endpoint)
                #expect(try Self.ask(one, Self.stream) == "HTTP/1.1 503 Se")
                one.close()
                let idle = try (0..<224).map { _ in try TCPPeer(to: endpoint) }
                #expect(try Self.ask(idle[0], Self.health) == "HTTP/1.1 200 OK")
                let last = try TCPPeer(to: endpoint)
                #expect(try idle[0].receiveToEnd().bytes.isEmpty == false)
                #expect(try Self.ask(last, Self.health) == "HTTP/1.1 200 OK")
                #expect(try Self.ask(idle[1], Self.health) == "HTTP/1.1 200 OK")
                for peer in streams + idle + [last] { peer.close() }
            }
        }
    }
}
