import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Supervisor", .tags(.network), .timeLimit(.minutes(1)))
struct SupervisorTests {
    @Test("Stopping resets the flows that are stuck, and counts what they lost", arguments: [1, 2])
    func stopsStuckFlows(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            let (client, peer) = try await runThread {
                (try TCPPeer(to: relay.endpoint, receiveBuffer: 4096), try server.accept())
            }
            try await runThread { try peer.sendUntilStuck(seed: 1) }
            let clock = ContinuousClock()
            let duration = await clock.measure { await relay.stop(grace: .milliseconds(200)) }
            #expect(duration >= .milliseconds(200))
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .shutdown)
            #expect(closed.downstream.droppedBytes > 0)
            #expect(collector.records.compactMap(\.dropped).allSatisfy { $0.reason == .shutdown })
            let (received, ending) = try await runThread { try client.receiveToEnd() }
            #expect(ending == .failed(.connectionReset))
            #expect(peer.given.contains(received.count + Int(closed.downstream.droppedBytes)))
            #expect(UInt64(received.count) + closed.downstream.droppedBytes >= closed.downstream.bytes)
        }
    }

    @Test("Flows that end within the grace end well, and nobody else gets in", arguments: [1, 2])
    func drains(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(
            server.route,
            configure: {
                $0.threads = threads
                $0.maxFlows = 1
            }
        ) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            async let stopped: Void = relay.stop(grace: .seconds(10))
            try await runThread {
                // Draining shows by this: new clients do not wait any more, but are refused.
                while (try? TCPPeer(to: relay.endpoint)) != nil {}
                try client.send(1_000_000, seed: 1, finishing: true)
                #expect(try peer.receiveToEnd(seed: 1) == .init(1_000_000))
                try peer.send("thanks")
                peer.finish()
                #expect(try client.receiveToEnd().bytes == Array("thanks".utf8))
            }
            await stopped
            let closed = try #require(collector.records.last?.closed)
            #expect(closed.reason == .finished && closed.upstream.bytes == 1_000_000)
        }
    }

    @Test("A stop that comes while another is under way waits for its end", arguments: [1, 2])
    func stopsTwice(threads: Int) async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { $0.threads = threads }) { relay, collector in
            let (client, peer) = try await runThread { (try TCPPeer(to: relay.endpoint), try server.accept()) }
            try await collector.wait("connected") { $0.isConnected }
            let first = Task { await relay.stop(grace: .milliseconds(300)) }
            // The first one is under way when new clients are refused.
            try await runThread { while (try? TCPPeer(to: relay.endpoint)) != nil {} }
            await relay.stop(grace: .zero)
            #expect(relay.openFlows == 0)
            #expect(collector.records.last?.closed?.reason == .shutdown)
            await first.value
            withExtendedLifetime((client, peer)) {}
        }
    }

    @Test("Where a loop cannot start, those before it end, and every socket is closed")
    func startFails() async throws {
        var configuration = RelayConfiguration(routes: [try Route(echo: "tcp:0")])
        configuration.threads = 3
        let sockets = try (0..<3).map { loop in
            try ListeningSockets.bind(configuration.routes[0], index: 0, at: .anyPortV4, loops: 1, configuration)
                .map { (loop: loop, socket: $0) }[0]
        }
        for (_, socket) in sockets { try ListeningSockets.listen(socket, .tcp) }
        var broken = sockets
        // An epoll refuses a regular file.
        let folder = try TemporaryFolder()
        broken[1].socket.descriptor = open(try folder.file("file", []), O_RDONLY | O_CLOEXEC)
        close(sockets[1].socket.descriptor)
        let shared = Shared(
            configuration: configuration,
            targets: Targets([nil]),
            own: OwnListeners(),
            hub: try SinkHub(outputs: [], lanes: 3) { Issue.record("\($0)") },
            limits: Limits(tcpFlows: 1, udpSessions: 1),
            toxics: [.none],
            loops: try (0..<3).map { _ in try LoopHandle() },
            report: { Issue.record("\($0)") }
        )
        do {
            try await Supervisor.startLoops(broken, shared)
            Issue.record("a regular file was listened on")
        } catch let error as SystemError {
            #expect(error.error == ErrorNumber(EPERM))
        }
        // The ports can be taken again: nobody listens there.
        for index in [0, 2] { _ = try TCPServer(at: sockets[index].socket.endpoint) }
    }

    @Test("A relay that has stopped has given its ports back", arguments: [1, 2], [Transport.tcp, .udp])
    func portsAreFree(threads: Int, transport: Transport) async throws {
        // An address of its own: nobody else takes the port in between.
        let address = IPAddress(v4: 0x7f00_0010 + UInt32(threads) + (transport == .tcp ? 0 : 2))
        var port: UInt16 = 0
        var started = 0
        let deadline = ContinuousClock.now + .seconds(20)
        while started < 10 {
            do {
                try await withRelay(
                    "\(transport):\(Endpoint(address: address, port: port))",
                    configure: { $0.threads = threads }
                ) { relay, _ in
                    port = relay.endpoint.port
                }
                started += 1
            } catch let error as SystemError where error.error.rawValue == EADDRINUSE {
                // A program that another test starts holds a copy of every socket for a moment, until its exec.
                try #require(ContinuousClock.now < deadline, "the port is never free again")
                sched_yield()
            }
        }
    }

    @Test("A second relay on the same port finds it in use", arguments: [1, 2], [Transport.tcp, .udp])
    func portInUse(threads: Int, transport: Transport) async throws {
        try await withRelay("\(transport):0", configure: { $0.threads = threads }) { relay, _ in
            for second in [1, 2] {
                var configuration = RelayConfiguration(
                    routes: [Route(transport, listen: HostPort(relay.endpoint), target: nil)]
                )
                configuration.threads = second
                let error = await #expect(throws: SystemError.self) { _ = try await Supervisor(configuration) }
                #expect(error?.error == ErrorNumber(EADDRINUSE))
                #expect(error?.description.contains("listen on \(transport) \(relay.endpoint)") == true)
            }
        }
    }

    @Test("Names the program that has the port", arguments: [Transport.tcp, .udp], [Endpoint.anyPortV4, .anyPortV6])
    func holder(transport: Transport, address: Endpoint) async throws {
        // The port is below those that the kernel gives out, where another process may have it on the other family.
        let taken = Endpoint(address: address.address, port: try LoopbackPort.free())
        let (tcp, udp) = (try TCPServer(at: taken), try UDPPeer(at: taken))
        defer { withExtendedLifetime((tcp, udp)) {} }
        for listen in [HostPort(taken), HostPort(.any, taken.port)] {
            let configuration = RelayConfiguration(routes: [Route(transport, listen: listen, target: nil)])
            let error = await #expect(throws: SystemError.self) { _ = try await Supervisor(configuration) }
            let advice = try #require(error?.advice)
            #expect(advice.contains("/\(getpid()) user "), "\(advice)")
        }
    }

    @Test("Two routes on one port of the same command name each other", arguments: [Transport.tcp, .udp], [1, 2])
    func twins(transport: Transport, threads: Int) async throws {
        let port = try LoopbackPort.free()
        let routes = ["127.0.0.49:\(port)=127.0.0.1:1", "127.0.0.49:\(port)=127.0.0.1:2"]
        var configuration = RelayConfiguration(
            routes: try routes.map { try Route(parsing: "\(transport):\($0)") }
        )
        configuration.threads = threads
        let error = await #expect(throws: SystemError.self) { _ = try await Supervisor(configuration) }
        let text = "\(transport):127.0.0.49:\(port)=127.0.0.1:1 of the same command listens there"
        #expect(error?.description.hasSuffix("the route \(text)") == true, "\(error as Any)")
        #expect(error?.error == ErrorNumber(EADDRINUSE))
    }

    @Test("Serves several routes, TCP and UDP", arguments: [1, 2, 3])
    func routes(threads: Int) async throws {
        let servers = (try TCPServer(), try TCPServer(), try UDPPeer())
        try await withRelay(
            [servers.0.route, servers.1.route, try servers.2.route, "tcp:0", "udp:0"],
            configure: { $0.threads = threads }
        ) { relay, collector in
            #expect(relay.listeners.map(\.transport) == [.tcp, .tcp, .udp, .tcp, .udp])
            #expect(
                relay.listeners.map { $0.target?.port } == [
                    servers.0.endpoint.port, servers.1.endpoint.port, servers.2.local?.port, nil, nil,
                ]
            )
            try await runThread {
                for (server, listener) in [(servers.0, relay.listeners[0]), (servers.1, relay.listeners[1])] {
                    let client = try TCPPeer(to: listener.endpoint)
                    let peer = try server.accept()
                    try client.send("hi")
                    #expect(try peer.receive(2) == Array("hi".utf8))
                }
                let client = try UDPPeer(to: relay.listeners[2].endpoint)
                try client.send("hi")
                try servers.2.echo(1)
                #expect(try client.receiveText() == "hi")
                let echo = try TCPPeer(to: relay.listeners[3].endpoint)
                try echo.send("hi")
                #expect(try echo.receive(2) == Array("hi".utf8))
                let datagrams = try UDPPeer(to: relay.listeners[4].endpoint)
                try datagrams.send("hi")
                #expect(try datagrams.receiveText() == "hi")
            }
            #expect(Set(collector.records.map(\.flow)).count <= 5)
        }
    }

    @Test(
        "A target's name that does not resolve is said at the start, and its clients are refused",
        arguments: ["tcp", "udp"]
    )
    func unknownName(transport: String) async throws {
        let reports = Reports()
        try await withRelay("\(transport):0=nonexistent.invalid:80", reports: reports) { relay, collector in
            #expect(reports.lines.first?.hasPrefix("cannot resolve 'nonexistent.invalid': ") == true)
            try await runThread {
                guard transport == "tcp" else { return try UDPPeer(to: relay.endpoint).send("hello") }
                #expect(try TCPPeer(to: relay.endpoint).receiveToEnd().ending == .failed(.connectionReset))
            }
            #expect(try await collector.closes().map(\.reason) == [.refused])
            let errors = collector.records.compactMap { record in
                if case .refused(let error) = record.happening { error } else { nil }
            }
            #expect(errors == [.nameNotResolved])
        }
    }

    @Test("An address that this machine does not have is an error at the start")
    func foreignAddress() async throws {
        let route = try Route(echo: "udp:192.0.2.1:0")
        let error = await #expect(throws: SystemError.self) {
            _ = try await Supervisor(RelayConfiguration(routes: [route]))
        }
        #expect(error?.error == ErrorNumber(EADDRNOTAVAIL))
    }
}
