import CWeir
import Glibc
import Support
import Testing
import WeirEngine

@testable import WeirRelay

@Suite("The kernel's rare answers", .tags(.network), .serialized, .timeLimit(.minutes(2)))
struct KernelAnswersTests {
    /// The kinds of answers that cost nothing.
    private static let harmless = UInt32(WEIR_FAULT_AGAIN | WEIR_FAULT_INTR | WEIR_FAULT_SHORT | WEIR_FAULT_REFUSED)

    /// Lets a stand-in answer in the kernel's place while a body runs.
    private func withStandIn(
        _ seed: Int,
        _ kinds: UInt32,
        _ body: () async throws -> Void
    ) async throws {
        weir_stand_in(UInt64(seed), kinds)
        defer { weir_stand_in(0, 0) }
        try await body()
    }

    @Test("A stream arrives whole, both ways", arguments: [1, 2], 0..<5)
    func stream(threads: Int, seed: Int) async throws {
        let server = try TCPServer()
        try await withStandIn(seed, Self.harmless) {
            try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<4 {
                        group.addTask {
                            let (client, peer) = try await runThread {
                                let client = try TCPPeer(to: relay.endpoint)
                                return (client, try server.accept())
                            }
                            // Who accepted whom does not matter: each sends, and receives what some other one sent.
                            let size = 200_000 + number
                            async let sent: Void = runThread {
                                try client.send(size, seed: 1, finishing: true)
                                try peer.send(200_000, seed: 2, finishing: true)
                            }
                            let down = try await runThread { try client.receiveToEnd(seed: 2) }
                            let up = try await runThread { try peer.receiveToEnd(seed: 1) }
                            try await sent
                            #expect(down == .init(200_000))
                            #expect(up.firstDifference == nil && up.ending == .end && up.count >= 200_000)
                        }
                    }
                    try await group.waitForAll()
                }
                let closes = try await collector.closes(4)
                #expect(closes.allSatisfy { $0.reason == .finished })
            }
        }
    }

    /// Lets clients send datagrams to a server that sends them back, in bursts, and returns what came, by client.
    private func exchange(
        _ relay: Supervisor,
        _ server: UDPPeer,
        clients: Int,
        rounds: Int
    ) async throws -> (upstream: Int, downstream: [[[UInt8]]]) {
        let burst = 8
        let peers = try (0..<clients).map { _ in try UDPPeer(to: relay.endpoint) }
        return try await runThread {
            server.socket.setPatience(.seconds(2))
            var upstream = 0
            var downstream = [[[UInt8]]](repeating: [], count: clients)
            for round in 0..<rounds {
                for number in 0..<burst {
                    for client in peers.indices {
                        try peers[client].send([UInt8(client), UInt8(round), UInt8(number)])
                    }
                }
                for _ in 0..<(burst * clients) {
                    let (bytes, from) = try server.receive()
                    upstream += 1
                    try server.send(bytes, to: from)
                }
                for client in peers.indices {
                    for _ in 0..<burst { downstream[client].append(try peers[client].receive().bytes) }
                }
            }
            return (upstream, downstream)
        }
    }

    @Test("Datagrams of several clients arrive all, once and in order", arguments: [1, 2], 0..<5)
    func datagrams(threads: Int, seed: Int) async throws {
        let server = try UDPPeer()
        try await withStandIn(seed, Self.harmless) {
            try await withRelay(try server.route, configure: { $0.threads = threads }) { relay, collector in
                let (upstream, downstream) = try await exchange(relay, server, clients: 3, rounds: 20)
                #expect(upstream == 3 * 160)
                for (client, datagrams) in downstream.enumerated() {
                    let wanted = (0..<160).map { [UInt8(client), UInt8($0 / 8), UInt8($0 % 8)] }
                    #expect(datagrams == wanted)
                }
                await relay.stop()
                #expect(collector.records.allSatisfy { $0.dropped == nil })
            }
        }
    }

    /// Lets a client send bursts of datagrams, each as soon as what became of the last one is known: it was dropped, or came.
    private func send(
        _ bursts: Int,
        of size: Int,
        _ relay: Supervisor,
        _ server: UDPPeer,
        _ collector: RecordCollector
    ) async throws -> (received: [UInt8], drops: [DropRecord]) {
        let client = try UDPPeer(to: relay.endpoint)
        server.socket.setPatience(.milliseconds(1))
        return try await runThread {
            let deadline = Deadline(seconds: 5)
            var received: [UInt8] = []
            var drops: [DropRecord] = []
            for burst in 0..<bursts {
                for number in 0..<size { try client.send([UInt8(burst * size + number)]) }
                repeat {
                    if let bytes = try? server.receive().bytes { received += bytes }
                    drops = collector.records.compactMap(\.dropped)
                } while received.count + drops.count < (burst + 1) * size && !deadline.isOver
            }
            return (received, drops)
        }
    }

    @Test("A refusal that an earlier datagram met costs none", arguments: 0..<5)
    func refusals(seed: Int) async throws {
        let server = try UDPPeer()
        try await withStandIn(seed, UInt32(WEIR_FAULT_REFUSED | WEIR_FAULT_SHORT)) {
            try await withRelay(try server.route) { relay, collector in
                let received = try await send(50, of: 4, relay, server, collector).received
                #expect(received == Array(0..<200))
                // The records come in batches: all of them are there when the relay has ended.
                await relay.stop()
                #expect(collector.records.allSatisfy { $0.dropped == nil })
                #expect(collector.records.count { $0.refused == .connectionRefused } > 0)
            }
        }
    }

    @Test("A datagram that the kernel has no memory for is lost alone, and counted", arguments: [1, 2], 0..<5)
    func noMemory(threads: Int, seed: Int) async throws {
        let server = try UDPPeer()
        try await withStandIn(seed, UInt32(WEIR_FAULT_NOBUFS | WEIR_FAULT_SHORT | WEIR_FAULT_AGAIN)) {
            try await withRelay(try server.route, configure: { $0.threads = threads }) { relay, collector in
                let (received, drops) = try await send(50, of: 4, relay, server, collector)
                #expect(drops.allSatisfy { $0.reason == .error(ErrorNumber(ENOBUFS)) && $0.datagrams == 1 })
                #expect(drops.count > 0 && received.count + drops.count == 200)
                #expect(received == received.sorted())
            }
        }
    }
}
