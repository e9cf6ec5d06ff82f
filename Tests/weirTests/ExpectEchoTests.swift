import Support
import Testing
import WeirEngine
import WeirWire

@Suite("weir relay --expect-echo", .serialized, .tags(.network), .timeLimit(.minutes(1)))
struct ExpectEchoTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func start(
        _ route: String,
        _ options: [String] = [],
        show: String = "summary"
    ) throws -> (WeirProgram, Endpoint) {
        let program = try WeirProgram(
            ["relay", "--expect-echo", "--show", show, "--log", folder.path + "/log"] + options + [route]
        )
        return (program, try program.listening()[0])
    }

    @Test("Ends with 0 where everything came back, far beyond the window")
    func good() async throws {
        let server = try TCPServer()
        let echo = try Background { try server.accept().echo() }
        let (program, endpoint) = try start(server.route, ["--echo-window", "10000"])
        let client = try TCPPeer(to: endpoint)
        let sending = try Background { try client.send(5_000_000, seed: 1, finishing: true) }
        #expect(try client.receiveToEnd(seed: 1) == .init(5_000_000))
        try sending.value()
        try echo.value()
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(try LogLines(try folder.read("log")).all("mismatch").isEmpty)
    }

    @Test("Says which byte differs, and ends with 1")
    func bad() async throws {
        let server = try TCPServer()
        let (program, endpoint) = try start(server.route, show: "hex")
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        try client.send("hello")
        #expect(try peer.receive(5).count == 5)
        try peer.send("heLLo")
        #expect(try client.receive(5) == Array("heLLo".utf8))
        client.finish()
        peer.finish()
        #expect(try client.receiveToEnd().bytes == [])
        let ended = try await program.stop()
        #expect(ended.status == 1)
        #expect(ended.errors.hasSuffix("weir: 1 mismatch: what came back is not what was sent (--expect-echo)\n"))
        let output = String(decoding: ended.output, as: UTF8.self)
        #expect(output.contains(" #1 ▼ mismatch @2: sent 0x6c 'l', came back 0x4c 'L'\n"))
        #expect(output.contains("  sent   68 65 6c 6c 6f" + String(repeating: " ", count: 35) + "|hello|\n"))
        #expect(output.contains("  back   68 65 4c 4c 6f" + String(repeating: " ", count: 35) + "|heLLo|\n"))
        #expect(
            output.contains("\n" + String(repeating: " ", count: 15) + "^^" + String(repeating: " ", count: 44) + "^\n")
        )
        #expect(output.contains("  1 mismatched\n"))
        let mismatch = try #require(try LogLines(try folder.read("log")).all("mismatch").first)
        #expect([mismatch["offset"], mismatch["sent"], mismatch["received"]].map { $0 as? Int } == [2, 0x6c, 0x4c])
    }

    @Test("Counts the datagrams that nobody answered, and ends with 1")
    func silent() async throws {
        let server = try UDPPeer()
        let (program, endpoint) = try start(try server.route)
        let client = try UDPPeer(to: endpoint)
        for text in ["one", "two", "three"] {
            try client.send(text)
            #expect(try server.receiveText() == text)
        }
        let ended = try await program.stop()
        #expect(ended.status == 1)
        #expect(String(decoding: ended.output, as: UTF8.self).contains(" mismatch, 3 datagrams never came back\n"))
        #expect(try LogLines(try folder.read("log")).sum("datagrams", of: "mismatch") == 3)
    }

    @Test("A server that stalls is a mismatch after the idle time-out")
    func stalls() async throws {
        let server = try TCPServer()
        let (program, endpoint) = try start(server.route, ["--idle-timeout", "100ms"])
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        try client.send("hello")
        #expect(try peer.receive(5).count == 5)
        #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
        let ended = try await program.stop()
        #expect(ended.status == 1)
        #expect(
            String(decoding: ended.output, as: UTF8.self).contains(" mismatch @0: sent 0x68 'h', came back nothing\n")
        )
    }

    @Test("Needs a window")
    func window() async throws {
        let ended = try await WeirProgram(["relay", "--expect-echo", "--echo-window", "0", "tcp:0=127.0.0.1:9"])
            .finish()
        #expect(ended.status == 64)
    }
}
