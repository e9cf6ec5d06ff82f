import Support
import Testing
import WeirWire

@Suite("weir connect over UDP", .timeLimit(.minutes(1)))
struct ConnectDatagramTests {
    private func arguments(_ options: [String], _ server: TestDatagrams) -> [String] {
        ["connect", "-u"] + options + [server.endpoint.address.description, String(server.endpoint.port)]
    }

    @Test("Sends one read as one datagram", arguments: [1, 1000, 65_507])
    func sends(size: Int) throws {
        let server = try TestDatagrams()
        let folder = try TemporaryFolder()
        let input = try folder.file("input", patterned(size))
        let program = try WeirProgram(arguments(["-w", "0.1"], server), input: .file(input))
        #expect(try server.receive().bytes == patterned(size))
        #expect(try program.finish().status == 0)
    }

    @Test("Cuts a longer input into datagrams, and loses none of it", arguments: [[], ["-C"]])
    func cuts(options: [String]) throws {
        let server = try TestDatagrams()
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
        #expect(try program.finish().status == 0)
    }

    @Test("Writes each datagram out, an empty one too, and waits for them after the end of input")
    func receives() throws {
        let server = try TestDatagrams()
        let program = try WeirProgram(arguments(["-w", "20", "-v", "--show", "summary"], server))
        try program.write("go")
        let (bytes, client) = try server.receive()
        #expect(bytes == Array("go".utf8))
        #expect(try program.readErrorLine() == "connected \(client) -> \(server.endpoint)")
        program.closeInput()
        try server.send([], to: client)
        try server.send([1], to: client)
        #expect(try program.readOutput(1) == [1])
        try server.send(patterned(65_507), to: client)
        #expect(try program.readOutput(65_507) == patterned(65_507))
        for line in ["udp open", "up    (2 bytes) @0", "down  (0 bytes) @0", "down  (1 byte) @0", "(65507 bytes) @1"] {
            #expect(try program.readErrorLine().contains(line))
        }
    }

    @Test("Ends by itself a while after the end of input")
    func ends() throws {
        let server = try TestDatagrams()
        let program = try WeirProgram(arguments([], server))
        try program.write("x")
        let (bytes, client) = try server.receive()
        try server.send(bytes + [33], to: client)
        let ended = try program.finish()
        #expect(ended.output == Array("x!".utf8))
        #expect(ended.status == 0)
        #expect(ended.errors == "")
    }

    @Test("Says that the port refuses, and ends with 69")
    func refused() throws {
        // Nothing serves tcpmux over UDP.
        let ended = try WeirProgram(["connect", "-u", "127.0.0.1", "1"]).finish(sending: [1], closesInput: false)
        #expect(ended.status == 69)
        #expect(ended.errors == "weir: cannot reach udp 127.0.0.1:1: connection refused (ECONNREFUSED)\n")
    }
}
