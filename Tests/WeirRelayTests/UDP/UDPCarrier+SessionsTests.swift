import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@Suite("UDP sessions", .tags(.network), .timeLimit(.minutes(1)))
struct UDPCarrierSessionsTests {
    @Test("Over the bound, the least recently active session makes room")
    func eviction() async throws {
        let server = try UDPPeer()
        try await withRelay(try server.route, configure: { $0.maxSessions = 3 }) { relay, collector in
            #expect(relay.maxSessions == 3)
            let clients = try (0..<4).map { _ in try UDPPeer(to: relay.endpoint) }
            try await runThread {
                // The first one is the oldest, but active again: an answer counts as much as a question.
                for client in [0, 1, 2] {
                    try clients[client].send("\(client)")
                    try server.echo(1)
                    _ = try clients[client].receive()
                }
                try clients[0].send("again")
                try server.echo(1)
                _ = try clients[0].receive()
                try clients[3].send("3")
                try server.echo(1)
                _ = try clients[3].receive()
            }
            let closed = try await collector.wait("closed") { $0.closed != nil }[0]
            #expect(closed.closed?.reason == .evicted)
            #expect(closed.path.client == clients[1].local)
            #expect(relay.openSessions == 3)
            try await runThread {
                // The one that was evicted begins again, and evicts in its turn.
                try clients[1].send("back")
                try server.echo(1)
                #expect(try clients[1].receiveText() == "back")
            }
            try await collector.wait(for: 2, "closed") { $0.closed?.reason == .evicted }
            #expect(collector.records.filter { $0.closed != nil }.last?.path.client == clients[2].local)
        }
    }

    @Test("Many more clients than sessions", arguments: [1, 2])
    func manyEvictions(threads: Int) async throws {
        try await withRelay(
            "udp:0",
            configure: {
                $0.threads = threads
                $0.maxSessions = 4
            }
        ) { relay, collector in
            try await runThread {
                let clients = try (0..<100).map { _ in try UDPPeer(to: relay.endpoint) }
                for _ in 0..<3 {
                    for client in clients { try client.send("x") }
                    for client in clients { #expect(try client.receiveText() == "x") }
                }
            }
            try await collector.wait(for: 296, "closed") { $0.closed?.reason == .evicted }
            #expect(relay.openSessions == 4)
        }
    }

    @Test("A session on which nothing moves ends by its idle time", arguments: [1, 2])
    func idle(threads: Int) async throws {
        let server = try UDPPeer()
        try await withRelay(
            try server.route,
            configure: {
                $0.threads = threads
                $0.udpTimeout = .seconds(1)
            }
        ) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            try await runThread { try client.send("once") }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .idle)
            #expect(closed.duration >= .seconds(1))
            #expect(closed.upstream.chunks == 1 && closed.downstream.chunks == 0)
            // The next datagram begins a session again.
            try await runThread { try client.send("twice") }
            try await collector.closes(2)
            #expect(collector.records.count(where: \.isOpened) == 2)
        }
    }

    @Test("A datagram from either side renews the idle time")
    func renewed() async throws {
        let server = try UDPPeer()
        try await withRelay(try server.route, configure: { $0.udpTimeout = .seconds(2) }) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            try await runThread {
                try client.send("subscribe")
                let (_, egress) = try server.receive()
                server.socket.setPatience(.milliseconds(100))
                for _ in 0..<25 {
                    // The server has nothing to receive: this waits 100 ms.
                    _ = try? server.receive()
                    try server.send("news", to: egress)
                    #expect(try client.receiveText() == "news")
                }
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .idle && closed.downstream.chunks == 25)
            #expect(collector.records.count(where: \.isOpened) == 1)
        }
    }

    @Test("A session ends with the relay", arguments: [1, 2])
    func shutdown(threads: Int) async throws {
        let server = try UDPPeer()
        try await withRelay(try server.route, configure: { $0.threads = threads }) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            try await runThread {
                try client.send("x")
                try server.echo(1)
                _ = try client.receive()
            }
            await relay.stop(grace: .seconds(5))
            #expect(collector.records.last?.closed?.reason == .shutdown)
        }
    }
}
