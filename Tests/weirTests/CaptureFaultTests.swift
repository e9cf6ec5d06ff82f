import Foundation
import Glibc
import Support
import Testing
import WeirRelay
import WeirWire

/// Each fault is one line on standard error, and an exit code; what was captured before is in the file.
@Suite("Faults of weir capture", .serialized, .tags(.capture), .timeLimit(.minutes(2)))
struct CaptureFaultTests {
    private static let powerless = [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
    ]

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func expect(
        _ arguments: [String],
        _ status: Int32,
        _ line: String,
        launcher: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let ended = try await WeirProgram(arguments, launcher: launcher).finish()
        #expect(ended.status == status, sourceLocation: sourceLocation)
        #expect(ended.errors == "weir: \(line)\n", sourceLocation: sourceLocation)
        #expect(ended.output == [], sourceLocation: sourceLocation)
    }

    @Test(
        "Without the right to capture it ends with 77, and says which command gives it",
        .needsRoot,
        .needsProgram("setpriv"),
        arguments: [
            ["capture", "-c", "1"], ["relay", "--capture", "/tmp/never.pcapng", "tcp:0=127.0.0.1:9"],
            ["demo", "--capture", "/tmp/never.pcapng"],
        ]
    )
    func powerless(arguments: [String]) async throws {
        let ended = try await WeirProgram(arguments, launcher: Self.powerless).finish()
        #expect(ended.status == 77)
        #expect(ended.errors.hasPrefix("weir: cannot capture on lo: "))
        #expect(ended.errors.hasSuffix("; run: sudo setcap cap_net_raw+ep \(try Self.program())\n"))
        #expect(ended.errors.split(separator: "\n").count == 1)
        #expect(!FileManager.default.fileExists(atPath: "/tmp/never.pcapng"))
    }

    /// Says where the program really is, with every link followed.
    private static func program() throws -> String {
        URL(fileURLWithPath: try WeirProgram.path()).resolvingSymlinksInPath().path
    }

