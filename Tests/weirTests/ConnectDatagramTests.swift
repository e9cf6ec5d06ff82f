import Support
import Testing
import WeirWire

@Suite("weir connect over UDP", .serialized, .timeLimit(.minutes(1)))
struct ConnectDatagramTests {
    private func arguments(_ options: [String], _ server: UDPPeer) -> [String] {
        ["connect", "-u"] + options + ["127.0.0.1", String(server.local?.port ?? 0)]
    }

    @Test("Sends one read as one datagram", arguments: [1, 1000, 65_507])
    func sends(size: Int) async throws {
        let server = try UDPPeer()
        let folder = try TemporaryFolder()
        let input = try folder.file("input", Pattern.bytes(size))
        let program = try WeirProgram(arguments(["-w", "0.1"], server), input: .file(input))
        #expect(try server.receive().bytes == Pattern.bytes(size))
        #expect(try await program.finish().status == 0)
    }

    @Test("Cuts a longer input into datagrams, and loses none of it", arguments: [[], ["-C"]])
    func cuts(options: [String]) async throws {
        let server = try UDPPeer()
        let folder = try TemporaryFolder()
        // Line feeds alone: with -C every datagram doubles.
        let input = try folder.file("input", [UInt8](repeating: 10, count: 65_508))
        let program = try WeirProgram(arguments(["-w", "0.1"] + options, server), input: .file(input))
        let total = options.isEmpty ? 65_508 : 131_016
        var received = 0
        while received < total {
            let count = try server.receive().bytes.count
            #expect(count <= 65_507)
            received += count
        }
        #expect(received == total)
        #expect(try await program.finish().status == 0)
    }

    @Test("Writes each datagram out, an empty one too, and waits for them after the end of input")
    func receives() async throws {
        let server = try UDPPeer()
        let program = try WeirProgram(arguments(["-w", "20", "-v", "--show", "summary"], server))
        try program.write("go")
        let (bytes, client) = try server.receive()
        #expect(bytes == Array("go".utf8))
        #expect(try program.readErrorLine() == "connected \(client) -> \(try #require(server.local))")
        program.closeInput()
        try server.send([], to: client)
        try server.send([1], to: client)
        #expect(try program.readOutput(1) == [1])
        try server.send(Pattern.bytes(65_507), to: client)
        #expect(try program.readOutput(65_507) == Pattern.bytes(65_507))
        for line in [" udp ", "▲ 2 B @0", "▼ 0 B @0", "▼ 1 B @0", "▼ 65507 B @1"] {
            #expect(try program.readErrorLine().contains(line))
        }
    }

    @Test("Ends by itself a while after the end of input")
    func ends() async throws {
        let server = try UDPPeer()
        let program = try WeirProgram(arguments([], server))
        try program.write("x")
        let (bytes, client) = try server.receive()
        try server.send(bytes + [33], to: client)
        let ended = try await program.finish()
        #expect(ended.output == Array("x!".utf8))
        #expect(ended.status == 0)
        #expect(ended.errors == "")
    }

    @Test("Says that the port refuses, and ends with 69")
    func refused() async throws {
        // Nothing serves tcpmux over UDP.
        let ended = try await WeirProgram(["connect", "-u", "127.0.0.1", "1"]).finish(sending: [1], closesInput: false)
        #expect(ended.status == 69)
        #expect(ended.errors == "weir: cannot reach udp 127.0.0.1:1: connection refused (ECONNREFUSED)\n")
    }
}
