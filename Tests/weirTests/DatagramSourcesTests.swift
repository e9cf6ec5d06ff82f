import Glibc
import Support
import Testing
import WeirWire

@Suite("weir relay with more UDP clients than sessions", .serialized, .tags(.network, .slow), .timeLimit(.minutes(2)))
struct DatagramSourcesTests {
    private let server: UDPPeer

    init() throws {
        server = try UDPPeer()
    }

    private func start(_ options: [String], launcher: [String] = []) throws -> WeirProgram {
        try WeirProgram(["relay", "--show", "none"] + options, launcher: launcher, seconds: 100)
    }

    /// Has a text echoed through the relay, and returns the egress.
    private func talk(_ client: UDPPeer, _ text: String) throws -> Endpoint {
        try client.send(text)
        var (bytes, egress) = try server.receive()
        // What was sent twice may come twice.
        while String(decoding: bytes, as: UTF8.self) != text { (bytes, egress) = try server.receive() }
        try server.send(bytes, to: egress)
        #expect(try client.receiveText() == text)
        return egress
    }

    /// Receives at the server what each source has sent: its number.
    ///
    /// The kernel drops datagrams of the loopback where a busy processor has more than `netdev_max_backlog` of them to
    /// deliver. It counts those for the processor and for no socket; only after that count has risen may one be missing,
    /// and it is sent again.
    private func receive(from sources: [UDPPeer]) throws {
        var missing = Set(sources.indices)
        var dropped = try Self.backlogDrops()
        let deadline = Deadline()
        server.socket.setPatience(.seconds(1))
        defer { server.socket.setPatience(LoopbackSocket.patience) }
        while !missing.isEmpty {
            if let text = try? server.receiveText() {
                missing.remove(try #require(Int(text)))
                continue
            }
            let now = try Self.backlogDrops()
            if now > dropped {
                dropped = now
                for number in missing { try sources[number].send("\(number)") }
            } else if deadline.isOver {
                throw HelperError("\(missing.count) datagrams are missing, and the kernel has dropped none")
            }
        }
    }

    /// Adds up the packets that the processors' queues had no room for.
    private static func backlogDrops() throws -> Int {
        let text = String(decoding: try TemporaryFolder.read("/proc/net/softnet_stat"), as: UTF8.self)
        return text.split(separator: "\n").reduce(0) { sum, line in
            sum + (line.split(separator: " ").dropFirst().first.flatMap { Int($0, radix: 16) } ?? 0)
        }
    }

    @Test("Under a low limit on descriptors the least active sessions make room, one for one", arguments: [1, 2])
    func lowLimit(threads: Int) async throws {
        let program = try start(
            ["--threads", "\(threads)", "--max-sessions", "10000", try server.route],
            launcher: WeirProgram.withDescriptors(64)
        )
        let words = try program.readErrorLine().split(separator: " ")
        let most = try #require(Int(words[3]))
        #expect(words[4...5] == ["UDP", "sessions"])
        #expect(most >= 25 && most < 64)
        let endpoint = try program.listening()[0]
        let clients = try (0..<(most + 50)).map { _ in try UDPPeer(to: endpoint) }
        for (number, client) in clients.enumerated() { _ = try talk(client, "\(number)") }
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(ended.errors.contains(" \(clients.count) udp flows "))
        #expect(ended.errors.contains("  50 evicted\n"))
    }

    @Test("Without a descriptor for a new session, the least active one gives its own up")
    func shortage() async throws {
        let folder = try TemporaryFolder()
        let program = try start(["--threads", "1", "--log", folder.path + "/log", try server.route])
        let endpoint = try program.listening()[0]
        let clients = try (0..<4).map { _ in try UDPPeer(to: endpoint) }
        for client in clients.prefix(3) { _ = try talk(client, "before") }
        try program.leaveDescriptors(0)
        _ = try talk(clients[0], "again")
        let fourth = try talk(clients[3], "new")
        #expect(try talk(clients[3], "known") == fourth)
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(ended.errors.firstMatch(of: /\ \ \d+ refused/) == nil)
        let evicted = try LogLines(try folder.read("log")).all("close").filter { $0["reason"] as? String == "evicted" }
        // The first one was active again.
        #expect(evicted.map { $0["client"] as? String } == [clients[1].local?.description])
    }

    @Test("100,000 sources: every one is served, most are evicted and counted, and nobody else starves")
    func manySources() async throws {
        let batches = TestSize.isSanitized ? 40 : 400
        let batch = 250
        let echo = try WeirProgram(["echo", "--show", "none", "tcp:0"], seconds: 100)
        let target = try echo.listening()[0]
        let sessions = 5000
        let bounds = ["--max-sessions", "\(sessions)", "--max-flows", "10"]
        let program = try start(bounds + [try server.route, "tcp:0=\(target)"])
        let endpoints = try program.listening(2)
        let stream = try TCPPeer(to: endpoints[1])
        let steady = try UDPPeer(to: endpoints[0])
        let egress = try talk(steady, "first")
        var memory: (early: Int, late: Int, most: Int) = (0, .max, 0)
        // A part of the loopback that another run of this test does not have.
        let network = 0x7f40_0000 + UInt32(truncatingIfNeeded: getpid() & 0x3fff) << 8
        for number in 0..<batches {
            // Each address has its turn with other ports than before.
            let address = IPAddress(v4: network + UInt32(number % 200))
            let sources = try (0..<batch).map { place in
                let port = UInt16(20_000 + (number / 200) * batch + place)
                let source = try UDPPeer(at: Endpoint(address: address, port: port), receiveBuffer: 4096)
                try source.socket.connect(to: endpoints[0])
                try source.send("\(place)")
                return source
            }
            try receive(from: sources)
            for source in sources { source.socket.close() }
            // The session that stays active is never evicted, and the stream goes on.
            #expect(try talk(steady, "steady \(number)") == egress)
            try stream.send("ping")
            #expect(try stream.receive(4) == Array("ping".utf8))
            let now = try program.memory
            if number >= batches / 4, number < batches / 2 { memory.early = max(memory.early, now) }
            if number > batches / 4 * 3 { memory.late = min(memory.late, now) }
            memory.most = max(memory.most, now)
        }
        // Four times as many sources need no more memory, but for the totals and what the allocator leaves unused. On a busy
        // machine records wait for their thread now and then, with a bound of their own.
        if !TestSize.isSanitized {
            #expect(memory.late < memory.early + (6 << 20))
            #expect(memory.most < memory.early + (24 << 20))
        }
        stream.finish()
        #expect(try stream.receiveToEnd() == ([], .end))
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(!ended.errors.contains("the kernel dropped"))
        let flows = batches * batch + 1
        #expect(ended.errors.contains("total: 1 tcp flow, \(flows) udp flows"))
        #expect(ended.errors.contains("  \(flows - sessions) evicted\n"))
        #expect(try await echo.stop().status == 0)
    }
}
