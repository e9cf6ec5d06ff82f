import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

/// An opening for tests: a line `HOST PORT` names the target, `ok` answers it; `no` refuses it.
private struct LineOpening: Opening {
    /// Whether the answer tells what became of the dial.
    var answersDial = false
    private var line: [UInt8] = []

    init(answersDial: Bool = false) {
        self.answersDial = answersDial
    }

    mutating func dialed(_ outcome: DialOutcome) -> [UInt8] {
        guard answersDial else { return [] }
        return switch outcome {
        case .connected(let egress, let server): Array("to \(server?.port ?? 0) from \(egress?.port ?? 0)\n".utf8)
        case .failed(let error): Array("no: \(error)\n".utf8)
        }
    }

    mutating func receive(_ bytes: RawSpan) -> OpeningStep {
        let piece = bytes.withUnsafeBytes { Array($0) }
        guard let end = piece.firstIndex(of: UInt8(ascii: "\n")) else {
            line += piece
            return .waits(answer: line.count == 1 ? Array("hm\n".utf8) : [])
        }
        line += piece[..<end]
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard words.count == 2, let port = UInt16(words[1]) else {
            return words == ["route"]
                ? .opened(OpenedClient(taken: end + 1))
                : .refused("'\(String(decoding: line, as: UTF8.self))' is not HOST PORT", answer: Array("no\n".utf8))
        }
        let host: HostPort.Host = IPAddress(words[0]).map { .address($0) } ?? .name(String(words[0]))
        let client = Endpoint(address: .loopbackV4, port: 7)
        return .opened(
            OpenedClient(client: client, target: HostPort(host, port), taken: end + 1),
            answer: answersDial ? [] : Array("ok\n".utf8)
        )
    }
}

/// An opening whose answer is longer than what the kernel holds for a client that does not read it.
private struct LoudOpening: Opening {
    mutating func receive(_ bytes: RawSpan) -> OpeningStep {
        .opened(OpenedClient(taken: bytes.byteCount), answer: [UInt8](repeating: 7, count: 64 << 20))
    }
}

@Suite("Openings", .tags(.network), .timeLimit(.minutes(1)))
struct TCPCarrierOpeningsTests {
    private static func open(
        _ configuration: inout RelayConfiguration,
        threads: Int = 1,
        _ change: (inout RelayConfiguration) -> Void = { _ in }
    ) {
        configuration.threads = threads
        configuration.routes = configuration.routes.map {
            Route($0.transport, listen: $0.listen, target: $0.target, opening: OpeningKind("line") { LineOpening() })
        }
        change(&configuration)
    }

    @Test("A client names its target, and what follows is the flow's", arguments: [1, 2], [true, false])
    func named(threads: Int, isSplit: Bool) async throws {
        let server = try TCPServer()
        let port = server.endpoint.port
        try await withRelay(
            "tcp:0",
            interest: .bytes,
            configure: { Self.open(&$0, threads: threads) },
            { relay, collector in
                try await runThread {
                    let client = try TCPPeer(to: relay.endpoint)
                    let opening = "127.0.0.1 \(port)\n"
                    var answer = "ok\n"
                    if isSplit {
                        try client.send(String(opening.prefix(1)))
                        answer = "hm\nok\n"
                        #expect(try client.receive(3) == Array("hm\n".utf8))
                        try client.send(String(opening.dropFirst()) + "hello")
                    } else {
                        try client.send(opening + "hello")
                    }
                    #expect(try client.receive(3) == Array("ok\n".utf8))
                    client.leaveOut(sent: opening.utf8.count, received: answer.utf8.count)
                    let peer = try server.accept()
                    #expect(try peer.receive(5) == Array("hello".utf8))
                    try peer.send("world")
                    #expect(try client.receive(5) == Array("world".utf8))
                    client.finish()
                    #expect(try peer.receiveToEnd().ending == .end)
                    peer.finish()
                    #expect(try client.receiveToEnd().ending == .end)
                }
                let closed = try await collector.closes()[0]
                #expect(closed.reason == .finished && closed.upstream.bytes == 5 && closed.downstream.bytes == 5)
                #expect(collector.bytes(FlowID(1), .upstream) == Array("hello".utf8))
                #expect(collector.bytes(FlowID(1), .downstream) == Array("world".utf8))
                let path = try #require(collector.records.last).path
                #expect(path.client == Endpoint(address: .loopbackV4, port: 7))
                #expect(path.server == server.endpoint)
            }
        )
    }

