import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@Suite("weir relay and clients that do not behave", .serialized, .tags(.network, .slow), .timeLimit(.minutes(2)))
struct ClientFaultTests {
    private let folder: TemporaryFolder
    private let server: TCPServer

    init() throws {
        folder = try TemporaryFolder()
        server = try TCPServer()
    }

    private func start(_ options: [String] = []) throws -> (WeirProgram, Endpoint) {
        let log = folder.path + "/log"
        let program = try WeirProgram(
            ["relay", "--show", "none", "--log", log] + options + [server.route],
            seconds: 60
        )
        return (program, try program.listening()[0])
    }

    private func log() throws -> LogLines { try LogLines(try folder.read("log")) }

    /// Opens a flow that is used before and after what happens to others.
    private func open(_ endpoint: Endpoint) throws -> (client: TCPPeer, peer: TCPPeer) {
        let client = try TCPPeer(to: endpoint)
        return (client, try server.accept())
    }

    private func expectAlive(
        _ flow: (client: TCPPeer, peer: TCPPeer),
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try flow.client.send("question")
        #expect(try flow.peer.receive(8) == Array("question".utf8), sourceLocation: sourceLocation)
        try flow.peer.send("answer")
        #expect(try flow.client.receive(6) == Array("answer".utf8), sourceLocation: sourceLocation)
    }

    @Test("Those that connect and send nothing end by --idle-timeout, and those that talk do not")
    func silent() async throws {
        let (program, endpoint) = try start(["--idle-timeout", "2s"])
        let descriptors = try program.descriptors.count
        let silent = try (0..<100).map { _ in try open(endpoint) }
        let talker = try open(endpoint)
        let clock = ContinuousClock.now
        // It has less than its idle time between two of its messages, and more than that in all.
        while ContinuousClock.now - clock < .seconds(3) {
            try expectAlive(talker)
            poll(nil, 0, 50)
        }
        for (client, peer) in silent {
            #expect(try client.receiveToEnd() == ([], .failed(.connectionReset)))
            #expect(try peer.receiveToEnd() == ([], .failed(.connectionReset)))
        }
        try program.waitForDescriptors(count: descriptors + 2)
        talker.client.finish()
        talker.peer.finish()
        #expect(try talker.client.receiveToEnd() == ([], .end))
        #expect(try await program.stop().status == 0)
        let reasons = try log().all("close").compactMap { $0["reason"] as? String }
        #expect(reasons.count { $0 == "idle" } == 100 && reasons.last == "finished")
    }

    @Test("One that never reads costs a bounded memory, holds up its own server alone, and ends by --idle-timeout")
    func neverReads() async throws {
        let (program, endpoint) = try start(["--idle-timeout", "2s"])
        let talker = try open(endpoint)
        try expectAlive(talker)
        let memory = try program.memory
        let (client, peer) = try open(endpoint)
        let sending = try Background {
            var sent = Pattern(seed: 1)
            while (try? peer.send(1 << 20, of: &sent)) != nil {}
            return sent.position
        }
        // While the server fills everything on the way, and until its flow is given up.
        var most = 0
        let deadline = Deadline()
        while try !log().events.contains("close"), !deadline.isOver {
            try expectAlive(talker)
            most = max(most, try program.memory)
            poll(nil, 0, 20)
        }
        let sent = try sending.value()
        // One flow's queue holds 4 MiB and a read, and the log's the lines of what is on its way.
        if !TestSize.isSanitized { #expect(most - memory < 24 << 20) }
        let received = try client.receiveToEnd(seed: 1)
        #expect(received.ending == .failed(.connectionReset) && received.firstDifference == nil)
        talker.client.reset()
        #expect(try await program.stop().status == 0)
        let close = try #require(try log().all("close").first)
        #expect(close["reason"] as? String == "idle")
        let (down, dropped) = (close["bytes_down"] as? Int ?? 0, close["dropped_down"] as? Int ?? 0)
        // What the server has sent the client's kernel has, or it is counted, or it never left the server's kernel.
        #expect(sent > 0 && down <= peer.given.upperBound)
        #expect(dropped > 0 && received.count + dropped <= peer.given.upperBound)
    }

    @Test("One that reads a byte now and then gets everything, and holds up nobody else")
    func readsBytes() async throws {
        let (program, endpoint) = try start()
        let talker = try open(endpoint)
        let client = try TCPPeer(to: endpoint, receiveBuffer: 4096)
        let peer = try server.accept()
        let count = 8 << 20
        let sending = try Background { try peer.send(count, seed: 2, finishing: true) }
        var first: [UInt8] = []
        for _ in 0..<200 {
            first += try client.receive(1)
            poll(nil, 0, 5)
            if first.count % 20 == 0 { try expectAlive(talker) }
        }
        var pattern = Pattern(seed: 2)
        #expect(first == pattern.next(200))
        let rest = try client.receiveToEnd().bytes
        #expect(rest.count == count - 200)
        #expect(rest.withUnsafeBytes { pattern.firstDifference(in: $0) } == nil)
        try sending.value()
        client.finish()
        talker.client.reset()
        #expect(try await program.stop().status == 0)
        #expect(try log().all("dropped").isEmpty)
    }

    @Test("Those that open and reset in a loop leave nothing behind")
    func resets() async throws {
        let count = TestSize.isSanitized ? 500 : 3000
        let (program, endpoint) = try start()
        let talker = try open(endpoint)
        let (before, memory) = (try program.descriptors, try program.memory)
        let accepting = try Background {
            // Some clients have gone before the server is dialed, most after.
            var accepted = 0
            while true {
                let peer = try server.accept()
                let ending = try peer.receiveToEnd()
                if ending.bytes == Array("last".utf8) { return accepted }
                accepted += 1
            }
        }
        for number in 0..<count {
            let client = try TCPPeer(to: endpoint)
            if number % 3 == 1 { try client.send("x") }
            if number % 3 == 2 { client.finish() }
            client.reset()
        }
        let last = try TCPPeer(to: endpoint)
        try last.send("last")
        last.finish()
        let accepted = try accepting.value()
        #expect(accepted <= count)
        try expectAlive(talker)
        #expect(try last.receiveToEnd() == ([], .end))
        try program.waitForDescriptors(before)
        if !TestSize.isSanitized { #expect(try program.memory - memory < 16 << 20) }
        talker.client.finish()
        talker.peer.finish()
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(ended.errors.contains("total: \(count + 2) tcp flows"))
    }

    @Test("One that sends a byte at a time has every byte and its echo, in order")
    func byteByByte() async throws {
        let count = 5000
        let echoing = try Background { try server.accept().echo() }
        let (program, endpoint) = try start()
        let client = try TCPPeer(to: endpoint)
        let sending = try Background {
            for byte in Pattern.bytes(count) { try client.send([byte]) }
            client.finish()
        }
        #expect(try client.receiveToEnd() == (Pattern.bytes(count), .end))
        try sending.value()
        try echoing.value()
        #expect(try await program.stop().status == 0)
        let lines = try log()
        #expect(lines.sum("length", of: "data") == 2 * count)
        let close = try #require(lines.all("close").first)
        #expect(close["bytes_up"] as? Int == count && close["bytes_down"] as? Int == count)
        #expect(close["reason"] as? String == "finished")
    }
}
