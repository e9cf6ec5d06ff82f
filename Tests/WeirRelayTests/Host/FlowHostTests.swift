import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("The host of a loop's flows", .tags(.network), .timeLimit(.minutes(1)))
struct FlowHostTests {
    @Test("A flow that adds to too many bytes kept for echoes forgets its own, and the others find theirs")
    func echoBound() async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.echoBound = 10_000 }) { relay, collector in
            @Sendable func connect() throws -> (client: TCPPeer, peer: TCPPeer) {
                let client = try TCPPeer(to: relay.endpoint)
                return (client, try server.accept())
            }
            /// Lets so many different bytes go to the server, in one chunk, and returns them.
            @Sendable func send(_ count: Int, _ flow: (client: TCPPeer, peer: TCPPeer), seed: UInt64) throws -> [UInt8]
            {
                var pattern = Pattern(seed: seed)
                let bytes = pattern.next(count)
                try flow.client.send(bytes)
                #expect(try flow.peer.receive(count) == bytes)
                return bytes
            }
            @Sendable func answer(_ bytes: [UInt8], _ flow: (client: TCPPeer, peer: TCPPeer)) throws {
                try flow.peer.send(bytes)
                #expect(try flow.client.receive(bytes.count) == bytes)
            }
            try await runThread {
                let flows = [try connect(), try connect(), try connect()]
                // 6,000 bytes are kept, and then 10,096: too many, but each flow may keep 4,096.
                let first = try send(6000, flows[0], seed: 1)
                var second = try send(4096, flows[1], seed: 2)
                // One more, and the second flow forgets its own: 9,000 are kept with the third's.
                second += try send(1, flows[1], seed: 3)
                let third = try send(3000, flows[2], seed: 4)
                for (bytes, flow) in zip([first, second, third], flows) { try answer(bytes, flow) }
                for flow in flows {
                    flow.client.finish()
                    #expect(try flow.peer.receiveToEnd().ending == .end)
                    flow.peer.finish()
                    #expect(try flow.client.receiveToEnd().ending == .end)
                }
            }
            _ = try await collector.closes(3)
            let echoes = (1...3).map { flow in
                collector.records.contains { $0.flow == FlowID(flow) && $0.happening.chunk?.echo != nil }
            }
            #expect(echoes == [true, false, true])
        }
    }

    @Test("A loop is idle while it waits for events, and only then", arguments: [1, 2])
    func idle(threads: Int) async throws {
        try await withRelay("tcp:0", configure: { $0.threads = threads }) { relay, _ in
            let shared = await relay.shared
            let deadline = Deadline()
            while !shared.hub.areIdle.allSatisfy({ $0 }), !deadline.isOver { await Task.yield() }
            #expect(shared.hub.areIdle == [Bool](repeating: true, count: threads))
            for (index, loop) in shared.loops.enumerated() {
                let isIdle = await withCheckedContinuation { continuation in
                    _ = loop.mailbox.post(.perform { _ in continuation.resume(returning: shared.hub.areIdle[index]) })
                }
                #expect(!isIdle)
            }
        }
    }

    @Test("An echo that its client does not read waits in the kernel, not in the flow")
    func unreadEcho() async throws {
        try await withRelay("tcp:0") { relay, _ in
            let sent = Lock(0)
            let client = try TCPPeer(to: relay.endpoint)
            try await runThread {
                var pattern = Pattern(seed: 5)
                // Until the kernels take no more for a while.
                while true {
                    do { try client.send(1 << 16, of: &pattern) } catch { break }
                    sent.withLock { $0 += 1 << 16 }
                }
            }
            let status = try #require(await relay.flows(Supervisor.FlowFilter(), limit: 1).first)
            #expect(sent.withLock { $0 } > 1 << 20)
            // What one read brought beyond what the kernel took.
            #expect(status.queuedDownstream > 0 && status.queuedDownstream < LoopContext.readSize)
            client.reset()
        }
    }
}
