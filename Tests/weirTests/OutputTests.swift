import Glibc
import Support
import Testing
import WeirWire

@Suite("The outputs of weir relay", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct OutputTests {
    private let server: TCPServer

    init() throws {
        server = try TCPServer()
    }

    private func start(_ options: [String], output: WeirProgram.Stream = .pipe) throws -> (WeirProgram, Endpoint) {
        let program = try WeirProgram(["relay"] + options + [server.route], output: output)
        return (program, try program.listening()[0])
    }

    /// Sends through the relay and back, and ends the flow.
    private func talk(to endpoint: Endpoint, _ count: Int = 1000) throws {
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        let question = Pattern.bytes(count)
        try client.send(question)
        #expect(try peer.receive(count) == question)
        try peer.send(question)
        #expect(try client.receive(count) == question)
        client.finish()
        peer.finish()
        #expect(try client.receiveToEnd().bytes == [])
    }

    // MARK: - Standard output that is closed

    @Test("A reader that has seen enough ends a relay that has no other output")
    func head() async throws {
        let (program, endpoint) = try start([])
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        #expect(try program.readOutput(through: "\n").contains(" tcp \(try #require(client.local)) → \(endpoint)"))
        program.closeOutput()
        try client.send("hello")
        #expect(try peer.receive(5) == Array("hello".utf8))
        client.finish()
        peer.finish()
        let ended = try await program.finish(closesInput: false)
        #expect(ended.status == 0)
        #expect(ended.errors == "" || ended.errors.hasPrefix("weir: ending: "))
    }

    @Test("A relay with another output says it once, and goes on")
    func headWithLog() async throws {
        let folder = try TemporaryFolder()
        let (program, endpoint) = try start(["--log", folder.path + "/log"])
        program.closeOutput()
        try talk(to: endpoint)
        #expect(
            try program.readErrorLine()
                == "weir: cannot write to standard output: broken pipe (EPIPE); nothing more is written there"
        )
        try talk(to: endpoint)
        let ended = try await program.stop()
        #expect(ended.status == 0)
        let log = try LogLines(try folder.read("log"))
        #expect(log.all("close").count == 2)
        #expect(Self.lastWords(ended.errors) == Self.lastWords(missing: log, flows: 2))
    }

    @Test("Standard output closed from the start is said once, and the log is written")
    func closed() async throws {
        let folder = try TemporaryFolder()
        let (program, endpoint) = try start(["--log", folder.path + "/log"], output: .closed)
        try talk(to: endpoint)
        let ended = try await program.stop()
        #expect(ended.status == 0)
        let log = try LogLines(try folder.read("log"))
        #expect(log.all("close").count == 1)
        #expect(
            Self.lastWords(ended.errors)
                == ["weir: cannot write to standard output: not an open file (EBADF); nothing more is written there"]
                + Self.lastWords(missing: log, flows: 1)
        )
    }

    @Test("Standard output closed from the start is no socket's place where there is no /dev/null either", .needsRoot)
    func closedWithoutNull() async throws {
        let folder = try TemporaryFolder()
        let hidden = ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /dev && exec \"$0\" \"$@\""]
        let program = try WeirProgram(
            ["relay", "--log", folder.path + "/log", server.route],
            launcher: hidden,
            output: .closed
        )
        try talk(to: try program.listening()[0])
        let line = try program.readErrorLine()
        #expect(line.hasPrefix("weir: cannot write to standard output: not an open file (EBADF)"), "\(line)")
        #expect(try await program.stop().status == 0)
    }

    @Test("Standard output on a full disk ends with 74, and the totals go to standard error", .needsRoot)
    func fullDisk() async throws {
        let disk = try SmallDisk()
        let (program, endpoint) = try start(["--show-limit", "0"], output: .file(disk.path + "/output"))
        // The dump of it takes more than a megabyte.
        try talk(to: endpoint, 1 << 20)
        #expect(
            try program.readErrorLine()
                == "weir: cannot write to standard output: no space left on the device (ENOSPC); "
                + "nothing more is written there"
        )
        try talk(to: endpoint)
        let ended = try await program.stop()
        #expect(ended.status == 74)
        #expect(ended.errors.contains("weir: standard output did not get "))
        let total = try #require(ended.errors.split(separator: "\n").first { $0.hasPrefix("total: 2 tcp flows") })
        #expect(total.contains("▲ \((1 << 20) + 1000) B ") && total.contains("▼ \((1 << 20) + 1000) B "))
    }

    /// Drops what may stand between, and the ports, which are the kernel's choice.
    private static func lastWords(_ errors: String) -> [String] {
        errors.split(separator: "\n").map(String.init)
            .filter { line in !["weir: ending: ", "flow ", "#"].contains { line.hasPrefix($0) } }
    }

    /// Says what standard error ends with where standard output got none of the records, and the log all.
    private static func lastWords(missing log: LogLines, flows: Int) -> [String] {
        let (chunks, bytes) = (log.all("data").count, log.sum("length", of: "data"))
        let (up, down) = (log.sum("chunks_up", of: "close"), log.sum("chunks_down", of: "close"))
        let sums = [up, down].map { "\(flows * 1000) B in \($0) chunk\($0 == 1 ? "" : "s")" }
        return [
            "weir: standard output did not get \(log.objects.count) records, among them \(chunks) chunks (\(bytes) bytes)",
            "total: \(flows) tcp flow\(flows == 1 ? "" : "s"), 0 udp flows   ▲ \(sums[0])  ▼ \(sums[1])",
        ]
    }

    @Test("Standard output closed from the start, and no other, ends the relay with 0")
    func closedAlone() async throws {
        let (program, endpoint) = try start([], output: .closed)
        try talk(to: endpoint)
        let ended = try await program.finish()
        #expect(ended.status == 0)
        #expect(ended.errors == "" || ended.errors.hasPrefix("weir: ending: "))
    }
}
