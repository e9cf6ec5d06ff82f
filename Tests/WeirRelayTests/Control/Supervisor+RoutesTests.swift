import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Routes that come and go", .tags(.network), .timeLimit(.minutes(1)))
struct SupervisorRoutesTests {
    private static func echoes(_ text: String, at endpoint: Endpoint) async throws {
        try await runThread {
            let client = try TCPPeer(to: endpoint)
            try client.send(text)
            #expect(try client.receive(text.utf8.count) == Array(text.utf8))
            client.finish()
            _ = try client.receiveToEnd()
        }
    }

    private static func isRefused(at endpoint: Endpoint) async throws -> Bool {
        try await runThread { (try? TCPPeer(to: endpoint)) == nil }
    }

    private static func route(
        _ server: Endpoint,
        over transport: Transport = .tcp,
        at place: Endpoint = .anyPortV4
    ) -> Route {
        Route(transport, listen: HostPort(place), target: HostPort(server))
    }

    @Test("Of several new routes each is checked as a route of its own, with those before it")
    func checksSeveral() async throws {
        try await withRelay("tcp:0", configure: { $0.takesRoutes = true }) { relay, _ in
            let free = try (0..<3).map { _ in Endpoint(address: .loopbackV4, port: try LoopbackPort.free()) }
            func check(_ targets: [Endpoint]) async -> Int? {
                let routes = zip(free, targets).enumerated().map { index, ends in
                    (name: "new\(index)", route: Self.route(ends.1, at: ends.0), isEnabled: true)
                }
                return await relay.check(routes)?.place
            }
            let elsewhere = Endpoint(address: .loopbackV4, port: 9)
            #expect(await check([elsewhere, elsewhere, elsewhere]) == nil)
            // A route that is served may be the target of each of them.
            for place in 0..<3 {
                var targets = [elsewhere, elsewhere, elsewhere]
                targets[place] = relay.endpoint
                #expect(await check(targets) == nil)
                targets[place] = free[place]
                #expect(await check(targets) == place)
            }
            #expect(await check([free[1], free[2], free[0]]) == 2)
        }
    }

    @Test(
        "A relay with no route gets one, which is disabled, enabled at the same port, and removed",
        arguments: [1, 2]
    )
    func comesAndGoes(threads: Int) async throws {
        try await withRelay("tcp:0", configure: { $0.threads = threads }) { echo, _ in
            try await withRelay(
                [],
                configure: {
                    $0.takesRoutes = true; $0.threads = threads
                }
            ) { relay, _ in
                #expect(relay.routes.isEmpty)
                let added = try await relay.add(Self.route(echo.endpoint), named: "one")
                let endpoint = try #require(added.endpoints.first)
                #expect(endpoint.port != 0 && added.isEnabled)
                try await Self.echoes("first", at: endpoint)
                let disabled = try await relay.change("one", isEnabled: false)
                #expect(!disabled.isEnabled)
                #expect(try await Self.isRefused(at: endpoint))
                var fixed = added.route
                fixed.listen.port = endpoint.port
                let enabled = try await relay.change("one", to: fixed, isEnabled: true)
                #expect(enabled.endpoints == [endpoint])
                try await Self.echoes("second", at: endpoint)
                try await relay.remove("one")
                #expect(try await Self.isRefused(at: endpoint))
                await #expect(throws: RouteChangeError.unknown("one")) { try await relay.remove("one") }
            }
        }
    }

    @Test("A listener of UDP that has gone is asked nothing when the relay ends")
    func goneListener() async throws {
        let reports = Reports()
        try await withRelay([], configure: { $0.takesRoutes = true }, reports: reports) { relay, _ in
            let server = Endpoint(address: .loopbackV4, port: 9)
            _ = try await relay.add(Self.route(server, over: .udp), named: "one")
            try await relay.remove("one")
        }
        #expect(reports.lines.isEmpty, "\(reports.lines)")
    }

