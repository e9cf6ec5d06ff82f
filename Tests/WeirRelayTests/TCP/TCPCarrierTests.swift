import CWeir
import Glibc
import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@Suite("TCP relay", .tags(.network), .timeLimit(.minutes(1)))
struct TCPCarrierTests {
    @Test("Carries bytes both ways and then the ends", arguments: [1, 2], [Endpoint.anyPortV4, .anyPortV6])
    func bothWays(threads: Int, address: Endpoint) async throws {
        let server = try TCPServer(at: address)
        try await withRelay(server.route, interest: .bytes, configure: { $0.threads = threads }) { relay, collector in
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
            #expect(collector.bytes(FlowID(1), .upstream) == Array("hello".utf8))
            #expect(collector.bytes(FlowID(1), .downstream) == Array("world".utf8))
        }
    }

    @Test("Lets the server speak first", arguments: [1, 2])
    func serverFirst(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, _ in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                try peer.send("220 ready")
                #expect(try client.receive(9) == Array("220 ready".utf8))
                try client.send("QUIT")
                #expect(try peer.receive(4) == Array("QUIT".utf8))
                // The server leaves first, too.
                peer.finish()
                #expect(try client.receiveToEnd().ending == .end)
                client.finish()
                #expect(try peer.receiveToEnd().ending == .end)
            }
        }
    }

    @Test("Sends back what comes where the route has no target", arguments: ["tcp:0", "tcp:[::1]:0"])
    func echo(route: String) async throws {
        try await withRelay(route, interest: .bytes) { relay, collector in
            let received = try await runThread {
                let client = try TCPPeer(to: relay.endpoint)

                try client.send(100_000, seed: 1, finishing: true)
                return try client.receiveToEnd(seed: 1)
            }
            #expect(received == .init(100_000))
            #expect(try await collector.closes()[0].reason == .finished)
            #expect(collector.records.allSatisfy { $0.path.server == nil && $0.path.egress == nil })
        }
    }

    @Test("Hands each write of one byte on at once")
    func singleBytes() async throws {
        let server = try TCPServer()
        try await withRelay(server.route) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                for byte in UInt8(0)..<200 {
                    try client.send([byte])
                    #expect(try peer.receive(1) == [byte])
                    try peer.send([byte, byte])
                    #expect(try client.receive(2) == [byte, byte])
                }
                client.finish()
                peer.finish()
                _ = try client.receiveToEnd()
                _ = try peer.receiveToEnd()
            }
            let closed = try await collector.closes()[0]
            #expect(closed.upstream.chunks == 200 && closed.upstream.bytes == 200)
            #expect(closed.downstream.bytes == 400)
        }
    }

    @Test("Keeps urgent bytes in their place in the stream")
    func urgent() async throws {
        let server = try TCPServer()
        try await withRelay(server.route, interest: .bytes) { relay, collector in
            let received = try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                for number in 0..<50 {
                    try client.send("<\(number)")
                    try client.send(Array("!".utf8), flags: Int32(MSG_OOB))
                    try client.send(">")
                }
                client.finish()
                peer.finish()
                return try peer.receiveToEnd()
            }
            let expected = (0..<50).map { "<\($0)!>" }.joined()
            #expect(String(decoding: received.bytes, as: UTF8.self) == expected)
            try await collector.closes()
            #expect(collector.bytes(FlowID(1), .upstream) == Array(expected.utf8))
        }
    }

    @Test("Carries 256 MiB both ways at once", .tags(.slow), .timeLimit(.minutes(2)), arguments: [1, 2])
    func bulk(threads: Int) async throws {
        let size = TestSize.bytes(256 << 20)
        let server = try TCPServer()
        try await withRelay(server.route, interest: .bytes, configure: { $0.threads = threads }) { relay, collector in
            let client = try await runThread { try TCPPeer(to: relay.endpoint) }
            let peer = try await runThread { try server.accept() }
            async let up: Void = runThread { try client.send(size, seed: 1, finishing: true) }
            async let down: Void = runThread { try peer.send(size, seed: 2, finishing: true) }
            async let upReceived = runThread { try peer.receiveToEnd(seed: 1) }
            async let downReceived = runThread { try client.receiveToEnd(seed: 2) }
            _ = try await (up, down)
            #expect(try await upReceived == .init(size))
            #expect(try await downReceived == .init(size))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .finished)
            #expect(closed.upstream.bytes == UInt64(size) && closed.downstream.bytes == UInt64(size))
            #expect(closed.upstream.droppedBytes == 0 && closed.downstream.droppedBytes == 0)
        }
    }

    @Test("Carries 200 flows at once, each with its own egress port", arguments: [1, 2])
    func manyFlows(threads: Int) async throws {
        let server = try TCPServer()
        let count = 200
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            let clients = try await runThread { try (0..<count).map { _ in try TCPPeer(to: relay.endpoint) } }
            let peers = try await runThread { try (0..<count).map { _ in try server.accept() } }
            let opened = try await collector.wait(for: count, "opened") { $0.isConnected }
            var paths: [Endpoint: FlowPath] = [:]
            for record in opened { paths[record.path.client] = record.path }
            let seenByClients = Set(
                clients.map { FlowPath(client: $0.local ?? .anyPortV4, listener: $0.remote ?? .anyPortV4) }
            )
            let seenByServers = Set(peers.map { [$0.remote, $0.local] })
            #expect(Set(paths.values.map { FlowPath(client: $0.client, listener: $0.listener) }) == seenByClients)
            #expect(Set(paths.values.map { [$0.egress, $0.server] }) == seenByServers)
            #expect(seenByServers.count == count)

            let egress = Dictionary(peers.map { ($0.remote, $0) }) { first, _ in first }
            try await withThrowingTaskGroup(of: TCPPeer.Received.self) { group in
                for (number, client) in clients.enumerated() {
                    let peer = try #require(client.local.flatMap { paths[$0] }.flatMap { egress[$0.egress] })
                    let seed = UInt64(number)
                    group.addTask { try await runThread { try peer.receiveToEnd(seed: seed) } }
                    group.addTask {
                        try await runThread {
                            try client.send(100_000, seed: seed, finishing: true)
                            peer.finish()
                            let ending = try client.receiveToEnd().ending
                            return .init(100_000, ending)
                        }
                    }
                }
                for try await received in group { #expect(received == .init(100_000)) }
            }
            let closes = try await collector.closes(count)
            #expect(closes.allSatisfy { $0.reason == .finished && $0.upstream.bytes == 100_000 })
        }
    }

    @Test("Stops reading while the receiver does not read, and goes on with it", .tags(.slow), arguments: [1, 2])
    func backpressure(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, interest: .flows, configure: { $0.threads = threads }) { relay, _ in
            let client = try await runThread { try TCPPeer(to: relay.endpoint, receiveBuffer: 64 << 10) }
            let peer = try await runThread { try server.accept() }
            let (sent, received) = try await runThread {
                // What the kernel and the flow's queue take is bounded; a relay that reads on would take all.
                var pattern = Pattern(seed: 7)
                peer.socket.setPatience(.milliseconds(300))
                var sent = 0
                do {
                    while sent < 256 << 20 {
                        try peer.send(64 << 10, of: &pattern)
                        sent = pattern.position
                    }
                } catch {
                    sent = pattern.position
                }
                peer.finish()
                client.finish()
                return (sent, try client.receiveToEnd(seed: 7))
            }
            #expect(sent < 128 << 20)
            #expect(received == .init(sent))
        }
    }
}
