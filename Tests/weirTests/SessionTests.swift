import Glibc
import Support
import Testing
import WeirWire

@Suite("What a relay tells its user", .serialized, .tags(.network), .timeLimit(.minutes(1)))
struct SessionTests {
    private static func relay(_ arguments: [String], launcher: [String] = []) throws -> WeirProgram {
        try WeirProgram(["relay", "--show", "none", "--no-processes"] + arguments, launcher: launcher)
    }

    /// Talks over a flow until it has ended.
    private static func talk(_ relay: Endpoint, _ server: TCPServer, _ text: String, answer: String) throws {
        let client = try TCPPeer(to: relay)
        let peer = try server.accept()
        try client.send(text)
        #expect(try peer.receive(text.utf8.count) == Array(text.utf8))
        try peer.send(answer)
        _ = try client.receive(answer.utf8.count)
        client.finish()
        peer.finish()
        _ = try client.receiveToEnd()
    }

    @Test("Every listener is a line, with where it leads")
    func announces() async throws {
        let few = ["--max-flows", "9", "--max-sessions", "9"]
        let program = try Self.relay(few + ["tcp:0=127.0.0.1:9", "udp:0=127.0.0.1:8"])
        let lines = [try program.readErrorLine(), try program.readErrorLine()]
        #expect(lines[0].hasPrefix("listening tcp 127.0.0.1:") && lines[0].hasSuffix(" -> 127.0.0.1:9"))
        #expect(lines[1].hasPrefix("listening udp 127.0.0.1:") && lines[1].hasSuffix(" -> 127.0.0.1:8"))
        let totals =
            "total: 0 tcp flows, 0 udp flows   ▲ 0 B in 0 chunks  ▼ 0 B in 0 chunks\n"
        #expect(try await program.stop().errors == totals)
    }

