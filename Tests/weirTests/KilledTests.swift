import Glibc
import Support
import Testing
import WeirWire

/// A SIGKILL cuts a write short where a page of the file ends; on tmpfs that happens in most kills of long writes.
@Suite("A log after SIGKILL", .serialized, .tags(.network, .slow), .timeLimit(.minutes(2)))
struct KilledTests {
    /// Relays as much as it can until it is killed, which is when the log has grown over a size; returns the log.
    private func kill(logging path: String, options: [String], beyond size: Int) async throws -> [UInt8] {
        let server = try TCPServer()
        let program = try WeirProgram(["relay", "--show", "none", "--log", path] + options + [server.route])
        let endpoint = try program.listening()[0]
        let talks = try (0..<3).map { index in
            let client = try TCPPeer(to: endpoint)
            let peer = try server.accept()
            // While the log's queue is full, nothing moves.
            peer.socket.setPatience(.seconds(40))
            let bytes = Pattern.bytes([1, 700, 300_000][index])
            let sending = try Background { while (try? client.send(bytes)) != nil {} }
            return (sending, try Background { try peer.receiveToEnd().bytes.count })
        }
        try waitForFile(path, toGrowOver: size)
        program.send(SIGKILL)
        #expect(try await program.finish().status == -SIGKILL)
        var received = 0
        for (sending, receiving) in talks {
            try sending.value()
            received += try receiving.value()
        }
        // A flow may have moved nothing yet, but not all of them: the log has grown.
        #expect(received > 0)
        return try TemporaryFolder.read(path)
    }

    @Test("Has whole lines, but for a last one that lies across a page", .needsRoot, arguments: 1...8)
    func short(number: Int) async throws {
        let disk = try SmallDisk(size: 64 << 20)
        let log = try await kill(logging: disk.path + "/log", options: [], beyond: number * 20_000)
        try check(log)
    }

    @Test("Is whole but for its last line where chunks are big", .needsRoot, arguments: 1...4)
    func long(number: Int) async throws {
        let disk = try SmallDisk(size: 64 << 20)
        let path = disk.path + "/log"
        let log = try await kill(logging: path, options: ["--log-bytes"], beyond: TestSize.bytes(number << 20))
        try check(log)
        // The next Weir that appends to it closes the last line, so that its own are whole.
        let program = try WeirProgram(["relay", "--log", path, "tcp:0=127.0.0.1:9"])
        let client = try TCPPeer(to: try program.listening()[0])
        #expect(try client.receiveToEnd().bytes == [])
        #expect(try await program.stop().status == 0)
        let whole = log.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let added = try TemporaryFolder.read(path)[log.count...]
        #expect(added.starts(with: "\n{".utf8) == (whole < log.count))
        let lines = try LogLines(Array(added))
        #expect(lines.events.last == "close")
    }

    /// Checks that every line is an object, but for a last one that was cut where a page ends.
    private func check(_ log: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let whole = log.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        #expect(try !LogLines(Array(log[..<whole])).objects.isEmpty, sourceLocation: sourceLocation)
        #expect(whole == log.count || log.count % 4096 == 0, sourceLocation: sourceLocation)
    }

    private func waitForFile(_ path: String, toGrowOver size: Int) throws {
        let deadline = Deadline()
        var status = stat()
        while stat(path, &status) != 0 || status.st_size <= size {
            if deadline.isOver { throw HelperError("'\(path)' does not grow") }
            sched_yield()
        }
    }
}
