import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("A UDP session", .tags(.network), .timeLimit(.minutes(1)))
struct UDPSessionTests {
    @Test("A session is known by its client's endpoint and the address that it sent to, with their zones")
    func keys() throws {
        let first = Endpoint(address: .loopbackV4, port: 1)
        let v6 = IPAddress(v6: 0xfe80 << 48, low: 1, scope: 1)
        let keys = [
            SessionKey(client: first, local: .loopbackV4), SessionKey(client: first, local: IPAddress(v4: 0x7F00_0002)),
            SessionKey(client: Endpoint(address: .loopbackV4, port: 2), local: .loopbackV4),
            SessionKey(client: Endpoint(address: IPAddress(v4: 0x7F00_0002), port: 1), local: .loopbackV4),
            SessionKey(client: Endpoint(address: v6, port: 1), local: .loopbackV6),
            SessionKey(
                client: Endpoint(address: IPAddress(v6: 0xfe80 << 48, low: 1, scope: 2), port: 1),
                local: .loopbackV6
            ), SessionKey(client: first, local: .loopbackV6),
        ]
        #expect(Set(keys).count == keys.count)
        #expect(SessionKey(client: first, local: .loopbackV4) == keys[0])
    }

    @Test("Sessions make room in the order of their last activity, whichever end in between")
    func makesRoom() async throws {
        try await withRelay("udp:0", configure: { $0.maxSessions = 4 }) { relay, collector in
            let clients = try (0..<8).map { _ in try UDPPeer(to: relay.endpoint) }
            func talk(_ numbers: [Int]) async throws {
                try await runThread {
                    for number in numbers {
                        try clients[number].send("\(number)")
                        #expect(try clients[number].receiveText() == "\(number)")
                    }
                }
            }
            func closed(_ count: Int) async throws -> [Int?] {
                try await collector.wait(for: count, "closed") { $0.closed != nil }.map { record in
                    clients.firstIndex { $0.local == record.path.client }
                }
            }
            try await talk([0, 1, 2, 3, 1, 0, 0])
            // Now in the order 2, 3, 1, 0; the one in the middle ends.
            let flows = await relay.flows()
            let third = try #require(flows.first { $0.path.client == clients[3].local })
            #expect(await relay.closeFlow(third.id))
            #expect(await !relay.closeFlow(third.id))
            #expect(try await closed(1) == [3])
            try await talk([4, 5])
            #expect(try await closed(2) == [3, 2])
            try await talk([6, 7])
            #expect(try await closed(4) == [3, 2, 1, 0])
            #expect(relay.openSessions == 4)
        }
    }

    @Test("Open flows are found by their route, transport and number, in their order")
    func findsFlows() async throws {
        try await withRelay(["tcp:0", "udp:0", "udp:0"], configure: { $0.threads = 2 }) { relay, collector in
            let (tcp, first, second) = (relay.routes[0], relay.routes[1], relay.routes[2])
            let numbers = Dictionary(uniqueKeysWithValues: relay.routes.map { ($0.name, $0.number) })
            #expect(numbers.count == 3)
            let peers = try await runThread {
                let stream = try TCPPeer(to: tcp.endpoints[0])
                try stream.send("x")
                _ = try stream.receive(1)
                var datagrams: [UDPPeer] = []
                for route in [first, second, first] {
                    let peer = try UDPPeer(to: route.endpoints[0])
                    try peer.send("y")
                    _ = try peer.receive()
                    datagrams.append(peer)
                }
                return (stream, datagrams)
            }
            func found(_ change: (inout Supervisor.FlowFilter) -> Void, limit: Int = 100) async -> [UInt64] {
                var filter = Supervisor.FlowFilter()
                change(&filter)
                return await relay.flows(filter, limit: limit).map(\.id.rawValue)
            }
            var all = [await found { _ in }, await found({ _ in }, limit: 2)]
            all += [await found { $0.transport = .udp }, await found { $0.transport = .tcp }]
            all += [await found { $0.after = 2 }, await found { $0.after = 4 }]
            all += [await found { $0.route = first.number }, await found { $0.route = second.number }]
            all.append(await found { ($0.route, $0.after, $0.transport) = (first.number, 2, .udp) })
            all.append(await found { ($0.route, $0.transport) = (first.number, .tcp) })
            #expect(all == [[1, 2, 3, 4], [1, 2], [2, 3, 4], [1], [3, 4], [], [2, 4], [3], [4], []])
            var ids: [UInt64?] = []
            for number in UInt64(0)...5 { ids.append(await relay.flow(FlowID(number))?.id.rawValue) }
            #expect(ids == [nil, 1, 2, 3, 4, nil])
            let (third, one) = (await relay.flow(FlowID(3)), await relay.flow(FlowID(1)))
            #expect(third?.route == second.number && one?.route == tcp.number)
            for number in [UInt64(3), 1] { #expect(await relay.closeFlow(FlowID(number))) }
            #expect(await found { _ in } == [2, 4])
            try await collector.closes(2)
            withExtendedLifetime(peers) {}
        }
    }

    @Test("A decision about a chunk that is not held is none")
    func decidesNothing() async throws {
        try await withRelay("udp:0") { relay, _ in
            #expect(await !relay.decide(1, of: "h", .upstream, flow: FlowID(1), .forward))
            #expect(await relay.heldChunks().isEmpty)
        }
    }
}
