import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@Suite("weir relay where descriptors run out", .serialized, .tags(.network, .slow), .timeLimit(.minutes(2)))
struct DescriptorTests {
    private static let shortage =
        "weir: accepting pauses until a flow ends: too many open files (EMFILE); clients wait in the backlog"

    private let server: TCPServer

    init() throws {
        server = try TCPServer()
    }

    private func start(_ options: [String], launcher: [String] = []) throws -> (WeirProgram, Endpoint) {
        let program = try WeirProgram(["relay", "--show", "none"] + options, launcher: launcher, seconds: 60)
        return (program, try program.listening()[0])
    }

    /// Connects and sends the client's number.
    private func clients(_ numbers: Range<Int>, to endpoint: Endpoint) throws -> [TCPPeer] {
        try numbers.map { number in
            let client = try TCPPeer(to: endpoint)
            try client.send([UInt8(number)])
            return client
        }
    }

    /// Accepts the next client at the server, and has its number sent back.
    private func serve() throws -> (peer: TCPPeer, number: Int) {
        let peer = try server.accept()
        let number = try peer.receive(1)
        try peer.send(number)
        return (peer, Int(number[0]))
    }

    private func expectIdle(_ program: WeirProgram, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        // A relay that asks again and again takes all of a processor in each second. What looks for the clients' processes may
        // still be busy in the first ones.
        var shares: [Double] = []
        repeat {
            shares.append(try await program.processorShare(during: .seconds(1)))
        } while shares.last ?? 0 >= 0.01 && shares.count < 10
        #expect(shares.last ?? 1 < 0.01, "\(shares)", sourceLocation: sourceLocation)
    }