    @Test("A client that does not read the answer to its request has no flow")
    func unread() async throws {
        let server = try TCPServer()
        let configure: (inout RelayConfiguration) -> Void = { configuration in
            configuration.routes = configuration.routes.map {
                let kind = OpeningKind("loud") { LoudOpening() }
                return Route($0.transport, listen: $0.listen, target: $0.target, opening: kind)
            }
        }
        try await withRelay(server.route, configure: configure) { relay, collector in
            let isWhole = try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("x")
                let count = try client.receiveToEnd().bytes.count
                client.leaveOut(sent: 1, received: count)
                return count == 64 << 20
            }
            #expect(!isWhole && collector.records.isEmpty)
        }
    }

    @Test("An opening without a target of its own leads to the route's")
    func route() async throws {
        let server = try TCPServer()
        try await withRelay(server.route, configure: { Self.open(&$0) }) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("route\n")
                client.leaveOut(sent: 6, received: 0)
                client.finish()
                let peer = try server.accept()
                #expect(try peer.receiveToEnd() == ([], .end))
                peer.finish()
                #expect(try client.receiveToEnd().ending == .end)
            }
            #expect(try await collector.closes()[0].reason == .finished)
        }
    }

    @Test(
        "A client that says something wrong is answered, told of, and takes no flow's place",
        arguments: [
            ("nonsense\n", "no\n", "'nonsense' is not HOST PORT"),
            ("route\n", "", "its request names no target"),
            (String(repeating: "x", count: 70_000), "", "its request is longer than 65536 bytes"),
            ("half", "", "it closed the connection before its request was complete"),
        ]
    )
    func wrong(_ text: String, _ answer: String, _ reason: String) async throws {
        let reports = Reports()
        try await withRelay("tcp:0", configure: { Self.open(&$0) { $0.maxFlows = 1 } }, reports: reports) { relay, _ in
            for _ in 0..<2 {
                try await runThread {
                    let client = try TCPPeer(to: relay.endpoint)
                    try client.send(text)
                    if text == "half" { client.finish() }
                    let (bytes, _) = try client.receiveToEnd()
                    #expect(bytes == Array(answer.utf8))
                }
            }
        }
        #expect(
            reports.lines.contains { $0.contains("the client 127.0.0.1:") && $0.hasSuffix("is refused: \(reason)") }
        )
    }

    @Test("A client that says nothing is refused after the time for a connection")
    func silent() async throws {
        let reports = Reports()
        try await withRelay(
            "tcp:0",
            configure: { Self.open(&$0) { $0.connectTimeout = .milliseconds(50) } },
            reports: reports,
            { relay, _ in
                try await runThread {
                    let client = try TCPPeer(to: relay.endpoint)
                    #expect(try client.receiveToEnd().bytes.isEmpty)
                }
            }
        )
        #expect(reports.lines.contains { $0.contains("its request was not complete in 0.05 seconds") })
    }

    @Test("A target that is the relay's own listener is refused, and so is a name without an address")
    func unreachable() async throws {
        try await withRelay("tcp:0", configure: { Self.open(&$0) }) { relay, collector in
            for target in ["127.0.0.1 \(relay.endpoint.port)\n", "no-such-name.invalid 80\n"] {
                try await runThread {
                    let client = try TCPPeer(to: relay.endpoint)
                    try client.send(target)
                    client.leaveOut(sent: target.utf8.count, received: 3)
                    #expect(try client.receive(3) == Array("ok\n".utf8))
                    _ = try client.receiveToEnd()
                }
            }
            #expect(try await collector.closes(2).map(\.reason) == [.refused, .refused])
        }
    }

    private static func openWithDial(_ configuration: inout RelayConfiguration) {
        configuration.threads = 1
        configuration.routes = configuration.routes.map {
            Route(
                $0.transport,
                listen: $0.listen,
                target: $0.target,
                opening: OpeningKind("dial") { LineOpening(answersDial: true) }
            )
        }
    }

    @Test("The answer can wait for the dial, and comes before the server's first byte")
    func answersConnected() async throws {
        let server = try TCPServer()
        let line = "127.0.0.1 \(server.endpoint.port)\n"
        try await withRelay("tcp:0", interest: .bytes, configure: Self.openWithDial) { relay, collector in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send(line + "hello")
                let peer = try server.accept()
                try peer.send("world")
                let answer = "to \(server.endpoint.port) from \(try #require(peer.remote).port)\n"
                client.leaveOut(sent: line.utf8.count, received: answer.utf8.count)
                client.finish()
                #expect(try peer.receiveToEnd() == (Array("hello".utf8), .end))
                peer.finish()
                #expect(try client.receiveToEnd() == (Array((answer + "world").utf8), .end))
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .finished && closed.upstream.bytes == 5 && closed.downstream.bytes == 5)
        }
    }

    @Test("A client whose dial fails reads why, and an end")
    func answersFailed() async throws {
        let closed = try TCPServer().endpoint
        let targets = [
            "127.0.0.1 \(closed.port)\n": ErrorNumber.connectionRefused, "no-such-name.invalid 80\n": .nameNotResolved,
        ]
        try await withRelay("tcp:0", configure: Self.openWithDial) { relay, collector in
            for (line, error) in targets {
                try await runThread {
                    let client = try TCPPeer(to: relay.endpoint)
                    try client.send(line)
                    let answer = Array("no: \(error)\n".utf8)
                    client.leaveOut(sent: line.utf8.count, received: answer.count)
                    #expect(try client.receiveToEnd() == (answer, .end))
                }
            }
            #expect(try await collector.closes(2).map(\.reason) == [.refused, .refused])
        }
    }

    @Test("A route that is made while the relay runs has its opening, and takes the clients in theirs with it")
    func changed() async throws {
        let server = try TCPServer()
        let line = "127.0.0.1 \(server.endpoint.port)\n"
        let listen = HostPort(.address(.loopbackV4), 0)
        let kind = OpeningKind("line") { LineOpening() }
        try await withRelay("tcp:0", configure: { Self.open(&$0) }) { relay, collector in
            let route = Route(.tcp, listen: listen, target: nil, opening: kind)
            let endpoint = try #require(try await relay.add(route, named: "late").endpoints.first)
            let (client, waiting) = try await runThread {
                let client = try TCPPeer(to: endpoint)
                try client.send(line)
                client.leaveOut(sent: line.utf8.count, received: 3)
                #expect(try client.receive(3) == Array("ok\n".utf8))
                let waiting = try TCPPeer(to: endpoint)
                try waiting.send("1")
                #expect(try waiting.receive(3) == Array("hm\n".utf8))
                waiting.leaveOut(sent: 1, received: 3)
                return (client, waiting)
            }
            try await relay.remove("late")
            try await runThread {
                #expect(try waiting.receiveToEnd().bytes.isEmpty)
                _ = try client.receiveToEnd()
            }
            #expect(try await collector.closes()[0].reason == .requested)
            await #expect(throws: RouteError.self) {
                try await relay.add(Route(.udp, listen: listen, target: nil, opening: kind), named: "datagrams")
            }
        }
    }

    @Test("A relay that stops does not wait for a client in its opening")
    func stopping() async throws {
        try await withRelay("tcp:0", configure: { Self.open(&$0) }) { relay, _ in
            try await runThread {
                let client = try TCPPeer(to: relay.endpoint)
                try client.send("1")
                #expect(try client.receive(3) == Array("hm\n".utf8))
                return client
            }
        }
    }

    @Test("Two connections that exist already become one flow", arguments: [1, 2])
    func adopted(threads: Int) async throws {
        let (listener, server) = (try TCPServer(), try TCPServer())
        let configure: (inout RelayConfiguration) -> Void = { $0.threads = threads }
        try await withRelay(server.route, interest: .bytes, configure: configure) { relay, collector in
            let shared = await relay.shared
            let (client, peer) = try await runThread {
                let client = try TCPPeer(to: listener.endpoint)
                let accepted = try listener.accept()
                let dialed = try Socket.make(.tcp, for: .loopbackV4)
                #expect(Socket.connect(dialed.raw, to: server.endpoint) == nil)
                let peer = try server.accept()
                let copy = Descriptor(owning: dup(accepted.socket.raw))
                accepted.close()
                #expect(fcntl(copy.raw, F_SETFL, O_NONBLOCK) == 0)
                #expect(shared.reserveFlow())
                let shown = (client: try #require(client.local), listener: listener.endpoint)
                let isAdopted = relay.adopt(client: copy, server: dialed, route: 0, shown: shown)
                #expect(isAdopted)
                return (client, peer)
            }
            let (front, egress) = (client.local, peer.remote)
            try await runThread {
                try client.send("hello")
                #expect(try peer.receive(5) == Array("hello".utf8))
                try peer.send("world")
                #expect(try client.receive(5) == Array("world".utf8))
                client.finish()
                #expect(try peer.receiveToEnd().ending == .end)
                peer.finish()
                #expect(try client.receiveToEnd().ending == .end)
            }
            let closed = try await collector.closes()[0]
            #expect(closed.reason == .finished && closed.upstream.bytes == 5)
            let path = try #require(collector.records.last).path
            #expect(path.client == front && path.egress == egress)
        }
    }
}
