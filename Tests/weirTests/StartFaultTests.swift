import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

/// Each fault is one line on standard error and an exit code; nothing goes to standard output.
@Suite("Faults at the start of weir relay", .serialized, .tags(.network), .timeLimit(.minutes(1)))
struct StartFaultTests {
    private func expect(
        _ arguments: [String],
        _ status: Int32,
        _ line: String,
        launcher: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let ended = try await WeirProgram(["relay"] + arguments, launcher: launcher).finish()
        #expect(ended.status == status, sourceLocation: sourceLocation)
        #expect(ended.errors == "weir: \(line)\n", sourceLocation: sourceLocation)
        #expect(ended.output == [], sourceLocation: sourceLocation)
    }

    @Test("A port that another Weir serves ends with 69", arguments: ["tcp", "udp"])
    func portInUse(transport: String) async throws {
        let first = try WeirProgram(["relay", "\(transport):0=127.0.0.1:9"])
        let endpoint = try first.listening()[0]
        let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(getuid())"
        try await expect(
            ["\(transport):\(endpoint.port)=127.0.0.1:9"],
            69,
            "cannot listen on \(transport) \(endpoint): address in use (EADDRINUSE); "
                + "weir/\(first.identifier) user \(user) listens there; choose another port, or 0 to let the kernel choose"
        )
        #expect(try await first.stop().status == 0)
    }

    @Test("A port under 1024 without the right to it ends with 77", .needsRoot, .needsProgram("setpriv"))
    func privilegedPort() async throws {
        try await expect(
            ["tcp:80=127.0.0.1:9"],
            77,
            "cannot listen on tcp 127.0.0.1:80: permission denied (EACCES); ports below 1024 need CAP_NET_BIND_SERVICE",
            launcher: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
        )
    }

    @Test("A target that does not resolve is said, its clients are refused, and the other routes serve")
    func unknownHost() async throws {
        let server = try TCPServer()
        let program = try WeirProgram(["relay", "--show", "none", "tcp:0=no-such-host.invalid:80", server.route])
        #expect(try program.readErrorLine().hasPrefix("weir: cannot resolve 'no-such-host.invalid'"))
        let endpoints = try program.listening(2)
        let other = try TCPPeer(to: endpoints[1])
        try other.send("hello")
        let peer = try server.accept()
        #expect(try peer.receive(5) == Array("hello".utf8))
        let client = try TCPPeer(to: endpoints[0])
        #expect(try client.receiveToEnd() == ([], .failed(.connectionReset)))
        other.finish()
        peer.finish()
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(ended.errors.contains("; the client is refused"))
    }

    @Test("A listener's host that does not resolve ends with 69")
    func unknownListener() async throws {
        let ended = try await WeirProgram(["relay", "tcp:no-such-host.invalid:0=127.0.0.1:80"]).finish()
        #expect(ended.status == 69)
        #expect(ended.errors.hasPrefix("weir: cannot resolve 'no-such-host.invalid'"))
        #expect(ended.errors.split(separator: "\n").count == 1)
    }

    @Test("An address that is not this machine's ends with 69", arguments: ["tcp", "udp"])
    func foreignAddress(transport: String) async throws {
        try await expect(
            ["\(transport):192.0.2.1:0=127.0.0.1:9"],
            69,
            "cannot listen on \(transport) 192.0.2.1:0: address not available (EADDRNOTAVAIL); "
                + "no interface of this machine has that address"
        )
    }

    @Test(
        "A route to one of the relay's own listeners ends with 64",
        arguments: ["tcp", "udp"],
        [("", "127.0.0.1"), ("", "localhost"), ("*:", "127.0.0.1"), ("*:", "127.0.0.2"), ("*:", "localhost")]
    )
    func loop(transport: String, hosts: (listen: String, target: String)) async throws {
        // A port that is free a moment later; nobody else takes ports under those that the kernel gives out.
        let port = UInt16.random(in: 20_000..<30_000)
        let route = "\(transport):\(hosts.listen)\(port)=\(hosts.target):\(port)"
        let ended = try await WeirProgram(["relay", route]).finish()
        #expect(ended.status == 64)
        #expect(ended.errors.hasPrefix("weir: route '"))
        #expect(ended.errors.contains("where this relay listens itself"))
        #expect(ended.errors.split(separator: "\n").count == 1)
    }

    @Test(
        "A route that does not parse ends with 64, and says which part",
        arguments: [
            ("tcp:9000", "tcp:9000"), ("9000=127.0.0.1:80", "9000"), ("sctp:1=127.0.0.1:80", "sctp"),
            ("tcp:70000=127.0.0.1:80", "70000"), ("tcp:0=127.0.0.1", "127.0.0.1"), ("tcp:0=127.0.0.1:0", "127.0.0.1:0"),
            ("tcp:0=:80", ":80"), ("tcp:[::1:0=127.0.0.1:80", "[::1:0"), ("", "''"), ("tcp:0=*:80", "*"),
        ]
    )
    func badRoute(route: String, part: String) async throws {
        let ended = try await WeirProgram(["relay", route]).finish()
        #expect(ended.status == 64)
        #expect(ended.errors.hasPrefix("weir: "))
        #expect(ended.errors.contains(part))
        #expect(ended.errors.split(separator: "\n").count == 1)
    }

    @Test(
        "Arguments that are missing or exclude each other end with 64",
        arguments: [
            ["relay"], ["relay", "--log", "-", "--show", "hex", "tcp:0=127.0.0.1:9"],
            ["relay", "--log-bytes", "tcp:0=127.0.0.1:9"], ["relay", "--log"], ["relay", "-4", "-6", "tcp:0=h:1"],
            ["relay", "--threads", "0", "tcp:0=127.0.0.1:9"], ["relay", "--show", "all", "tcp:0=127.0.0.1:9"],
            ["connect"], ["echo"], ["wier"],
        ]
    )
    func usage(arguments: [String]) async throws {
        let ended = try await WeirProgram(arguments).finish()
        #expect(ended.status == 64)
        #expect(ended.errors.contains("Usage: weir"))
        #expect(ended.output == [])
    }

    @Test(
        "With too few descriptors for anybody it ends with 69 and the limit that it needs, and with one more it serves"
    )
    func fewDescriptors() async throws {
        let arguments = [
            "relay", "--show", "none", "--no-processes", "--threads", "1", "--max-flows", "9", "--max-sessions", "9",
            "tcp:0=127.0.0.1:9", "udp:0=127.0.0.1:9",
        ]
        let few = try await WeirProgram(arguments, launcher: WeirProgram.withDescriptors(28)).finish()
        let reason = "cannot serve with 28 descriptors: \(ErrorNumber(EMFILE))"
        let advice = "raise the limit (ulimit -n) to 29 at least, or lower the number of threads and routes"
        #expect(few.status == 69 && few.errors == "weir: \(reason); \(advice)\n")
        let enough = try WeirProgram(arguments, launcher: WeirProgram.withDescriptors(29))
        #expect(try enough.readErrorLine().hasPrefix("weir: at most 1 TCP flow at once: "))
        #expect(try enough.readErrorLine().hasPrefix("weir: at most 1 UDP session at once: "))
        _ = try enough.listening(2)
        #expect(try await enough.stop().status == 0)
    }
}
