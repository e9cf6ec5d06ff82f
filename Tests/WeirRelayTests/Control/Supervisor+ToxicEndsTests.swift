import Glibc
import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@Suite("Ends under toxics on real sockets", .tags(.network), .timeLimit(.minutes(2)))
struct SupervisorToxicEndsTests {
    /// Lists the types for streams, but for the one that resets at an end by design.
    static let types = Toxics.all.filter { $0.transports.contains(.tcp) && $0.name != "reset_peer" }.map(\.name)

    /// Holds settings under which the flow stays open, and a test is quick; the length of what passes stays as it is.
    static let attributes: [String: [String: ToxicValue]] = [
        "latency": ["latency": .int(20), "jitter": .int(15)],
        "bandwidth": ["rate": .int(20_000)],
        "slicer": ["average_size": .int(3000), "size_variation": .int(1000)],
        "limit_data": ["bytes": .int(1 << 40)],
        "slow_close": ["delay": .int(30)],
        "packet_loss": ["loss_rate": .double(0.3)],
        "corrupt": ["rate": .double(0.001)],
        "replace": ["find": .string("hex:6162"), "with": .string("XY")],
        "dns": ["host": .string("example.com"), "address": .string("127.0.0.1")],
        "hold": ["timeout": .int(20)],
    ]

    @Test("A half-close is kept under each toxic that leaves the flow open", arguments: types, Direction.allCases)
    func halfClose(_ type: String, _ direction: Direction) async throws {
        let size = 100_000
        let toxic = ToxicConfiguration(type, direction, attributes: Self.attributes[type] ?? [:])
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.toxics = [0: [toxic]] }) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                let (sender, receiver) = direction == .upstream ? (client, peer) : (peer, client)
                try sender.send(size, seed: 1, finishing: true)
                #expect(try receiver.receiveToEnd(seed: 1).ending == .end)
                // The other half is open still.
                try receiver.send(size, seed: 2, finishing: true)
                #expect(try sender.receiveToEnd(seed: 2) == .init(size))
            }
            let closed = try await collector.closes()[0]
            let (way, other) =
                direction == .upstream ? (closed.upstream, closed.downstream) : (closed.downstream, closed.upstream)
            #expect(closed.reason == .finished)
            #expect(way.bytes + way.droppedBytes == UInt64(size))
            #expect(other.bytes == UInt64(size) && other.droppedBytes == 0)
        }
    }

    @Test("Who reads slowly gets exactly the bytes of a limit, and then an end, also when the server stays")
    func slowReader() async throws {
        let limit = 400_000
        let toxic = ToxicConfiguration("limit_data", .downstream, attributes: ["bytes": .int(limit)])
        let server = try TCPServer()
        try await withRelay(
            server.route,
            interest: .flows,
            configure: { $0.toxics = [0: [toxic]] }
        ) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint, receiveBuffer: 64 << 10)
                let peer = try server.accept()
                try peer.send(3 * limit, seed: 1)
                #expect(try peer.receiveToEnd().ending == .end)
                // The server has its end, and a second later its reset: the client has read nothing yet.
                #expect(peer.waitForReset())
                #expect(try client.receiveToEnd(seed: 1, isSlow: true) == .init(limit))
                client.finish()
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .toxic && closed.downstream.bytes == UInt64(limit))
            #expect(closed.downstream.droppedBytes == UInt64(2 * limit))
        }
    }

    @Test("A client's reset costs the server nothing that a limit let go")
    func resetBehindLimit() async throws {
        let limit = 400_000
        let toxic = ToxicConfiguration("limit_data", .upstream, attributes: ["bytes": .int(limit)])
        let server = try TCPServer()
        try await withRelay(
            server.route,
            interest: .flows,
            configure: { $0.toxics = [0: [toxic]] }
        ) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                try client.send(2 * limit, seed: 1)
                #expect(try client.receiveToEnd().ending == .end)
                client.reset()
                #expect(try peer.receiveToEnd(seed: 1, isSlow: true) == .init(limit))
                peer.close()
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .toxic && closed.upstream.bytes == UInt64(limit))
        }
    }
}

extension TCPPeer {
    /// Waits until the other side has reset; an end alone is none.
    fileprivate func waitForReset() -> Bool {
        var watched = pollfd(fd: socket.raw, events: 0, revents: 0)
        return poll(&watched, 1, 20_000) == 1
    }
}
