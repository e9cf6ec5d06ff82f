import Glibc
import Support
import Testing
import WeirWire

@Suite("The log of weir relay under fire", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct LogFileTests {
    private let server: TCPServer

    init() throws {
        server = try TCPServer()
    }

    private func start(_ path: String, _ options: [String] = []) throws -> (WeirProgram, Endpoint) {
        let program = try WeirProgram(["relay", "--show", "none", "--log", path] + options + [server.route])
        return (program, try program.listening()[0])
    }

    /// Sends through the relay, and ends the flow.
    private func talk(to endpoint: Endpoint, _ count: Int = 1000) throws {
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        try client.send(count, seed: 1, finishing: true)
        #expect(try peer.receiveToEnd(seed: 1) == .init(count))
        peer.finish()
        #expect(try client.receiveToEnd().bytes == [])
    }

    @Test("A file that is renamed or deleted is begun anew, and nothing is lost", arguments: [true, false])
    func rotated(isRenamed: Bool) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/log"
        let (program, endpoint) = try start(path)
        // The egress of a flow is known when its first line is: the file has the lines of the first flow by then.
        try talk(to: endpoint)
        try waitForFile(path, toHold: "\"event\":\"close\"")
        let first = try folder.read("log")
        #expect(isRenamed ? rename(path, path + ".1") == 0 : unlink(path) == 0)
        try talk(to: endpoint)
        #expect(try program.readErrorLine() == "weir: \(path) was deleted or renamed; a new one is written")
        let ended = try await program.stop()
        #expect(ended.status == 0)
        if isRenamed { #expect(try folder.read("log.1") == first) }
        let (before, after) = (try LogLines(first), try LogLines(try folder.read("log")))
        #expect(before.all("close").count == 1)
        #expect(after.events.first == "open")
        #expect(after.all("close").count == 1)
        #expect(after.sum("bytes_up", of: "close") == 1000)
    }

    @Test("A file that another program has put in its place is appended to")
    func replaced() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/log"
        let (program, endpoint) = try start(path)
        #expect(rename(try folder.file("new", Array("{\"mine\":1}\n".utf8)), path) == 0)
        try talk(to: endpoint)
        #expect(try program.readErrorLine() == "weir: \(path) was deleted or renamed; a new one is written")
        #expect(try await program.stop().status == 0)
        let lines = try LogLines(try folder.read("log"))
        #expect(lines.objects.first?["mine"] as? Int == 1)
        #expect(lines.all("close").count == 1)
    }

    @Test("A file whose folder has gone is said once, and the relay goes on")
    func folderGone() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/logs/log"
        #expect(mkdir(folder.path + "/logs", 0o700) == 0)
        let (program, endpoint) = try start(path)
        #expect(unlink(path) == 0 && rmdir(folder.path + "/logs") == 0)
        try talk(to: endpoint)
        #expect(
            try program.readErrorLine()
                == "weir: cannot write to \(path): no such file or folder (ENOENT); nothing more is written there"
        )
        try talk(to: endpoint)
        let ended = try await program.stop()
        #expect(ended.status == 74)
        #expect(ended.errors.contains("total: 2 tcp flows"))
    }

    @Test("A pipe in the place of the file is never opened anew")
    func pipe() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        // Opened both ways, so that nobody waits for the other.
        let reader = open(path, O_RDWR | O_CLOEXEC)
        defer { close(reader) }
        let (program, endpoint) = try start(path)
        #expect(unlink(path) == 0)
        try talk(to: endpoint)
        #expect(try await program.stop().status == 0)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(reader, &buffer, buffer.count)
        #expect(try LogLines(Array(buffer[..<count])).all("close").count == 1)
    }

    @Test("A disk that is full is said once, and the flows go on", .needsRoot)
    func fullDisk() async throws {
        let disk = try SmallDisk()
        let path = disk.path + "/log"
        let (program, endpoint) = try start(path, ["--log-bytes"])
        try talk(to: endpoint)
        // 1 MiB takes less than what the bytes of 4 MiB are in base64.
        try talk(to: endpoint, 4 << 20)
        #expect(
            try program.readErrorLine()
                == "weir: cannot write to \(path): no space left on the device (ENOSPC); nothing more is written there"
        )
        try talk(to: endpoint, 4 << 20)
        let ended = try await program.stop()
        #expect(ended.status == 74)
        #expect(ended.errors.contains("total: 3 tcp flows"))
        // What is in the file and what is said to be missing are all that there was.
        let log = try TemporaryFolder.read(path)
        #expect(log.last == UInt8(ascii: "\n"))
        let shown = try LogLines(log).sum("length", of: "data")
        let (_, bytes) = try missed(ended.errors, path)
        #expect(shown > 0 && shown + bytes == 1000 + (8 << 20))
    }

    @Test(
        "A log that can grow no further ends with a whole line, what was there before it stays, and 74 says so",
        arguments: ["log", "standard output"]
    )
    func sizeLimit(output: String) async throws {
        let folder = try TemporaryFolder()
        let mine = Array("{\"mine\":1}\n".utf8)
        let path = try folder.file("log", output == "log" ? mine : [])
        // ulimit counts blocks of 512 bytes; a chunk's line is longer than what is left of the last one.
        let launcher = ["sh", "-c", "ulimit -f 101; exec \"$0\" \"$@\""]
        let options = output == "log" ? ["--show", "none", "--log", path] : ["--log", "-"]
        let program = try WeirProgram(
            ["relay", "--log-bytes"] + options + [server.route],
            launcher: launcher,
            output: output == "log" ? .pipe : .file(path)
        )
        let endpoint = try program.listening()[0]
        for _ in 0..<20 { try talk(to: endpoint, 3001) }
        let name = output == "log" ? path : output
        #expect(
            try program.readErrorLine()
                == "weir: cannot write to \(name): file too large (EFBIG); nothing more is written there"
        )
        #expect(try await program.stop().status == 74)
        let log = try TemporaryFolder.read(path)
        #expect(log.count > 101 * 512 - 8192 && log.count < 101 * 512)
        #expect(log.last == UInt8(ascii: "\n"))
        let lines = try LogLines(log)
        #expect(lines.sum("length", of: "data") > 5 * 3001)
        if output == "log" { #expect(log.starts(with: mine)) }
    }

    @Test("A pipe without a reader is waited for, which is said", arguments: ["--log", "--record"])
    func waitsForReader(option: String) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let arguments = ["relay", "--show", "none", option, path, server.route]
        let waiting = "weir: '\(path)' is a pipe that nobody reads: waiting for a reader; ^C ends"
        for signal in [SIGTERM, SIGINT] {
            let program = try WeirProgram(arguments)
            #expect(try program.readErrorLine() == waiting)
            program.send(signal)
            #expect(try program.waitForEnd() == -signal)
        }
        let program = try WeirProgram(arguments)
        #expect(try program.readErrorLine() == waiting)
        let reader = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        defer { close(reader) }
        try talk(to: try program.listening()[0])
        let ended = try await program.stop()
        #expect(ended.status == 0)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = max(0, read(reader, &buffer, buffer.count))
        if option == "--log" {
            #expect(try LogLines(Array(buffer[..<count])).all("close").count == 1)
        } else {
            #expect(try SeenCapture(Array(buffer[..<count])).packets.count > 8)
        }
    }

    @Test(
        "A file system that turns read-only is said once, the flows go on, and what the log did not get is counted",
        .needs("root, ext4 and a loop device") { TurningDisk.isPossible }
    )
    func readOnly() async throws {
        let disk = try TurningDisk()
        let path = disk.path + "/log"
        let (program, endpoint) = try start(path)
        try talk(to: endpoint)
        try waitForFile(path, toHold: "\"event\":\"close\"")
        let first = try TemporaryFolder.read(path)
        try disk.turn()
        try talk(to: endpoint)
        #expect(
            try program.readErrorLine()
                == "weir: cannot write to \(path): read-only file system (EROFS); nothing more is written there"
        )
        try talk(to: endpoint)
        let ended = try await program.stop()
        #expect(ended.status == 74)
        #expect(ended.errors.contains("total: 3 tcp flows"))
        #expect(!ended.errors.contains("cannot write"))
        #expect(try TemporaryFolder.read(path) == first)
        let records = try LogLines(first).objects.count
        #expect(try missed(ended.errors, path) == (2 * records, 2000))
    }

    /// Reads how many records, and how many bytes of chunks, a log is said not to have got.
    private func missed(_ errors: String, _ path: String) throws -> (records: Int, bytes: Int) {
        let start = "weir: \(path) did not get "
        let lines = errors.split(separator: "\n").filter { $0.hasPrefix(start) }
        let numbers = try #require(lines.first).dropFirst(start.count).split { !$0.isNumber }.compactMap { Int($0) }
        #expect(lines.count == 1 && numbers.count == 3)
        return (numbers[0], numbers[2])
    }

    private func waitForFile(_ path: String, toHold text: String) throws {
        let deadline = Deadline()
        while !String(decoding: try TemporaryFolder.read(path), as: UTF8.self).contains(text) {
            if deadline.isOver { throw HelperError("'\(path)' does not hold '\(text)'") }
            sched_yield()
        }
    }
}