    @Test("Disabling closes the flows of the route alone: both sides see an end", arguments: [1, 2])
    func closesFlows(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(
            [],
            configure: {
                $0.takesRoutes = true; $0.threads = threads
            }
        ) { relay, collector in
            let one = try await relay.add(Self.route(server.endpoint), named: "one")
            let two = try await relay.add(Self.route(server.endpoint), named: "two")
            let (first, peer) = try await runThread { (try TCPPeer(to: one.endpoints[0]), try server.accept()) }
            let (second, other) = try await runThread { (try TCPPeer(to: two.endpoints[0]), try server.accept()) }
            try await collector.wait(for: 2, "connected") { $0.isConnected }
            try await relay.change("one", isEnabled: false)
            let closed = try await collector.closes()
            #expect(closed.map(\.reason) == [.requested])
            try await runThread {
                #expect(try first.receiveToEnd().ending == .end)
                #expect(try peer.receiveToEnd().ending == .end)
                try second.send("still there")
                #expect(try other.receive(11) == Array("still there".utf8))
            }
        }
    }

    @Test("A route is listed with its toxics, also once it was disabled, enabled and moved")
    func listsToxics() async throws {
        let server = try TCPServer()
        try await withRelay([], configure: { $0.takesRoutes = true }) { relay, _ in
            let route = try await relay.add(Self.route(server.endpoint), named: "one")
            #expect(route.toxics == [])
            let noop = try ToxicConfiguration("noop", .upstream, name: "first").validated(for: .tcp)
            try await relay.setToxics([noop], route: route.number)
            #expect(relay.route(named: "one")?.toxics == [noop] && relay.routes.map(\.toxics) == [[noop]])
            #expect(try await relay.change("one", isEnabled: false).toxics == [noop])
            #expect(try await relay.change("one", isEnabled: true).toxics == [noop])
            let moved = try await relay.change("one", to: Self.route(server.endpoint))
            #expect(moved.toxics == [noop] && moved.isEnabled)
            try await relay.setToxics([], route: route.number)
            #expect(relay.routes == [try #require(relay.route(named: "one"))] && relay.routes[0].toxics == [])
        }
    }

    @Test("UDP routes come and go as well", arguments: [1, 2])
    func comesAndGoesOverUDP(threads: Int) async throws {
        try await withRelay("udp:0", configure: { $0.threads = threads }) { echo, _ in
            try await withRelay(
                [],
                configure: {
                    $0.takesRoutes = true; $0.threads = threads
                }
            ) { relay, collector in
                let place = Endpoint(address: .loopbackV4, port: try LoopbackPort.free())
                let added = try await relay.add(Self.route(echo.endpoint, over: .udp, at: place), named: "one")
                try await runThread {
                    let client = try UDPPeer(to: added.endpoints[0])
                    try client.send("hello")
                    #expect(try client.receiveText() == "hello")
                }
                try await relay.remove("one")
                #expect(try await collector.closes().map(\.reason) == [.requested])
                // The port is free again for whoever wants it.
                _ = try UDPPeer(at: added.endpoints[0])
            }
        }
    }

