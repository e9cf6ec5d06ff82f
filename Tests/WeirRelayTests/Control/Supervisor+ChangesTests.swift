import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Changes of a route", .tags(.network), .timeLimit(.minutes(1)))
struct SupervisorChangesTests {
    enum Change: CaseIterable, Sendable {
        case none, moved, retargeted
    }

    /// Opens a flow, and lets it carry a byte.
    private static func open(_ relay: Endpoint, _ server: TCPServer) async throws -> (client: TCPPeer, peer: TCPPeer) {
        try await runThread {
            let client = try TCPPeer(to: relay)
            let peer = try server.accept()
            try client.send("x")
            #expect(try peer.receive(1) == Array("x".utf8))
            return (client, peer)
        }
    }

    @Test(
        "It begins, moves and ends what it must, and leaves alone what it does not name",
        arguments: Change.allCases,
        [nil, true, false] as [Bool?]
    )
    func changes(change: Change, isEnabled: Bool?) async throws {
        for wasEnabled in [true, false] { try await Self.check(change, isEnabled, wasEnabled) }
    }

    private static func check(_ change: Change, _ isEnabled: Bool?, _ wasEnabled: Bool) async throws {
        let (server, other) = (try TCPServer(), try TCPServer())
        try await withRelay("udp:0") { relay, collector in
            let before = try await relay.add(Route(parsing: server.route), named: "r", isEnabled: wasEnabled)
            #expect(before.isEnabled == wasEnabled)
            let flow: (client: TCPPeer, peer: TCPPeer)? = wasEnabled ? try await open(before.endpoints[0], server) : nil
            var route: Route?
            switch change {
            case .none: break
            case .moved: route = try Route(parsing: server.route)
            case .retargeted: route = try Route(parsing: "tcp:\(before.route.listen.port)=\(other.endpoint)")
            }
            let after = try await relay.change("r", to: route, isEnabled: isEnabled)
            let isWanted = isEnabled ?? wasEnabled
            #expect(after.isEnabled == isWanted && after == relay.route(named: "r"))
            if isWanted, wasEnabled { #expect((after.endpoints == before.endpoints) == (change != .moved)) }
            if let flow {
                if isWanted, change == .none {
                    try await runThread {
                        try flow.peer.send("y")
                        #expect(try flow.client.receive(1) == Array("y".utf8))
                    }
                } else {
                    #expect(try await collector.closes().map(\.reason) == [.requested])
                    let rest = try await runThread { try flow.client.receiveToEnd().bytes }
                    #expect(rest.isEmpty)
                }
            }
            if isWanted {
                let again = try await open(after.endpoints[0], change == .retargeted ? other : server)
                withExtendedLifetime(again) {}
            }
            try await relay.remove("r")
            #expect(relay.route(named: "r") == nil)
        }
    }

    // MARK: - Places that are taken

    private static func talk(_ client: UDPPeer) async throws {
        try await runThread {
            try client.send("x")
            #expect(try client.receiveText() == "x")
        }
    }

    @Test("A place that another socket has leaves the route and its sessions as they are")
    func taken() async throws {
        let socket = try UDPPeer()
        let port = try #require(socket.local).port
        try await withRelay("udp:0") { relay, collector in
            let before = relay.routes
            let client = try UDPPeer(to: before[0].endpoints[0])
            try await Self.talk(client)
            for place in ["udp:\(port)", "udp:*:\(port)"] {
                let route = try Route(echo: place)
                let error = await #expect(throws: SystemError.self) {
                    try await relay.change(before[0].name, to: route)
                }
                #expect(error?.error.rawValue == EADDRINUSE && relay.routes == before)
            }
            try await Self.talk(client)
            await relay.stop()
            #expect(collector.records.count(where: \.isOpened) == 1)
        }
    }

    @Test("A route that takes more addresses at its own port has them all, of both families")
    func widened() async throws {
        try await withRelay("udp:0") { relay, _ in
            let before = relay.routes[0]
            let port = before.endpoints[0].port
            let after = try await relay.change(before.name, to: Route(echo: "udp:*:\(port)"))
            let expected = [IPAddress.anyV4] + (LoopbackSocket.hasIPv6 ? [.anyV6] : [])
            #expect(after.endpoints == expected.map { Endpoint(address: $0, port: port) })
            try await Self.talk(UDPPeer(to: before.endpoints[0]))
            #expect(try await relay.change(before.name, to: before.route).endpoints == before.endpoints)
            try await Self.talk(UDPPeer(to: before.endpoints[0]))
        }
    }
}