    @Test(
        "A limit on descriptors that is too low for the flows asked for is told, for the transports that there are",
        arguments: [
            (["tcp:0=127.0.0.1:9"], ["TCP flows"]), (["udp:0=127.0.0.1:9"], ["UDP sessions"]),
            (["tcp:0=127.0.0.1:9", "udp:0=127.0.0.1:9"], ["TCP flows", "UDP sessions"]),
        ]
    )
    func limits(routes: [String], kinds: [String]) async throws {
        let many = ["--threads", "1", "--max-flows", "10000", "--max-sessions", "10000"]
        let program = try Self.relay(many + routes, launcher: WeirProgram.withDescriptors(200))
        for kind in kinds {
            let line = try program.readErrorLine()
            #expect(
                line.hasPrefix("weir: at most ")
                    && line.hasSuffix(" \(kind) at once: the descriptor limit (ulimit -n) allows no more")
            )
        }
        #expect(try program.readErrorLine().hasPrefix("listening "))
        #expect(try await program.stop().status == 0)
        let unasked = try Self.relay(["--threads", "1"] + routes, launcher: WeirProgram.withDescriptors(200))
        #expect(try unasked.readErrorLine().hasPrefix("listening "))
        #expect(try await unasked.stop().status == 0)
        let enough = try Self.relay(
            ["--threads", "1", "--max-flows", "10", "--max-sessions", "10"] + routes,
            launcher: WeirProgram.withDescriptors(200)
        )
        #expect(try enough.readErrorLine().hasPrefix("listening "))
        #expect(try await enough.stop().status == 0)
    }

    @Test("The seed is told where there are toxics, and nothing of it where there are none")
    func seeds() async throws {
        let with = try Self.relay(["--seed", "7", "--toxic", "noop", "tcp:0=127.0.0.1:9"])
        _ = try with.listening()
        #expect(try with.readErrorLine() == "seed 7")
        #expect(try await with.stop().status == 0)
        let without = try Self.relay(["--seed", "7", "tcp:0=127.0.0.1:9"])
        _ = try without.listening()
        #expect(try await !without.stop().errors.contains("seed"))
    }

    @Test("Echoes that differ are counted in one line, with 1", arguments: [0, 1, 2])
    func mismatches(count: Int) async throws {
        let server = try TCPServer()
        let program = try Self.relay(["--expect-echo", server.route])
        let relay = try program.listening()[0]
        for _ in 0..<count { try Self.talk(relay, server, "ping", answer: "pong") }
        try Self.talk(relay, server, "same", answer: "same")
        let ended = try await program.stop()
        #expect(ended.status == (count == 0 ? 0 : 1))
        let line =
            "weir: \(count) \(count == 1 ? "mismatch" : "mismatches"): what came back is not what was sent (--expect-echo)\n"
        #expect(ended.errors.hasSuffix(line) == (count > 0), "\(ended.errors)")
    }

    @Test("Flows that are open at the end are counted, and none are not told of", arguments: [0, 1, 2])
    func ending(count: Int) async throws {
        let server = try TCPServer()
        // At an address of its own: another test may dial a port of 127.0.0.1 that was free a moment ago.
        let program = try Self.relay(["--grace", "1500ms", "tcp:127.0.0.77:0=\(server.endpoint)"])
        let relay = try program.listening()[0]
        var peers: [TCPPeer] = []
        for _ in 0..<count { peers += [try TCPPeer(to: relay), try server.accept()] }
        program.send(SIGTERM)
        let flows = count == 1 ? "1 TCP flow has" : "\(count) TCP flows have"
        if count > 0 {
            let line = try program.readErrorLine()
            #expect(line == "weir: ending: \(flows) 1500ms to finish; ^C again stops at once")
        }
        for peer in peers { peer.finish() }
        let ended = try await program.finish()
        #expect(ended.status == 0 && !ended.errors.contains("ending"))
        for peer in peers { #expect(try peer.receiveToEnd() == ([], .end)) }
    }

    @Test("A route that cannot be served leaves no recording behind")
    func discards() async throws {
        let (folder, taken) = (try TemporaryFolder(), try TCPServer())
        let path = folder.path + "/a.pcapng"
        let ended = try await Self.relay(["--record", path, "tcp:\(taken.endpoint.port)=127.0.0.1:9"]).finish()
        #expect(ended.status == 69 && FileStatusOfTests.isMissing(path))
    }

    @Test("weir demo talks to itself: every flow is shown, and its ports at the end")
    func demo() async throws {
        let folder = try TemporaryFolder()
        let ended = try await WeirProgram(["demo", "--record", folder.path + "/a.pcapng"]).finish()
        let text = String(decoding: ended.output, as: UTF8.self)
        #expect(ended.status == 0 && !text.contains("\u{1B}["), "\(ended.errors)")
        for (transport, count) in [("tcp", 3), ("udp", 2)] {
            for number in 1...count {
                #expect(text.contains("|Hello from \(transport) c|") && text.contains("|lient \(number)!|"))
            }
        }
        #expect(
            text.ranges(of: " ⇒ ").count == 5
                && text.contains("total: 3 tcp flows, 2 udp flows   ▲ 120 B in 5 chunks"),
            "\(text)"
        )
        #expect(text.ranges(of: " closed, finished in ").count == 3, "\(text)")
        let lines = ended.errors.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("listening tcp ") && lines[1].hasPrefix("listening udp "))
        #expect(lines[2] == "recorded \(folder.path)/a.pcapng")
        let recorded = try SeenFrames(at: folder.path + "/a.pcapng")
        let hellos = recorded.frames.count { String(decoding: $0.bytes, as: UTF8.self).contains("Hello from") }
        #expect(hellos == 20)
        let piped = try await WeirProgram(["demo", "--record", "-", "--record-legs", "client"]).finish()
        #expect(piped.status == 0 && piped.errors.contains("total: 3 tcp flows"))
        let client = try SeenFrames(piped.output).frames
        #expect(client.count { String(decoding: $0.bytes, as: UTF8.self).contains("Hello from") } == 10)
    }

    @Test("The version is a line, and what is no command is refused")
    func versions() async throws {
        for arguments in [["--version"], ["--version", "relay"]] {
            let ended = try await WeirProgram(arguments).finish()
            #expect(ended.status == 0 && ended.output == Array("0.1.0\n".utf8) && ended.errors == "")
        }
        let help = try await WeirProgram([]).finish()
        #expect(String(decoding: help.output + Array(help.errors.utf8), as: UTF8.self).contains("USAGE: weir"))
    }

    @Test("The interfaces are listed with their state, kind and addresses", .needsRoot)
    func interfaces() async throws {
        let namespace = try NetworkNamespace()
        let ended = try await WeirProgram(["capture", "--list-interfaces"], launcher: namespace.launcher).finish()
        let lines = String(decoding: ended.output, as: UTF8.self).split(separator: "\n")
        let lo = try #require(lines.first { $0.hasPrefix("lo ") })
        #expect(ended.status == 0 && lo.contains("  up, loopback, 127.0.0.1"), "\(lines)")
        let starts = lines.map { $0.prefix { $0 != "," }.split(separator: " ").count }
        #expect(starts.allSatisfy { $0 == 2 } && lines.count > 1)
        let widths = Set(lines.map { $0.prefix { $0 != "," }.dropLast($0.contains("  up") ? 2 : 4).count })
        #expect(widths.count == 1, "\(lines)")
    }
}

private enum FileStatusOfTests {
    static func isMissing(_ path: String) -> Bool { access(path, F_OK) != 0 }
}
