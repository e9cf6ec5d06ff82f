import Support
import Testing

@Suite("The interface that a relay captures on", .serialized, .tags(.network, .capture), .timeLimit(.minutes(1)))
struct RelayCaptureInterfaceTests {
    private static func expect(_ interface: String, _ arguments: [String], launcher: [String] = []) async throws {
        let folder = try TemporaryFolder()
        let program = try WeirProgram(
            ["relay", "--show", "none", "--no-processes", "--threads", "1", "--capture", folder.path + "/a.pcapng"]
                + arguments,
            launcher: launcher
        )
        #expect(try program.readErrorLine() == "capturing on \(interface)")
        _ = try program.listening()
        let ended = try await program.stop()
        #expect(
            ended.status == 0 && ended.errors.contains(" dropped by the kernel on \(interface)\n"),
            "\(ended.errors)"
        )
    }

    @Test(
        "It is the loopback where every route stays there, or else all; or the one that is named",
        .needsRoot,
        arguments: [
            (["tcp:0=127.0.0.1:9"], "lo"), (["tcp:0=127.0.0.2:9"], "lo"), (["tcp:0=0.0.0.0:9"], "lo"),
            (["tcp:*:0=127.0.0.1:9"], "any"), (["tcp:0=192.0.2.1:9"], "any"),
            (["tcp:0=127.0.0.1:9", "udp:0=192.0.2.1:9"], "any"), (["tcp:0=127.0.0.1:9", "udp:*:0=127.0.0.1:9"], "any"),
            (["--interface", "lo", "tcp:0=192.0.2.1:9"], "lo"), (["--interface", "any", "tcp:0=127.0.0.1:9"], "any"),
        ]
    )
    func chooses(arguments: [String], interface: String) async throws {
        try await Self.expect(interface, arguments)
    }

    @Test("An address of this machine's own is reached over the loopback, and its neighbour is not", .needsRoot)
    func own() async throws {
        let namespace = try NetworkNamespace()
        try namespace.run("ip", ["addr", "add", "10.9.9.1/32", "dev", "lo"])
        try await Self.expect("lo", ["tcp:0=10.9.9.1:9"], launcher: namespace.launcher)
        try await Self.expect("any", ["tcp:0=10.9.9.2:9"], launcher: namespace.launcher)
    }
}
