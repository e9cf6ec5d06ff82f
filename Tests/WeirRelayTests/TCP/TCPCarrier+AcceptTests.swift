import Glibc
import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@Suite("How TCP flows begin", .tags(.network), .timeLimit(.minutes(1)))
struct TCPCarrierAcceptTests {
    @Test("Clients over the bound wait, and are served when a flow ends", arguments: [1, 2])
    func maxFlows(threads: Int) async throws {
        let server = try TCPServer()
        let reports = Reports()
        try await withRelay(
            server.route,
            configure: {
                $0.threads = threads
                $0.maxFlows = 2
            },
            reports: reports
        ) { relay, collector in
            #expect(relay.maxFlows == 2)
            let clients = try await runThread {
                try (0..<6).map { number in
                    let client = try TCPPeer(to: relay.endpoint)
                    try client.send("client \(number)")
                    return client
                }
            }
            var served = try await runThread { [try server.accept(), try server.accept()] }
            try await collector.wait(for: 2, "connected") { $0.isConnected }
            for _ in 0..<4 {
                #expect(relay.openFlows == 2)
                let first = served.removeFirst()
                served.append(
                    try await runThread {
                        first.reset()
                        return try server.accept()
                    }
                )
            }
            let peers = served
            let endings = try await runThread {
                for peer in peers {
                    let greeting = try peer.receive(7)
                    #expect(greeting == Array("client ".utf8))
                    peer.reset()
                }
                return try clients.map { try $0.receiveToEnd().ending }
            }
            #expect(Set(endings) == [.failed(.connectionReset)])
            try await collector.closes(6)
        }
        #expect(reports.lines.count { $0.contains("accepting pauses") } == 1)
    }

    @Test("Loops that accept at the same time keep to the bound together", .tags(.slow))
    func boundOfAllLoops() async throws {
        let rounds = TestSize.isSanitized ? 100 : 400
        try await withRelay(
            Array(repeating: "tcp:0", count: 4),
            interest: .flows,
            configure: {
                $0.threads = 4
                $0.maxFlows = 2
            }
        ) { relay, collector in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for listener in relay.listeners {
                    group.addTask {
                        try await runThread {
                            for _ in 0..<rounds {
                                let client = try TCPPeer(to: listener.endpoint)
                                try client.send("x")
                                #expect(try client.receive(1) == Array("x".utf8))
                                client.reset()
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await collector.closes(4 * rounds)
            // A flow's place is taken before its first record is made, and given back after its last.
            let ends = collector.records.compactMap { record in
                record.isOpened ? (record.moment.instant, 1) : record.closed.map { _ in (record.moment.instant, -1) }
            }
            var (open, most) = (0, 0)
            for (_, change) in ends.sorted(by: { ($0.0, $0.1) < ($1.0, $1.1) }) {
                open += change
                most = max(most, open)
            }
            #expect(most == 2)
        }
    }

    @Test("A wildcard listener shows the address that the client chose", arguments: [1, 2])
    func wildcard(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(
            "tcp:*:0=\(server.endpoint)",
            configure: { $0.threads = threads }
        ) { relay, collector in
            let port = relay.endpoint.port
            #expect(relay.listeners.map(\.endpoint.port).allSatisfy { $0 == port })
            var addresses: [IPAddress] = [.loopbackV4, .secondLoopback]
            if relay.listeners.count == 2 { addresses.append(.loopbackV6) }
            for (number, address) in addresses.enumerated() {
                let asked = Endpoint(address: address, port: port)
                let local = try await runThread {
                    let client = try TCPPeer(to: asked)
                    let local = client.local
                    let peer = try server.accept()
                    client.close()
                    peer.close()
                    return local
                }
                try await collector.closes(number + 1)
                let opened = try #require(collector.records.last { $0.isOpened })
                #expect(opened.path.listener == asked)
                #expect(opened.path.client == local)
            }
        }
    }

    @Test("Clients that reset before they are accepted harm nobody")
    func resetInBacklog() async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.maxFlows = 1 }) { relay, collector in
            try await runThread {
                let first = try TCPPeer(to: relay.endpoint)
                let peer = try server.accept()
                for _ in 0..<10 { try TCPPeer(to: relay.endpoint).reset() }
                let last = try TCPPeer(to: relay.endpoint)
                try last.send("still here")
                first.reset()
                #expect(try peer.receiveToEnd().ending == .failed(.connectionReset))
                // Of the ten, those that the relay could dial for come first.
                while true {
                    let peer = try server.accept()
                    if try peer.receiveToEndOr(10) == Array("still here".utf8) { break }
                }
                last.reset()
            }
        }
    }

    @Test("A thousand short flows leave nothing behind", .tags(.slow), arguments: [1, 2])
    func shortFlows(threads: Int) async throws {
        let server = try TCPServer()
        let count = TestSize.isSanitized ? 200 : 1000
        try await withRelay(server.route, interest: .flows, configure: { $0.threads = threads }) { relay, collector in
            async let served: Void = runThread {
                for _ in 0..<count {
                    let peer = try server.accept()
                    try peer.send(try peer.receive(4))
                    peer.close()
                }
            }
            try await runThread {
                for _ in 0..<count {
                    let client = try TCPPeer(to: relay.endpoint)
                    try client.send("ping")
                    #expect(try client.receiveToEnd() == (Array("ping".utf8), .end))
                    client.close()
                }
            }
            try await served
            let closes = try await collector.closes(count)
            #expect(closes.allSatisfy { $0.reason == .finished })
        }
    }
}
