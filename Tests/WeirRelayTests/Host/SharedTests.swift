import Support
import Synchronization
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

/// An opening for tests that refuses every client.
private struct RefusingOpening: Opening {
    mutating func receive(_ bytes: RawSpan) -> OpeningStep { .refused("nobody is let in") }
}

@Suite("What loops share", .tags(.network), .timeLimit(.minutes(1)))
struct SharedTests {
    @Test("As many flows are reserved as there may be, and one more for each that ends")
    func reserves() async throws {
        try await withRelay("tcp:0", configure: { $0.maxFlows = 3 }) { relay, _ in
            let shared = await relay.shared
            let reserved = (0..<5).map { _ in shared.reserveFlow() }
            #expect(reserved == [true, true, true, false, false] && relay.openFlows == 3)
            for wakesOthers in [true, false] {
                shared.releaseFlow(wakesOthers: wakesOthers)
                #expect(relay.openFlows == 2)
                #expect(shared.reserveFlow())
                #expect(!shared.reserveFlow())
            }
            for _ in 0..<3 { shared.releaseFlow() }
        }
    }

    @Test("A flow goes to the loop with the fewest, and of equal ones to the one that has it")
    func chooses() async throws {
        try await withRelay("tcp:0", configure: { $0.threads = 3 }) { relay, _ in
            let shared = await relay.shared
            let cases = [
                ([0, 0, 0], 2, 2), ([1, 0, 0], 0, 1), ([1, 1, 0], 0, 2), ([2, 1, 2], 2, 1), ([1, 1, 1], 1, 1),
                ([0, 1, 1], 2, 0), ([3, 2, 1], 0, 2),
            ]
            for (counts, preferred, best) in cases {
                for (loop, count) in zip(shared.loops, counts) { loop.flows.store(count, ordering: .relaxed) }
                #expect(shared.loopWithFewestFlows(preferring: preferred) == best, "\(counts)")
            }
            for loop in shared.loops { loop.flows.store(0, ordering: .relaxed) }
        }
        try await withRelay("tcp:0") { relay, _ in #expect(await relay.shared.loopWithFewestFlows() == 0) }
    }

    @Test("Each loop counts the flows and the sessions that it has", arguments: [1, 2])
    func counts(threads: Int) async throws {
        try await withRelay(["tcp:0", "udp:0"], configure: { $0.threads = threads }) { relay, collector in
            let loops = await relay.shared.loops
            func counts() -> [Int] {
                [
                    loops.reduce(0) { $0 + $1.flows.load(ordering: .relaxed) },
                    loops.reduce(0) { $0 + $1.sessions.load(ordering: .relaxed) }, relay.openFlows, relay.openSessions,
                ]
            }
            #expect(counts() == [0, 0, 0, 0])
            let (streams, datagrams) = (relay.listeners[0].endpoint, relay.listeners[1].endpoint)
            let peers = try await runThread {
                let peers = try (0..<4).map { _ in try TCPPeer(to: streams) }
                for peer in peers {
                    try peer.send("x")
                    _ = try peer.receive(1)
                }
                let others = try (0..<3).map { _ in try UDPPeer(to: datagrams) }
                for peer in others {
                    try peer.send("x")
                    _ = try peer.receive()
                }
                return (peers, others)
            }
            #expect(counts() == [4, 3, 4, 3])
            for flow in await relay.flows() { #expect(await relay.closeFlow(flow.id)) }
            try await collector.closes(7)
            #expect(counts() == [0, 0, 0, 0])
            withExtendedLifetime(peers) {}
        }
    }

    @Test("A client that is refused in its opening is counted no more", arguments: [1, 2])
    func refused(threads: Int) async throws {
        let configure: (inout RelayConfiguration) -> Void = { configuration in
            configuration.threads = threads
            configuration.routes = configuration.routes.map {
                Route($0.transport, listen: $0.listen, target: nil, opening: OpeningKind("none") { RefusingOpening() })
            }
        }
        try await withRelay("tcp:0", configure: configure) { relay, _ in
            try await runThread {
                for _ in 0..<3 {
                    let client = try TCPPeer(to: relay.endpoint)
                    try client.send("x")
                    _ = try client.receiveToEnd()
                }
            }
            let (loops, deadline) = (await relay.shared.loops, Deadline())
            func flows() -> [Int] { loops.map { $0.flows.load(ordering: .relaxed) } }
            // A client sees its end a moment before it is counted.
            while relay.openFlows != 0 || flows() != Array(repeating: 0, count: threads), !deadline.isOver {
                await Task.yield()
            }
            #expect(relay.openFlows == 0 && flows() == Array(repeating: 0, count: threads))
        }
    }

    @Test("The seed and the route decide about a flow's randomness, and its number in the route")
    func seeds() async throws {
        var found: [[UInt64]] = []
        for seed in [5, 5, 6] as [UInt64] {
            try await withRelay(["tcp:0", "tcp:0"], configure: { $0.seed = seed }) { relay, _ in
                let shared = await relay.shared
                let flows = [0, 1, 0, 0, 1].map { shared.nextFlow(of: $0) }
                #expect(flows.map(\.number) == [1, 1, 2, 3, 2])
                #expect(Set(flows.map(\.seed)).count == 5)
                found.append(flows.map(\.seed))
                #expect((0..<3).map { _ in shared.nextFlowID().rawValue } == [1, 2, 3])
            }
        }
        #expect(found[0] == found[1] && zip(found[0], found[2]).allSatisfy { $0 != $1 })
    }

    @Test("Flows are counted by route, and what happens once has a first time")
    func counters() {
        let counts = FlowCounts()
        #expect(counts[0] == 0 && counts[7] == 0)
        #expect([2, 0, 2, 2, 1].map { counts.next(of: $0) } == [1, 1, 2, 3, 1])
        #expect((0..<5).map { counts[$0] } == [1, 1, 3, 0, 0])
        let flag = OneTimeFlag()
        #expect([flag.isFirst(), flag.isFirst(), flag.isFirst()] == [true, false, false])
    }
}
