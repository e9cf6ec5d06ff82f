import Support
import Testing
import WeirWire

@Suite("weir connect over TCP", .serialized, .timeLimit(.minutes(1)))
struct ConnectTests {
    private func start(
        _ options: [String] = [],
        _ peer: Endpoint,
        input: WeirProgram.Stream = .pipe,
        output: WeirProgram.Stream = .pipe
    ) throws -> WeirProgram {
        try WeirProgram(
            ["connect"] + options + [peer.address.description, String(peer.port)],
            input: input,
            output: output
        )
    }

    @Test("Gets 20 MB back from an echo server through pipes")
    func echo() async throws {
        let listener = try TCPServer()
        let server = try Background { try listener.accept().echo() }
        let bytes = Pattern.bytes(20_000_000)
        let ended = try await start([], listener.endpoint).finish(sending: bytes)
        try server.value()
        #expect(ended.output == bytes)
        #expect(ended.status == 0)
        #expect(ended.errors == "")
    }

    @Test("Reads and writes regular files")
    func files() async throws {
        let listener = try TCPServer()
        let server = try Background { try listener.accept().echo() }
        let bytes = Pattern.bytes(5_000_000)
        let folder = try TemporaryFolder()
        let input = try folder.file("input", bytes)
        let ended = try await start([], listener.endpoint, input: .file(input), output: .file(folder.path + "/output"))
            .finish()
        try server.value()
        #expect(ended.status == 0)
        #expect(try folder.read("output") == bytes)
    }

    @Test("Half-closes at the end of input and goes on receiving")
    func halfClose() async throws {
        let listener = try TCPServer()
        let server = try Background {
            let peer = try listener.accept()
            let question = try peer.receiveToEnd().bytes
            try peer.send(Array("got \(question.count)".utf8))
            return question
        }
        let ended = try await start([], listener.endpoint).finish(sending: Pattern.bytes(100_000))
        #expect(try server.value() == Pattern.bytes(100_000))
        #expect(ended.output == Array("got 100000".utf8))
        #expect(ended.status == 0)
    }

    @Test("Ends when the peer closes, while standard input stays open")
    func peerFirst() async throws {
        let listener = try TCPServer()
        let program = try start([], listener.endpoint)
        let peer = try listener.accept()
        try program.write("hello")
        #expect(try peer.receive(5) == Array("hello".utf8))
        try peer.send(Array("bye".utf8))
        peer.finish()
        let ended = try await program.finish(closesInput: false)
        #expect(ended.output == Array("bye".utf8))
        #expect(ended.status == 0)
        #expect(ended.errors == "")
    }

    @Test("Sends all input to a peer that ended its own half")
    func listeningPeer() async throws {
        let listener = try TCPServer()
        let bytes = Pattern.bytes(3_000_000)
        let server = try Background {
            let peer = try listener.accept()
            peer.finish()
            return try peer.receiveToEnd().bytes
        }
        let ended = try await start([], listener.endpoint).finish(sending: bytes)
        #expect(try server.value() == bytes)
        #expect(ended.status == 0)
    }

    @Test("Keeps sending while standard output is full, and loses nothing")
    func fullOutput() async throws {
        let listener = try TCPServer()
        let program = try start([], listener.endpoint)
        let peer = try listener.accept()
        let answer = Pattern.bytes(30_000_000)
        let sending = try Background {
            try peer.send(answer)
            peer.finish()
        }
        // Nobody reads standard output yet, and its pipe is full as soon as 64 KiB are there.
        let question = Pattern.bytes(8_000_000)
        let receiving = try Background { try peer.receive(question.count) }
        try program.write(question)
        #expect(try receiving.value() == question)
        let ended = try await program.finish()
        try sending.value()
        #expect(ended.output == answer)
        #expect(ended.status == 0)
    }

    @Test("Sends LF as CRLF with -C, however the input is cut")
    func lineEnds() async throws {
        let listener = try TCPServer()
        let program = try start(["-C"], listener.endpoint)
        let peer = try listener.accept()
        var received: [UInt8] = []
        for (part, count) in [("a\nb\r", 5), ("\nc\n", 4), ("\n", 2)] {
            try program.write(part)
            received += try peer.receive(count)
        }
        program.closeInput()
        #expect(try peer.receiveToEnd().bytes == [])
        #expect(String(decoding: received, as: UTF8.self) == "a\r\nb\r\nc\r\n\r\n")
        peer.finish()
        #expect(try await program.finish().status == 0)
    }

    @Test("Says with -v which local endpoint the kernel chose", arguments: [IPAddress.loopbackV4, .loopbackV6])
    func verbose(address: IPAddress) async throws {
        let listener = try TCPServer(at: Endpoint(address: address, port: 0))
        let program = try start(["-v"], listener.endpoint)
        let peer = try listener.accept()
        let client = try #require(peer.remote)
        #expect(try program.readErrorLine() == "connected \(client) -> \(listener.endpoint)")
        peer.finish()
        #expect(try await program.finish().status == 0)
    }

    @Test("Sends from the port of -p")
    func sourcePort() async throws {
        let listener = try TCPServer()
        // Below the ports that the kernel gives out, so that no other test has it by chance.
        let port = UInt16.random(in: 20_000..<30_000)
        let program = try start(["-p", String(port)], listener.endpoint)
        let peer = try listener.accept()
        #expect(peer.remote == Endpoint(address: .loopbackV4, port: port))
        peer.finish()
        #expect(try await program.finish().status == 0)
    }

