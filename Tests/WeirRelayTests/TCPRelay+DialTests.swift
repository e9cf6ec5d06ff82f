import Glibc
import Support
import Testing
import WeirFlow
import WeirWire

@testable import WeirRelay

@Suite("How TCP flows reach their servers", .tags(.network), .timeLimit(.minutes(1)))
struct TCPRelayDialTests {
    /// Makes a server whose backlog is full: a dial to it stays under way until `accept`.
    private static func busyServer() throws -> (TCPServer, filler: TCPPeer) {
        let server = try TCPServer(backlog: 0)
        return (server, try TCPPeer(to: server.endpoint))
    }

    /// Makes an endpoint that refuses: bound, so that nobody else gets it, and not listening.
    private static func closedPort(_ address: Endpoint = .anyPortV4) throws -> (LoopbackSocket, Endpoint) {
        let socket = try LoopbackSocket(.tcp, for: address.address)
        try socket.bind(to: address)
        return (socket, try #require(socket.local))
    }

    @Test("A client that is done before the dial loses nothing", .tags(.slow), arguments: [1, 2])
    func earlyClient(threads: Int) async throws {
        let (server, _) = try Self.busyServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            let client = try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send(100_000, seed: 1, finishing: true)
                return client
            }
            try await collector.wait("opened") { $0.isOpened }
            #expect(collector.records.allSatisfy { !$0.isConnected })
            try await runThread {
                // The kernel sends the dial's SYN again after a second.
                _ = try server.accept()
                let peer = try server.accept()
                #expect(try peer.receiveToEnd(seed: 1) == .init(100_000))
                try peer.send("done")
                peer.finish()
                #expect(try client.receiveToEnd().bytes == Array("done".utf8))
            }
            #expect(try await collector.closes()[0].reason == .finished)
        }
    }

    @Test("A client that resets while the dial is under way ends it", arguments: [1, 2])
    func clientResets(threads: Int) async throws {
        let (server, _) = try Self.busyServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            let client = try await runThread { try TCPPeer(to: relay.endpoint) }
            try await collector.wait("opened") { $0.isOpened }
            client.reset()
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .clientReset)
        }
    }

    @Test("What a client sent before it reset, while the dial was under way, is delivered", .tags(.slow))
    func clientSendsAndResets() async throws {
        let (server, _) = try Self.busyServer()
        try await withRelay(server.route) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("last words")
                while client.unsent > 0 { poll(nil, 0, 1) }
                client.reset()
            }
            try await collector.wait("opened") { $0.isOpened }
            let received = try await runThread {
                _ = try server.accept()
                return try server.accept().receiveToEnd()
            }
            #expect(received == (Array("last words".utf8), .failed(.connectionReset)))
            #expect(try await collector.closes()[0].reason == .clientReset)
        }
    }

    @Test(
        "A refused dial resets the client, and tells the error and the egress port",
        arguments: [1, 2],
        [
            Endpoint.anyPortV4, .anyPortV6,
        ]
    )
    func refused(threads: Int, address: Endpoint) async throws {
        let (holder, target) = try Self.closedPort(address)
        defer { withExtendedLifetime(holder) {} }
        try await withRelay("tcp:0=\(target)", configure: { $0.threads = threads }) { relay, collector in
            let ending = try await runThread { try TCPPeer(to: relay.endpoint).receiveToEnd().ending }
            #expect(ending == .failed(.connectionReset))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .refused)
            let refusals = collector.records.filter { $0.refused != nil }
            #expect(refusals.map(\.refused) == [.connectionRefused])
            #expect(refusals[0].path.server == target)
            #expect((refusals[0].path.egress?.port ?? 0) > 0)
            #expect(collector.records[0].path.egress == refusals[0].path.egress)
        }
    }

    @Test("A dial that takes too long is given up")
    func timeout() async throws {
        let (server, _) = try Self.busyServer()
        try await withRelay(
            server.route,
            configure: { $0.connectTimeout = .milliseconds(300) }
        ) { relay, collector in
            let ending = try await runThread { try TCPPeer(to: relay.endpoint).receiveToEnd().ending }
            #expect(ending == .failed(.connectionReset))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .refused)
            #expect(closed.duration >= .milliseconds(300))
            #expect(collector.records.compactMap(\.refused) == [.timedOut])
        }
    }

    @Test("A name's addresses are tried one after another", .needsIPv6, arguments: [1, 2])
    func nextAddress(threads: Int) async throws {
        let server = try TCPServer()
        let (holder, refusing) = try Self.closedPort(.anyPortV6)
        defer { withExtendedLifetime(holder) {} }
        let (busy, _) = try Self.busyServer()
        try await withRelay(
            "tcp:0=several.test:80",
            configure: {
                $0.threads = threads
                $0.connectTimeout = .seconds(2)
                $0.resolve = { host, family throws(ResolveError) in
                    guard case .name = host.host else { return try Resolver.resolve(host, family: family) }
                    return [refusing, busy.endpoint, server.endpoint]
                }
            }
        ) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("hello")
                client.finish()
                let peer = try server.accept()
                #expect(try peer.receiveToEnd().bytes == Array("hello".utf8))
                peer.finish()
                #expect(try client.receiveToEnd().ending == .end)
            }
            try await collector.closes()
            let records = collector.records
            #expect(records.compactMap(\.refused) == [.connectionRefused, .timedOut])
            #expect(records.filter { $0.refused != nil }.map(\.path.server) == [refusing, busy.endpoint])
            #expect(records[0].path.server == refusing)
            let connected = try #require(records.first { $0.isConnected })
            guard case .connected(_, isRerouted: true) = connected.happening else {
                Issue.record("\(connected)")
                return
            }
            #expect(connected.path.server == server.endpoint)
            #expect(Set(records.map(\.path.egress)).count == 3)
        }
    }

    @Test("Takes only the addresses of the family that was asked for")
    func family() async throws {
        let server = try TCPServer()
        try await withRelay(
            "tcp:0=localhost:\(server.endpoint.port)",
            configure: { $0.family = .v4 }
        ) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                client.close()
                peer.close()
            }
            try await collector.closes()
            #expect(collector.records.compactMap(\.refused).isEmpty)
            #expect(collector.records[0].path.server == server.endpoint)
        }
    }
}