    @Test("Under a low limit clients wait in the backlog, cost nothing, and all are served", arguments: [1, 2])
    func lowLimit(threads: Int) async throws {
        let program = try WeirProgram(
            ["relay", "--show", "none", "--threads", "\(threads)", "--max-flows", "10000", server.route],
            launcher: WeirProgram.withDescriptors(64),
            seconds: 60
        )
        let words = try program.readErrorLine().split(separator: " ")
        #expect(words.prefix(3) == ["weir:", "at", "most"])
        let most = try #require(Int(words[3]))
        #expect(most >= 15 && most <= 32)
        let clients = try clients(0..<100, to: try program.listening()[0])
        var served = try (0..<most).map { _ in try serve() }
        #expect(
            try program.readErrorLine() == "weir: accepting pauses until a flow ends: \(most) TCP flows are open, "
                + "the most at once; clients wait in the backlog"
        )
        try await expectIdle(program)
        var numbers: Set<Int> = []
        for index in clients.indices {
            let (peer, number) = served[index]
            numbers.insert(number)
            #expect(try clients[number].receive(1) == [UInt8(number)])
            clients[number].finish()
            #expect(try peer.receiveToEnd().bytes == [])
            peer.finish()
            #expect(try clients[number].receiveToEnd() == ([], .end))
            if served.count < clients.count { served.append(try serve()) }
        }
        #expect(numbers == Set(0..<100))
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(!ended.errors.contains("accepting pauses"))
        #expect(ended.errors.contains("total: 100 tcp flows"))
        #expect(ended.errors.firstMatch(of: /\ \ \d+ refused/) == nil)
    }

    @Test("Without a descriptor for a client, the clients wait until a flow ends or there are more", arguments: [1, 2])
    func shortAtAccept(threads: Int) async throws {
        let (program, endpoint) = try start(["--threads", "\(threads)", server.route])
        let first = try clients(0..<1, to: endpoint)[0]
        let (firstPeer, _) = try serve()
        #expect(try first.receive(1) == [0])
        try program.leaveDescriptors(0)
        let others = try clients(1..<6, to: endpoint)
        #expect(try program.readErrorLine() == Self.shortage)
        try await expectIdle(program)
        // The flow that is there goes on, and its end makes room for one.
        try first.send("more")
        #expect(try firstPeer.receive(4) == Array("more".utf8))
        first.finish()
        firstPeer.finish()
        #expect(try first.receiveToEnd() == ([], .end))
        let (second, number) = try serve()
        #expect(try others[number - 1].receive(1) == [UInt8(number)])
        // There are more descriptors, and nothing ends: it is found out all the same.
        try program.limitDescriptors(to: 1000)
        let rest = try (0..<4).map { _ in try serve() }
        #expect(Set(rest.map(\.number) + [number]) == Set(1..<6))
        for (_, number) in rest { #expect(try others[number - 1].receive(1) == [UInt8(number)]) }
        for client in others { client.reset() }
        for (peer, _) in rest + [(second, number)] { _ = try peer.receiveToEnd() }
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(!ended.errors.contains("accepting pauses"))
        #expect(ended.errors.contains("total: 6 tcp flows"))
        #expect(ended.errors.firstMatch(of: /\ \ \d+ refused/) == nil)
    }

    @Test("Clients that were accepted wait where there is no descriptor for the dial", arguments: [1, 2], [1, 41])
    func shortAtDial(threads: Int, left: Int) async throws {
        let (program, endpoint) = try start(["--threads", "\(threads)", server.route])
        try program.leaveDescriptors(left)
        let before = try program.descriptors.count
        let clients = try clients(0..<80, to: endpoint)
        #expect(try program.readErrorLine() == Self.shortage)
        try await expectIdle(program)
        #expect(try program.descriptors.count == before + left)
        // One that gives up meanwhile is no obstacle to the others.
        clients[0].reset()
        try program.limitDescriptors(to: 1000)
        var numbers: Set<Int> = []
        var peers: [TCPPeer] = []
        while numbers.count < 79 {
            let peer = try server.accept()
            // The first client may have been dialed for before its reset was seen.
            guard let byte = try peer.receiveToEndOr(1).first, byte > 0 else { continue }
            try peer.send([byte])
            #expect(try clients[Int(byte)].receive(1) == [byte])
            numbers.insert(Int(byte))
            peers.append(peer)
        }
        #expect(numbers == Set(1..<80))
        for peer in peers { peer.reset() }
        for client in clients.dropFirst() { #expect(try client.receiveToEnd().ending == .failed(.connectionReset)) }
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(!ended.errors.contains("accepting pauses"))
        #expect(ended.errors.firstMatch(of: /\ \ \d+ refused/) == nil)
    }

    @Test("A dial of a name's second address waits for its descriptor too", .needsRoot, .needsProgram("unshare"))
    func shortAtSecondDial() async throws {
        // A program's own /etc/hosts: a mount namespace is the program's alone.
        let folder = try TemporaryFolder()
        let hosts = try folder.file("hosts", Array("127.0.0.1 pair.test\n127.0.0.2 pair.test\n".utf8))
        // The first address takes no connection any more: Linux drops the handshakes that its backlog has no room for.
        let full = try TCPServer(backlog: 0)
        let filler = try TCPPeer(to: full.endpoint)
        let second = try TCPServer(at: Endpoint(address: .secondLoopback, port: full.endpoint.port))
        let (program, endpoint) = try start(
            ["--threads", "1", "--connect-timeout", "3s", "tcp:0=pair.test:\(full.endpoint.port)"],
            launcher: ["unshare", "-m", "sh", "-c", "mount --bind \(hosts) /etc/hosts && exec \"$0\" \"$@\""]
        )
        let before = try program.descriptors
        let client = try clients(7..<8, to: endpoint)[0]
        let deadline = Deadline()
        while try program.descriptors.count < before.count + 2, !deadline.isOver { sched_yield() }
        // The dial's own descriptor is over the limit once it is given back.
        let dial = try #require(try program.descriptors.subtracting(before).max())
        try program.limitDescriptors(to: dial)
        #expect(try program.readErrorLine() == Self.shortage)
        try program.limitDescriptors(to: 1000)
        let peer = try second.accept()
        #expect(try peer.receive(1) == [7])
        client.reset()
        #expect(try peer.receiveToEnd().ending == .failed(.connectionReset))
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(ended.errors.contains("total: 1 tcp flow"))
        #expect(ended.errors.contains("  1 refused"))
        withExtendedLifetime(filler) {}
    }
}
