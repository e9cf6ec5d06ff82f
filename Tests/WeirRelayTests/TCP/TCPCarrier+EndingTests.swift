import CWeir
import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("How TCP flows end", .tags(.network), .timeLimit(.minutes(1)))
struct TCPCarrierEndingTests {
    @Test(
        "One side half-closes first; the other one then sends 64 MiB to a slow reader, and closes",
        .tags(.slow),
        .timeLimit(.minutes(2)),
        arguments: [1, 2],
        [Direction.upstream, .downstream]
    )
    func halfClose(threads: Int, first: Direction) async throws {
        let size = TestSize.bytes(64 << 20)
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            let (early, late) = first == .upstream ? (client, peer) : (peer, client)
            async let received = runThread {
                try early.send("bye")
                early.finish()
                return try early.receiveToEnd(seed: 3, isSlow: true)
            }
            try await runThread {
                let (bytes, ending) = try late.receiveToEnd()
                #expect(bytes == Array("bye".utf8) && ending == .end)
                try late.send(size, seed: 3)
                late.close()
            }
            #expect(try await received == .init(size))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .finished)
            #expect(closed.upstream.droppedBytes == 0 && closed.downstream.droppedBytes == 0)
            let ends = collector.happenings.filter { $0 == .ended(.upstream) || $0 == .ended(.downstream) }
            #expect(ends == [.ended(first), .ended(first.opposite)])
        }
    }

    @Test(
        "A side sends 50,000 bytes and resets: all of them arrive, and then the reset",
        arguments: [1, 2],
        [Direction.upstream, .downstream]
    )
    func reset(threads: Int, direction: Direction) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            for _ in 0..<20 {
                let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
                let (sender, receiver) = direction == .upstream ? (client, peer) : (peer, client)
                let received = try await runThread {
                    try sender.send(50_000, seed: 4)
                    // A reset purges what the sender's kernel still holds: it waits until the peer has it.
                    while sender.unsent > 0 { poll(nil, 0, 1) }
                    sender.reset()
                    return try receiver.receiveToEnd(seed: 4)
                }
                #expect(received == .init(50_000, .failed(.connectionReset)))
            }
            let closes = try await collector.closes(20)
            let reason: CloseReason = direction == .upstream ? .clientReset : .serverReset
            #expect(closes.allSatisfy { $0.reason == reason })
            #expect(closes.allSatisfy { $0.upstream.droppedBytes == 0 && $0.downstream.droppedBytes == 0 })
        }
    }

    @Test("A side half-closes, and then the other one resets", arguments: [Direction.upstream, .downstream])
    func resetAfterHalfClose(direction: Direction) async throws {
        let server = try TCPServer()
        try await withRelay(server.route) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            let (resetting, ended) = direction == .upstream ? (client, peer) : (peer, client)
            let received = try await runThread {
                ended.finish()
                #expect(try resetting.receiveToEnd().ending == .end)
                try resetting.send(1000, seed: 5)
                while resetting.unsent > 0 { poll(nil, 0, 1) }
                resetting.reset()
                return try ended.receiveToEnd(seed: 5)
            }
            #expect(received == .init(1000, .failed(.connectionReset)))
            #expect(try await collector.closes()[0].reason == (direction == .upstream ? .clientReset : .serverReset))
        }
    }

    @Test("Counts the bytes that were on their way to a side that resets", arguments: [1, 2])
    func dropped(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            let (client, peer) = try await runThread {
                (try TCPPeer(to: relay.endpoint, receiveBuffer: 4096), try server.accept())
            }
            // The client reads nothing: the kernel's buffers are full, and the rest of a read waits in the flow's queue.
            try await runThread { try peer.sendUntilStuck(seed: 6) }
            client.reset()
            #expect(try await runThread { try peer.receiveToEnd() }.ending == .failed(.connectionReset))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .clientReset)
            #expect(closed.downstream.droppedBytes > 0)
            #expect(closed.upstream.droppedBytes == 0)
            let drops = collector.records.compactMap(\.dropped)
            #expect(drops.allSatisfy { $0.direction == .downstream && $0.reason == .reset })
        }
    }

    @Test(
        "What is not delivered a second after its sender has reset is counted",
        .tags(.slow),
        arguments: [1, 2],
        [Direction.upstream, .downstream]
    )
    func lateDelivery(threads: Int, direction: Direction) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            let (client, peer) = try await runThread {
                (try TCPPeer(to: relay.endpoint, receiveBuffer: 64 << 10), try server.accept())
            }
            let (sender, receiver) = direction == .upstream ? (client, peer) : (peer, client)
            let sent = try await runThread {
                // The receiver does not read: the kernel's buffers fill, and the flow's queue.
                var pattern = Pattern(seed: 8)
                sender.socket.setPatience(.milliseconds(200))
                do {
                    while pattern.position < 256 << 20 { try sender.send(64 << 10, of: &pattern) }
                } catch {}
                let unsent = sender.unsent
                sender.reset()
                return pattern.position - unsent
            }
            let closed = try await collector.closes()[0]
            let received = try await runThread { try receiver.receiveToEnd(seed: 8) }
            #expect(received.ending == .failed(.connectionReset) && received.firstDifference == nil)
            let counters = direction == .upstream ? closed.upstream : closed.downstream
            #expect(received.count + Int(counters.droppedBytes) == sent)
            #expect(closed.duration >= .seconds(1))
        }
    }

    @Test(
        "A stop at once after a send: what was received and what was dropped are what was sent",
        arguments: [1, 2],
        Direction.allCases
    )
    func stoppedAtOnce(threads: Int, direction: Direction) async throws {
        let server = try TCPServer()
        for isFinishing in [true, false] {
            try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
                let (client, peer) = try await runThread {
                    (try TCPPeer(to: relay.endpoint, receiveBuffer: 64 << 10), try server.accept())
                }
                let (sender, receiver) = direction == .upstream ? (client, peer) : (peer, client)
                let sent = 600_000
                try await runThread {
                    // As much as fits into the kernel: the receiver reads later, or not at all before the stop.
                    sender.socket.setPatience(.milliseconds(500))
                    var pattern = Pattern(seed: 9)
                    while pattern.position < sent {
                        do { try sender.send(min(50_000, sent - pattern.position), of: &pattern) } catch { break }
                    }
                    if isFinishing { sender.finish() }
                    // All of it is with the relay's kernel, so that what the flow lost is known to the byte.
                    while sender.unsent > 1 { poll(nil, 0, 1) }
                }
                await relay.stop(grace: .zero)
                let received = try await runThread { try receiver.receiveToEnd(seed: 9) }
                #expect(received.firstDifference == nil)
                let closed = try await collector.closes()[0]
                let counters = direction == .upstream ? closed.upstream : closed.downstream
                #expect(received.count + Int(counters.droppedBytes) == sent)
            }
        }
    }

    @Test("What both sides have sent and nobody has read is dropped once", arguments: [1, 2])
    func bothStuck(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(
            server.route,
            grace: .zero,
            configure: { $0.threads = threads }
        ) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            try await runThread {
                try peer.sendUntilStuck(seed: 1)
                try client.sendUntilStuck(seed: 2)
            }
            await relay.stop(grace: .zero)
            let closed = try await collector.closes()[0]
            let (down, up) = try await runThread { (try client.receiveToEnd(seed: 1), try peer.receiveToEnd(seed: 2)) }
            #expect(peer.given.contains(down.count + Int(closed.downstream.droppedBytes)))
            #expect(client.given.contains(up.count + Int(closed.upstream.droppedBytes)))
            #expect(closed.downstream.droppedBytes > 0 && closed.upstream.droppedBytes > 0)
        }
    }

    @Test("What the kernel had not sent to a side that reset is dropped", arguments: [1, 2], Direction.allCases)
    func droppedByKernel(threads: Int, direction: Direction) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            let (client, peer) = try await runThread {
                (try TCPPeer(to: relay.endpoint, receiveBuffer: 16 << 10), try server.accept())
            }
            let (sender, receiver) = direction == .upstream ? (client, peer) : (peer, client)
            // More than the receiver's kernel takes, and less than what the relay's takes: nothing waits in the flow.
            Socket.set(SO_RCVBUF, of: SOL_SOCKET, to: 16 << 10, on: receiver.socket.raw)
            let size = 9_000_000
            try await runThread {
                sender.socket.setPatience(.milliseconds(300))
                var pattern = Pattern(seed: 10)
                do { try sender.send(size, of: &pattern) } catch {}
            }
            // The receiver's kernel takes no more, and the relay's has seen that.
            let shared = await relay.shared
            let deadline = Deadline()
            var isSettled = false
            while !isSettled, !deadline.isOver {
                isSettled = await withCheckedContinuation { continuation in
                    for loop in shared.loops {
                        loop.mailbox.post(
                            .perform { host in
                                guard let connection = host.flows.first as? TCPConnection else { return }
                                let raw = connection[source: direction.opposite].raw
                                continuation.resume(returning: weir_in_flight(raw) <= 0 || weir_is_resending(raw))
                            }
                        )
                    }
                }
            }
            var held: Int32 = 0
            _ = ioctl(receiver.socket.raw, UInt(FIONREAD), &held)
            receiver.reset()
            let closed = try await collector.closes()[0]
            let counters = direction == .upstream ? closed.upstream : closed.downstream
            let given = sender.given
            let reached = Int(counters.droppedBytes) + Int(held)
            #expect(given.contains(reached), "\(counters), \(held) bytes with the receiver's kernel, \(given) sent")
        }
    }

    @Test("A flow on which nothing moves ends by its idle time", arguments: [1, 2])
    func idle(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(
            server.route,
            configure: {
                $0.threads = threads
                $0.idleTimeout = .seconds(2)
            }
        ) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            try await runThread {
                // What moves keeps it open, for longer than the idle time.
                for _ in 0..<5 {
                    try client.send("ping")
                    _ = try peer.receive(4)
                    poll(nil, 0, 500)
                }
                #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
                #expect(try peer.receiveToEnd().ending == .failed(.connectionReset))
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .idle && closed.upstream.bytes == 20)
            #expect(closed.duration >= .seconds(4))
        }
    }
}