    @Test("Shows both directions on standard error")
    func show() async throws {
        let listener = try TCPServer()
        let server = try Background { () throws -> Endpoint in
            let peer = try listener.accept()
            guard let client = peer.remote else { throw HelperError("the client has gone") }
            try peer.echo()
            return client
        }
        let ended = try await start(["--show", "hex"], listener.endpoint).finish(sending: Array("hello\n".utf8))
        let client = try server.value()
        // The echo may come before the end of input, or after it.
        let lines = ended.errors.split(separator: "\n").map { $0.hasPrefix("  ") ? $0 : $0.dropFirst(27) }
            .filter { $0 != "#1 ▲ end" }
        let dump: Substring = "  00000000  68 65 6c 6c 6f 0a                                 |hello.|"
        #expect(
            lines.dropLast().sorted()
                == [
                    "#1 tcp \(client) → \(listener.endpoint)", "#1 ▲ 6 B @0", dump, "#1 ▼ 6 B @0", dump,
                ].sorted()
        )
        #expect(lines.last?.hasPrefix("#1 closed, finished in ") == true)
        #expect(lines.last?.hasSuffix("   ▲ 6 B  ▼ 6 B") == true)
        #expect(ended.output == Array("hello\n".utf8))
    }

    @Test("Writes what came before a reset, says so and ends with 74")
    func reset() async throws {
        let listener = try TCPServer()
        let program = try start([], listener.endpoint)
        let peer = try listener.accept()
        // More than the pipe and the program hold: a part is still in the kernel when the reset comes.
        try peer.send(Pattern.bytes(150_000))
        try peer.resetAfterDelivery()
        let ended = try await program.finish(closesInput: false)
        #expect(ended.output == Pattern.bytes(150_000))
        #expect(ended.status == 74)
        #expect(
            ended.errors == "weir: cannot receive from \(listener.endpoint): connection reset by peer (ECONNRESET)\n"
        )
    }

    @Test("Stops quietly when the reader of standard output has gone")
    func closedOutput() async throws {
        let listener = try TCPServer()
        let program = try start([], listener.endpoint)
        let peer = try listener.accept()
        program.closeOutput()
        try peer.send([1])
        let ended = try await program.finish(closesInput: false)
        #expect(ended.status == 0)
        #expect(ended.errors == "")
    }

    @Test("Ends quietly when nothing moves for as long as -w says")
    func idle() async throws {
        let listener = try TCPServer()
        let program = try start(["-w", "0.1"], listener.endpoint)
        let peer = try listener.accept()
        try peer.send([7])
        let ended = try await program.finish(closesInput: false)
        #expect(ended.output == [7])
        #expect(ended.status == 0)
        #expect(ended.errors == "")
        #expect(try peer.receiveToEnd().bytes == [])
    }

    @Test("Says that a port refuses, and ends with 69")
    func refused() async throws {
        let port = try RefusingPort()
        let ended = try await start([], port.endpoint).finish()
        #expect(ended.status == 69)
        #expect(ended.errors == "weir: cannot connect to \(port.endpoint): connection refused (ECONNREFUSED)\n")
    }

    @Test(
        "Refuses what is no port or no host",
        arguments: [
            ["127.0.0.1", "0"], ["127.0.0.1", "65536"], ["127.0.0.1", "http"], ["127.0.0.1", "+1"], ["127.0.0.1", ""],
            ["127.0.0.1"], ["[localhost]", "1"], ["", "1"], ["-4", "::1", "1"], ["-6", "127.0.0.1", "1"],
            ["-4", "-6", "localhost", "1"], ["-p", "0", "127.0.0.1", "1"], ["-w", "x", "127.0.0.1", "1"],
        ]
    )
    func usage(arguments: [String]) async throws {
        let ended = try await WeirProgram(["connect"] + arguments).finish()
        #expect(ended.status == 64)
        #expect(!ended.errors.isEmpty)
        #expect(ended.output == [])
    }

    @Test("An address of the other family is refused by its name, and one of the family that is wanted is dialed")
    func families() async throws {
        let v6 = try await WeirProgram(["connect", "-4", "::1", "1"]).finish()
        #expect(v6.status == 64 && v6.errors == "weir: ::1 is an IPv6 address, which -4 excludes\n")
        let v4 = try await WeirProgram(["connect", "-6", "127.0.0.1", "1"]).finish()
        #expect(v4.status == 64 && v4.errors == "weir: 127.0.0.1 is an IPv4 address, which -6 excludes\n")
        let port = try RefusingPort()
        #expect(try await start(["-4"], port.endpoint).finish().status == 69)
    }

    @Test("With -w 0 it neither gives up connecting nor ends when nothing comes")
    func patient() async throws {
        let listener = try TCPServer()
        let program = try start(["-w", "0"], listener.endpoint)
        let peer = try listener.accept()
        try program.write("hello")
        #expect(try peer.receive(5) == Array("hello".utf8))
        program.closeInput()
        #expect(try peer.receiveToEnd() == ([], .end))
        try peer.send("late")
        #expect(try program.readOutput(4) == Array("late".utf8))
        peer.finish()
        #expect(try await program.finish().status == 0)
    }

    @Test("Says that standard input cannot be read, and ends with 74")
    func badInput() async throws {
        let listener = try TCPServer()
        let ended = try await start([], listener.endpoint, input: .file("/")).finish()
        #expect(ended.status == 74)
        #expect(ended.errors == "weir: cannot read standard input: folder, not file (EISDIR)\n")
    }
}
