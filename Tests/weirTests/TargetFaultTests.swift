import Foundation
import Support
import Testing
import WeirEngine
import WeirWire

@Suite("weir relay and targets that fail", .serialized, .tags(.network), .timeLimit(.minutes(2)))
struct TargetFaultTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func start(
        _ options: [String],
        launcher: [String] = [],
        seconds: Int = 30
    ) throws -> (WeirProgram, Endpoint) {
        let log = folder.path + "/log"
        let arguments = ["relay", "--show", "none", "--log", log] + options
        let program = try WeirProgram(arguments, launcher: launcher, seconds: seconds)
        return (program, try program.listening()[0])
    }

    private func log() throws -> LogLines { try LogLines(try folder.read("log")) }

    private func reasons() throws -> [String] { try log().all("close").compactMap { $0["reason"] as? String } }

    @Test("One that refuses: the client is reset, and the record names the egress and the error")
    func refuses() async throws {
        let port = try RefusingPort()
        let (program, endpoint) = try start(["tcp:0=\(port.endpoint)"])
        let client = try TCPPeer(to: endpoint)
        #expect(try client.receiveToEnd() == ([], .failed(.connectionReset)))
        let ended = try await program.stop()
        #expect(ended.status == 0 && ended.errors.contains("  1 refused"))
        let refused = try #require(try log().all("refused").first)
        #expect((refused["error"] as? String)?.contains("ECONNREFUSED") == true)
        #expect((refused["egress"] as? String)?.hasPrefix("127.0.0.1:") == true)
        #expect(try reasons() == ["refused"])
    }

    @Test("One that lets a dial wait: it is given up after --connect-timeout, and others are served meanwhile")
    func blackHole() async throws {
        let full = try TCPServer(backlog: 0)
        let filler = try TCPPeer(to: full.endpoint)
        let server = try TCPServer()
        let (program, endpoint) = try start(["--connect-timeout", "1s", full.route, server.route])
        let other = try program.listening()[0]
        let client = try TCPPeer(to: endpoint)
        try client.send("hello")
        let second = try TCPPeer(to: other)
        try second.send("x")
        #expect(try server.accept().receive(1) == Array("x".utf8))
        #expect(try client.receiveToEnd() == ([], .failed(.connectionReset)))
        second.reset()
        #expect(try await program.stop().status == 0)
        let lines = try log()
        let refused = try #require(lines.all("refused").first)
        #expect((refused["error"] as? String)?.contains("ETIMEDOUT") == true)
        #expect(try reasons().sorted() == ["client reset", "refused"])
        withExtendedLifetime(filler) {}
    }

    @Test("One that resets at once, and one that closes at once: the client sees the same")
    func endsAtOnce() async throws {
        let server = try TCPServer()
        let (program, endpoint) = try start([server.route])
        for ending in [TCPPeer.Ending.failed(.connectionReset), .end] {
            let client = try TCPPeer(to: endpoint)
            let peer = try server.accept()
            if ending == .end { peer.close() } else { peer.reset() }
            #expect(try client.receiveToEnd() == ([], ending))
            client.finish()
        }
        #expect(try await program.stop().status == 0)
        #expect(try reasons() == ["server reset", "finished"])
    }

    @Test("One that accepts and says nothing: the flow stays, until --idle-timeout where there is one")
    func silent() async throws {
        let server = try TCPServer()
        let (program, endpoint) = try start(["--idle-timeout", "1s", server.route])
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        try client.send("anybody?")
        #expect(try peer.receive(8) == Array("anybody?".utf8))
        #expect(try client.receiveToEnd() == ([], .failed(.connectionReset)))
        #expect(try peer.receiveToEnd().ending == .failed(.connectionReset))
        #expect(try await program.stop().status == 0)
        #expect(try reasons() == ["idle"])
        let duration = try #require(try log().all("close").first?["duration_ns"] as? Int)
        #expect(duration >= 1_000_000_000)
    }

    @Test(
        "One that has moved is found again by the client after the one that was refused",
        .needsRoot,
        .needsProgram("unshare")
    )
    func moves() async throws {
        let second = try TCPServer(at: Endpoint(address: .secondLoopback, port: 0))
        let hosts = try folder.file("hosts", Array("127.0.0.1 moving.test\n".utf8))
        let (program, endpoint) = try start(
            ["tcp:0=moving.test:\(second.endpoint.port)"],
            launcher: ["unshare", "-m", "sh", "-c", "mount --bind \(hosts) /etc/hosts && exec \"$0\" \"$@\""]
        )
        let file = try #require(FileHandle(forWritingAtPath: hosts))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: Array("127.0.0.2 moving.test\n".utf8))
        // Doubts that come one upon the other cost one look-up.
        try await Task.sleep(for: .milliseconds(150))
        let refused = try TCPPeer(to: endpoint)
        #expect(try refused.receiveToEnd() == ([], .failed(.connectionReset)))
        let client = try TCPPeer(to: endpoint)
        let peer = try second.accept()
        client.reset()
        #expect(try peer.receiveToEnd().ending == .failed(.connectionReset))
        #expect(try await program.stop().status == 0)
        #expect(try reasons() == ["refused", "client reset"])
    }

    @Test(
        "One whose name changes its address is found again, and is not dialed where it is this relay itself",
        .tags(.slow),
        .needsRoot,
        .needsProgram("unshare")
    )
    func changesAddress() async throws {
        let first = try TCPServer()
        let port = first.endpoint.port
        let second = try TCPServer(at: Endpoint(address: .secondLoopback, port: port))
        let own = Endpoint(address: IPAddress(v4: 0x7f00_0003), port: port)
        // The program's own /etc/hosts.
        let hosts = try folder.file("hosts", Array("127.0.0.1 moving.test\n127.0.0.1 turning.test\n".utf8))
        let (program, endpoint) = try start(
            ["--name-lifetime", "500ms", "tcp:0=moving.test:\(port)", "tcp:\(own)=turning.test:\(port)"],
            launcher: ["unshare", "-m", "sh", "-c", "mount --bind \(hosts) /etc/hosts && exec \"$0\" \"$@\""],
            seconds: 30
        )
        #expect(try program.listening() == [own])
        for endpoint in [endpoint, own] {
            let client = try TCPPeer(to: endpoint)
            let peer = try first.accept()
            client.reset()
            #expect(try peer.receiveToEnd().ending == .failed(.connectionReset))
        }
        // Written in its place: the mount is of this file.
        let file = try #require(FileHandle(forWritingAtPath: hosts))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: Array("127.0.0.2 moving.test\n127.0.0.3 turning.test\n".utf8))
        // An answer is good for half a second.
        try await Task.sleep(for: .milliseconds(600))
        let client = try TCPPeer(to: endpoint)
        let peer = try second.accept()
        client.reset()
        #expect(try peer.receiveToEnd().ending == .failed(.connectionReset))
        let turned = try TCPPeer(to: own)
        #expect(try turned.receiveToEnd() == ([], .failed(.connectionReset)))
        #expect(
            try program.readErrorLine()
                == "weir: 'turning.test:\(port)' is an address of this relay's own listeners now, which is not dialed"
        )
        let ended = try await program.stop()
        #expect(ended.status == 0)
        // The relay did not meet itself.
        #expect(ended.errors.contains("total: 4 tcp flows"))
    }
}