    @Test("One SIGTERM ends a capture whose standard output nobody reads", .needsRoot)
    func unread() async throws {
        let namespace = try NetworkNamespace()
        let weir = try WeirProgram(["capture", "-i", "lo", "-w", "-"], launcher: namespace.launcher)
        #expect(try weir.readErrorLine() == "capturing on lo")
        let nobody = Endpoint(address: .loopbackV4, port: 9)
        let sender = try namespace.make { try UDPPeer() }
        // More than the pipe has room for.
        for _ in 0..<300 { try sender.send(Pattern.bytes(1400), to: nobody) }
        weir.send(SIGTERM)
        #expect(
            try weir.readErrorLine()
                == "weir: not read for 5s: standard output; what was not written there is lost"
        )
        #expect(try weir.waitForEnd() == 0)
    }

    @Test("A filter that does not compile ends with 64, in libpcap's words", .needsRoot)
    func filter() async throws {
        try await expect(
            ["capture", "tcp", "prot", "9"],
            64,
            "'tcp prot 9' is no filter: can't parse filter expression: syntax error; see pcap-filter(7)"
        )
    }

    @Test("An interface that is not there ends with 69, and those that are are named", .needsRoot)
    func interface() async throws {
        let namespace = try NetworkNamespace()
        let ended = try await WeirProgram(["capture", "-i", "no0"], launcher: namespace.launcher).finish()
        #expect(ended.status == 69)
        let (start, names) = ("weir: there is no interface 'no0' to capture on; there are: ", ["any", "lo"])
        #expect(ended.errors.hasPrefix(start))
        let listed = ended.errors.dropFirst(start.count).dropLast().split(separator: ",")
        #expect(Set(names).isSubset(of: listed.map { $0.trimmingCharacters(in: .whitespaces) }))
    }

    @Test(
        "An interface that goes away ends the capture with 69; what it saw is in the file",
        .needsRoot
    )
    func gone() async throws {
        let (here, there) = (try NetworkNamespace(), try NetworkNamespace())
        try here.join(there)
        let address = try #require(IPAddress("10.9.0.1"))
        let receiver = try here.make { try UDPPeer(at: Endpoint(address: address, port: 0)) }
        let endpoint = try #require(receiver.local)
        let sender = try there.make { try UDPPeer(to: endpoint) }
        let path = folder.path + "/a.pcapng"
        let weir = try WeirProgram(["capture", "-i", "v0", "-w", path, "udp"], launcher: here.launcher)
        #expect(try weir.readErrorLine() == "capturing on v0")
        for _ in 0..<10 {
            try sender.send("before")
            _ = try receiver.receive()
        }
        try here.run("ip", ["link", "del", "v0"])
        let ended = try await weir.finish()
        #expect(ended.status == 69)
        let lines = ended.errors.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.contains("recorded \(path)"))
        #expect(lines.last?.hasPrefix("weir: the capture on v0 has ended: ") == true)
        let seen = try SeenFrames(at: path)
        #expect(seen.frames.count == 10)
        #expect(seen.statistics.count == 1)
    }

    @Test("A file that cannot be made ends with 73", .needsRoot)
    func noFile() async throws {
        let missing = folder.path + "/missing/a.pcapng"
        let there = try folder.file("there.pcapng", [1, 2, 3])
        for start in [["capture", "-w"], ["relay", "tcp:0=127.0.0.1:9", "--capture"]] {
            try await expect(start + [missing], 73, "cannot write to '\(missing)': no such file or folder (ENOENT)")
            try await expect(
                start + [there],
                73,
                "cannot write to '\(there)': file exists (EEXIST); choose another name: no file is overwritten"
            )
        }
        #expect(try folder.read("there.pcapng") == [1, 2, 3])
        let disk = try SmallDisk(options: "ro")
        let path = disk.path + "/a.pcapng"
        try await expect(["capture", "-w", path], 73, "cannot write to '\(path)': read-only file system (EROFS)")
    }

    @Test("A full disk ends the capture with 74; the file is whole to its last packet", .needsRoot)
    func fullDisk() async throws {
        let disk = try SmallDisk(size: 1 << 20)
        let path = disk.path + "/a.pcapng"
        let namespace = try NetworkNamespace()
        let receiver = try namespace.make { try UDPPeer() }
        let endpoint = try #require(receiver.local)
        let sender = try namespace.make { try UDPPeer(to: endpoint) }
        let weir = try WeirProgram(["capture", "-w", path, "udp"], launcher: namespace.launcher)
        #expect(try weir.readErrorLine() == "capturing on lo")
        for _ in 0..<2000 { try sender.send([UInt8](repeating: 7, count: 1000)) }
        let ended = try await weir.finish()
        #expect(ended.status == 74)
        #expect(ended.errors.contains("weir: cannot write to '\(path)': no space left on the device (ENOSPC)"))
        #expect(try SeenFrames(at: path).frames.count > 800)
    }

    @Test("A full disk ends the capture of a relay, and not the relay", .needsRoot)
    func fullDiskOfRelay() async throws {
        let disk = try SmallDisk(size: 1 << 20)
        let path = disk.path + "/a.pcapng"
        let echo = try WeirProgram(["echo", "--show", "none", "tcp:0"])
        let server = try echo.listening()[0]
        let weir = try WeirProgram(["relay", "--show", "none", "--capture", path, "tcp:0=\(server)"])
        #expect(try weir.readErrorLine() == "capturing on lo")
        let relay = try weir.listening()[0]
        let bytes = [UInt8](repeating: 7, count: 50_000)
        try await runThread {
            for _ in 0..<40 {
                let client = try TCPPeer(to: relay)
                try client.send(bytes)
                #expect(try client.receive(bytes.count) == bytes)
                client.finish()
                _ = try client.receiveToEnd()
            }
        }
        let ended = try await weir.stop()
        #expect(ended.status == 74)
        let failures = ended.errors.split(separator: "\n").filter { $0.contains("ENOSPC") }
        #expect(failures == ["weir: cannot write to '\(path)': no space left on the device (ENOSPC)"])
        #expect(try SeenFrames(at: path).frames.count > 10)
        #expect(try await echo.stop().status == 0)
    }

    @Test("A reader that has seen enough ends the capture with 0", .needsRoot)
    func reader() async throws {
        let namespace = try NetworkNamespace()
        let receiver = try namespace.make { try UDPPeer() }
        let endpoint = try #require(receiver.local)
        let sender = try namespace.make { try UDPPeer(to: endpoint) }
        let weir = try WeirProgram(["capture", "--immediate", "-w", "-", "udp"], launcher: namespace.launcher)
        #expect(try weir.readErrorLine() == "capturing on lo")
        try sender.send("one")
        // The head of the file comes with its first packet, if not before.
        #expect(try weir.readOutput(100).count == 100)
        weir.closeOutput()
        try sender.send("two")
        try sender.send("three")
        #expect(try await weir.finish().status == 0)
    }

    @Test("With --user it is another user who writes, also the files that come later", .needsRoot)
    func otherUser() async throws {
        let namespace = try NetworkNamespace()
        let receiver = try namespace.make { try UDPPeer() }
        let endpoint = try #require(receiver.local)
        let sender = try namespace.make { try UDPPeer(to: endpoint) }
        let path = folder.path + "/captures"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        // The folder is root's alone.
        chmod(path, 0o700)
        let weir = try WeirProgram(
            ["capture", "--user", "nobody", "-w", path + "/a.pcapng", "--rotate-size", "64k", "udp"],
            launcher: namespace.launcher
        )
        #expect(try weir.readErrorLine() == "capturing on lo")
        let status = String(decoding: try TemporaryFolder.read("/proc/\(weir.identifier)/status"), as: UTF8.self)
        #expect(status.contains("\nCapEff:\t0000000000000000\n"))
        for _ in 0..<500 { try sender.send([UInt8](repeating: 7, count: 1000)) }
        let ended = try await weir.stop(SIGINT)
        #expect(ended.status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(names.count >= 7)
        let nobody = try #require(getpwnam("nobody")).pointee.pw_uid
        var packets = 0
        for name in names {
            packets += try SeenFrames(at: path + "/" + name).frames.count
            var attributes = stat()
            #expect(stat(path + "/" + name, &attributes) == 0)
            #expect(attributes.st_uid == nobody)
            #expect(attributes.st_mode & 0o777 == 0o600)
        }
        #expect(packets == 500)
    }

    @Test(
        "A setting that cannot be is refused with 64",
        arguments: [
            ["-c", "0"], ["--duration", "0s"], ["--rotate-size", "1M"], ["--format", "pcap"],
            ["-w", "-", "--rotate-size", "1M"], ["-w", "-", "--show", "hex"], ["--user", "no-such-user"],
            ["--snaplen", "300k"], ["--buffer", "0"],
        ]
    )
    func settings(arguments: [String]) async throws {
        let ended = try await WeirProgram(["capture"] + arguments).finish()
        #expect(ended.status == 64)
        #expect(ended.output.isEmpty)
        #expect(!ended.errors.isEmpty)
    }

    @Test("--count, --snaplen, --duration and --format pcap do what they say", .needsRoot)
    func options() async throws {
        let namespace = try NetworkNamespace()
        let receiver = try namespace.make { try UDPPeer() }
        let endpoint = try #require(receiver.local)
        let sender = try namespace.make { try UDPPeer(to: endpoint) }
        let path = folder.path + "/a.pcap"
        let weir = try WeirProgram(
            ["capture", "-c", "3", "--snaplen", "60", "--format", "pcap", "-w", path, "udp"],
            launcher: namespace.launcher
        )
        #expect(try weir.readErrorLine() == "capturing on lo")
        for _ in 0..<5 { try sender.send([UInt8](repeating: 7, count: 1000)) }
        #expect(try await weir.finish().status == 0)
        let seen = try SeenFrames(at: path)
        #expect(seen.frames.map(\.bytes.count) == [60, 60, 60])
        #expect(seen.frames.map(\.originalLength) == [1042, 1042, 1042])
        // The magic number of times in nanoseconds, in this machine's byte order.
        #expect(Array(try TemporaryFolder.read(path).prefix(4)) == [0x4d, 0x3c, 0xb2, 0xa1])
        let timed = try await WeirProgram(["capture", "--duration", "50ms"], launcher: namespace.launcher).finish()
        #expect(timed.status == 0)
    }
}
