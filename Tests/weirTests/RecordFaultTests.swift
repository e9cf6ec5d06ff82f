import Glibc
import Support
import Testing
import WeirWire

@Suite("A capture that is cut short", .serialized, .tags(.network, .capture, .slow), .timeLimit(.minutes(3)))
struct RecordFaultTests {
    /// Relays as much as it can, and returns what both ends need to go on.
    private func flood(_ endpoint: Endpoint, _ server: TCPServer) throws -> (TCPPeer, Background<Int>, Background<Int>)
    {
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        let bytes = Pattern.bytes(300_000)
        let sending = try Background { () -> Int in
            var count = 0
            while (try? client.send(bytes)) != nil { count += 1 }
            return count
        }
        return (client, sending, try Background { try peer.receiveToEnd().bytes.count })
    }

    private func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    @Test("By SIGKILL is read to its last whole block", .needsRoot, .needsProgram("tshark"), arguments: 1...6)
    func killed(number: Int) async throws {
        let disk = try SmallDisk(size: 256 << 20)
        let path = disk.path + "/a.pcapng"
        let server = try TCPServer()
        let program = try WeirProgram(["relay", "--show", "none", "--record", path, server.route])
        let (_, sending, receiving) = try flood(try program.listening()[0], server)
        let deadline = Deadline()
        while size(path) < number * 3_000_000, !deadline.isOver { sched_yield() }
        program.send(SIGKILL)
        #expect(try await program.finish().status == -SIGKILL)
        _ = try (sending.value(), receiving.value())
        let file = try TemporaryFolder.read(path)
        let capture = try SeenCapture(file)
        #expect(capture.packets.count > 40 && capture.packets.allSatisfy { $0.hasValidChecksums })
        // All that can be missing is the rest of one block, at the very end.
        if let error = capture.error {
            guard case .truncated = error else { throw error }
        }
        let copy = try TemporaryFolder()
        let whole = try copy.file("whole.pcapng", file)
        let count = try ChildProgram.run(
            "tshark",
            ["-r", whole, "-T", "fields", "-e", "frame.number"],
            errors: copy.path + "/e"
        )
        #expect(count.output.split(separator: "\n").count == capture.packets.count)
    }

    @Test("By a full disk keeps whole blocks and says so, and the relay goes on", .needsRoot, .needsProgram("tshark"))
    func full() async throws {
        let disk = try SmallDisk(size: 8 << 20)
        let path = disk.path + "/a.pcapng"
        let server = try TCPServer()
        let program = try WeirProgram(["relay", "--show", "none", "--record", path, server.route])
        let endpoint = try program.listening()[0]
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        let sending = try Background { try client.send(32 << 20, seed: 1, finishing: true) }
        #expect(try peer.receiveToEnd(seed: 1) == .init(32 << 20))
        try sending.value()
        let line = try program.readErrorLine()
        #expect(
            line
                == "weir: cannot write to \(path): no space left on the device (ENOSPC); nothing more is written there"
        )
        // The other direction still works, and so does another flow.
        try peer.send("answer")
        #expect(try client.receive(6) == Array("answer".utf8))
        let another = try TCPPeer(to: endpoint)
        let other = try server.accept()
        try another.send("hello")
        #expect(try other.receive(5) == Array("hello".utf8))
        for end in [peer, other, another] { end.finish() }
        #expect(try client.receiveToEnd().bytes == [])
        let ended = try await program.stop()
        #expect(ended.status == 74)
        #expect(!ended.errors.contains("recorded "))
        let capture = try SeenCapture(try TemporaryFolder.read(path))
        #expect(capture.error == nil && capture.packets.count > 100)
        #expect(capture.packets.allSatisfy { $0.hasValidChecksums })
        #expect(size(path) > 7 << 20)
        #expect(try Tshark.complaints(path).isEmpty)
    }

    @Test("By a reader that has gone is said once, and the relay goes on")
    func reader() async throws {
        let server = try TCPServer()
        let program = try WeirProgram(["relay", "--record", "-", server.route])
        let endpoint = try program.listening()[0]
        program.closeOutput()
        for _ in 0..<2 {
            let client = try TCPPeer(to: endpoint)
            let peer = try server.accept()
            try client.send("hello")
            #expect(try peer.receive(5) == Array("hello".utf8))
            client.finish()
            peer.finish()
            #expect(try client.receiveToEnd().bytes == [])
        }
        let ended = try await program.stop()
        #expect(ended.status == 0)
        let said = ended.errors.split(separator: "\n").filter { $0.contains("broken pipe") }
        #expect(said == ["weir: cannot write to standard output: broken pipe (EPIPE); nothing more is written there"])
    }
}
