import Support
import Testing
import WeirFlow
import WeirRelay
import WeirWire

@Suite("TCP relay", .tags(.network), .timeLimit(.minutes(1)))
struct TCPRelayTests {
    @Test("Carries bytes both ways", arguments: [1, 2], [Endpoint.anyPortV4, .anyPortV6])
    func bothWays(threads: Int, address: Endpoint) async throws {
        let server = try TCPServer(at: address)
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            async let served = runThread {
                let peer = try server.accept()
                let question = try peer.receive(5)
                try peer.send("world")
                peer.finish()
                return (question, try peer.receiveToEnd().ending)
            }
            let answer = try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("hello")
                client.finish()
                return try client.receiveToEnd()
            }
            #expect(answer == (Array("world".utf8), .end))
            #expect(try await served == (Array("hello".utf8), .end))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .finished)
        }
    }
}
