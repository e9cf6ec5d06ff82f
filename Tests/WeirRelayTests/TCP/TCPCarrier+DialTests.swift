import Glibc
import Support
import Synchronization
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("How TCP flows reach their servers", .tags(.network), .timeLimit(.minutes(1)))
struct TCPCarrierDialTests {
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

    @Test("What a client sent before it reset, while the dial was under way, is dropped", arguments: [1, 2])
    func clientSendsAndResets(threads: Int) async throws {
        let (server, _) = try Self.busyServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("last words")
                try client.resetAfterDelivery()
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .clientReset)
            #expect(
                collector.records.compactMap(\.dropped) == [DropRecord(direction: .upstream, bytes: 10, reason: .reset)]
            )
            #expect(collector.records.allSatisfy { !$0.isConnected && $0.refused == nil })
        }
    }

    @Test("A client that half-closes and then resets while the dial is under way ends it")
    func clientFinishesAndResets() async throws {
        let (server, _) = try Self.busyServer()
        try await withRelay(server.route) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("last words")
                client.finish()
                try client.resetAfterDelivery()
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .clientReset && closed.upstream.droppedBytes == 10)
        }
    }

    @Test("A client that resets while its server's name is looked up is gone at once")
    func clientResetsBeforeDial() async throws {
        let asked = Lock(0)
        let gate = Gate()
        try await withRelay(
            "tcp:0=slow.test:80",
            configure: {
                $0.nameLifetime = .zero
                $0.resolve = { host, family throws(ResolveError) in
                    guard case .name = host.host else { return try Resolver.resolve(host, family: family) }
                    if asked.withLock({
                        $0 += 1; return $0
                    }) > 1 {
                        gate.wait()
                    }
                    return [Endpoint(address: .loopbackV4, port: 9)]
                }
            }
        ) { relay, collector in
            defer { gate.open() }
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("early")
                try client.resetAfterDelivery()
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .clientReset && closed.upstream.droppedBytes == 5)
        }
    }

    @Test("A server that resets before the loop sees that it has accepted was there, and has reset")
    func resetAtOnce() async throws {
        let server = try TCPServer()
        try await withRelay(server.route) { relay, collector in
            let listener = try TCPServer()
            let (client, accepted) = try await runThread {
                let client = try TCPPeer(to: listener.endpoint)
                let accepted = try listener.accept()
                let copy = dup(accepted.socket.raw)
                _ = fcntl(copy, F_SETFL, O_NONBLOCK)
                return (client, SentDescriptor(Descriptor(owning: copy)))
            }
            let connection = AcceptedConnection(
                socket: accepted,
                client: try #require(client.local),
                listener: listener.endpoint,
                route: 0
            )
            let shared = await relay.shared
            #expect(shared.reserveFlow())
            shared.loops[0].flows.add(1, ordering: .relaxed)
            let isReset = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                _ = shared.loops[0].mailbox.post(
                    .perform { host in
                        // It dials at once; the server has gone before the loop waits for events again.
                        (host.carrier(of: .tcp) as? TCPCarrier)?.adopt(connection)
                        let peer = try? server.accept()
                        peer?.reset()
                        continuation.resume(returning: peer != nil)
                    }
                )
            }
            #expect(isReset)
            let ending = try await runThread { try client.receiveToEnd().ending }
            #expect(ending == .failed(.connectionReset))
            #expect(try await collector.closes()[0].reason == .serverReset)
            #expect(collector.records.contains { $0.isConnected })
        }
    }

    @Test("What a client sent before its server refused is dropped")
    func refusedAfterSending() async throws {
        let (server, _) = try Self.busyServer()
        try await withRelay(
            server.route,
            configure: { $0.connectTimeout = .milliseconds(300) }
        ) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("nobody reads this")
                #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .refused && closed.upstream.droppedBytes == 17)
        }
    }

    @Test(
        "Both legs are asked whether they are still there, unless that is off",
        arguments: [nil, Duration.seconds(77)]
    )
    func keepalive(_ duration: Duration?) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.keepalive = duration }) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            try await collector.wait("connected") { $0.isConnected }
            let found = Lock<[[Int]]>([])
            let shared = await relay.shared
            await withCheckedContinuation { continuation in
                _ = shared.loops[0].mailbox.post(
                    .perform { host in
                        for case let connection as TCPConnection in host.flows {
                            for raw in [connection.legs.client.raw, connection.legs.server.raw] {
                                let isOn = Socket.get(SO_KEEPALIVE, of: SOL_SOCKET, on: raw)
                                let times = [TCP_KEEPIDLE, TCP_KEEPINTVL].map {
                                    Socket.get(Int32($0), of: Int32(IPPROTO_TCP), on: raw)
                                }
                                found.withLock { $0.append([isOn] + times) }
                            }
                        }
                        continuation.resume()
                    }
                )
            }
            let legs = found.withLock { $0 }
            if duration == nil {
                #expect(legs.map(\.[0]) == [0, 0])
            } else {
                #expect(legs == [[1, 77, 12], [1, 77, 12]])
            }
            client.close()
            peer.close()
        }
    }

    @Test("A relay that stops while it dials resets what the server has accepted meanwhile", .tags(.slow))
    func stopsWhileDialing() async throws {
        let (server, filler) = try Self.busyServer()
        try await withRelay(server.route) { relay, collector in
            let client = try await runThread { try TCPPeer(to: relay.endpoint) }
            try await collector.wait("opened") { $0.isOpened }
            let mailbox = await relay.shared.loops[0].mailbox
            // The loop stands still while the server accepts, and is told of the end before it sees that.
            let (isPosted, isAccepted) = (Gate(), Gate())
            mailbox.post(.perform { _ in isPosted.wait() })
            mailbox.post(.perform { _ in isAccepted.wait() })
            mailbox.post(.shutdown)
            isPosted.open()
            let peer = try await runThread {
                _ = try server.accept()
                return try server.accept()
            }
            isAccepted.open()
            #expect(try await runThread { try peer.receiveToEnd().ending } == .failed(.connectionReset))
            #expect(try await collector.closes()[0].reason == .shutdown)
            withExtendedLifetime((client, filler)) {}
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

/// A gate that threads wait at until it is opened.
private final class Gate: Sendable {
    private let ends: (reader: Int32, writer: Int32) = {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        return (ends[0], ends[1])
    }()

    deinit { close(ends.reader) }

    func open() { close(ends.writer) }

    func wait() {
        var byte: UInt8 = 0
        _ = read(ends.reader, &byte, 1)
    }
}