    @Test("A route may lead to another route, and never back to itself or to the control API")
    func refusesLoops() async throws {
        let admin = try TCPServer()
        let configure: (inout RelayConfiguration) -> Void = {
            $0.takesRoutes = true
            $0.adminEndpoints = [admin.endpoint]
        }
        try await withRelay([], configure: configure) { relay, _ in
            let sink = Endpoint(address: .loopbackV4, port: 9)
            let one = try await relay.add(Self.route(sink), named: "one")
            let two = try await relay.add(Self.route(one.endpoints[0]), named: "two")
            var back = Self.route(two.endpoints[0])
            back.listen = HostPort(one.endpoints[0])
            await #expect(throws: RouteChangeError.loop(RouteLoopError(route: back, endpoint: one.endpoints[0]))) {
                try await relay.change("one", to: back)
            }
            for name in ["localhost", "127.1", "0x7f000001"] {
                let route = Route(.tcp, listen: one.route.listen, target: HostPort(.name(name), admin.endpoint.port))
                await #expect(throws: RouteChangeError.admin(admin.endpoint), "\(name)") {
                    try await relay.add(route, named: "three")
                }
            }
            #expect(relay.routes.map(\.name) == ["one", "two"])
        }
    }

    @Test("A name is looked up when a client comes, and again for the next one where it had no address")
    func resolvesLater() async throws {
        let server = try TCPServer()
        let isKnown = Lock(false)
        let configure: (inout RelayConfiguration) -> Void = {
            $0.takesRoutes = true
            $0.resolve = { (host, family) throws(ResolveError) in
                guard host.host == .name("later.test") else { return try Resolver.resolve(host, family: family) }
                guard isKnown.withLock({ $0 }) else { throw ResolveError(name: "later.test", reason: "not yet") }
                return [server.endpoint]
            }
        }
        try await withRelay([], configure: configure) { relay, collector in
            let target = HostPort(.name("later.test"), server.endpoint.port)
            let listen = HostPort(.address(.loopbackV4), 0)
            let added = try await relay.add(Route(.tcp, listen: listen, target: target), named: "one")
            try await runThread { _ = try TCPPeer(to: added.endpoints[0]).receiveToEnd() }
            #expect(try await collector.closes().map(\.reason) == [.refused])
            isKnown.withLock { $0 = true }
            let client = try await runThread { try TCPPeer(to: added.endpoints[0]) }
            _ = try await runThread { try server.accept() }
            try await collector.wait("connected") { $0.isConnected }
            client.close()
        }
    }
}

@Suite("Flows that are looked at", .tags(.network), .timeLimit(.minutes(1)))
struct SupervisorFlowsTests {
    @Test("Flows are listed a page at a time with their counters, and one is closed", arguments: [1, 2])
    func listsFlows(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            let pairs = try await runThread {
                try (0..<5).map { _ in (try TCPPeer(to: relay.endpoint), try server.accept()) }
            }
            try await collector.wait(for: 5, "connected") { $0.isConnected }
            try await runThread { for (client, _) in pairs { try client.send("12345") } }
            try await runThread { for (_, peer) in pairs { _ = try peer.receive(5) } }
            var filter = Supervisor.FlowFilter()
            let first = await relay.flows(filter, limit: 3)
            #expect(first.map(\.id.rawValue) == [1, 2, 3])
            filter.after = 3
            let rest = await relay.flows(filter, limit: 3)
            #expect(rest.map(\.id.rawValue) == [4, 5])
            #expect((first + rest).allSatisfy { $0.upstream.bytes == 5 && $0.phase == .open && $0.path.egress != nil })
            filter.transport = .udp
            #expect(await relay.flows(filter).isEmpty)
            #expect(await relay.closeFlow(FlowID(2)))
            #expect(await relay.closeFlow(FlowID(77)) == false)
            #expect(await relay.flow(FlowID(2)) == nil)
            #expect(try await collector.closes().map(\.reason) == [.requested])
            let tally = await relay.tallies()[0]
            #expect(tally.flows == 5 && tally.openFlows == 4 && tally.upstream.counters.bytes == 25)
            #expect(tally.dials.count == 5 && tally.refusals == 0)
        }
    }

    @Test("An output that is attached gets what happens from then on, and nothing once it is detached")
    func attachesOutputs() async throws {
        try await withRelay("tcp:0", interest: .chunks) { relay, _ in
            let late = RecordCollector()
            let client = try await runThread { try TCPPeer(to: relay.endpoint) }
            try await runThread {
                try client.send("before")
                _ = try client.receive(6)
            }
            let attachment = try await relay.attach(late.output(.bytes))
            try await runThread {
                try client.send("after")
                _ = try client.receive(5)
            }
            try await late.wait(for: 1, "a chunk") { $0.forwarded != nil }
            await relay.detach(attachment)
            #expect(late.bytes(FlowID(1), .upstream) == Array("after".utf8))
            let count = late.records.count
            try await runThread {
                try client.send("again")
                _ = try client.receive(5)
            }
            #expect(late.records.count == count)
        }
    }
}
