import Glibc
import Support
import Testing
import WeirWire

/// Where nobody listens on an ephemeral port, the kernel may give a dial that very port: it then meets itself.
///
/// A network namespace in which there is one ephemeral port makes this certain.
@Suite("A dial that meets itself", .serialized, .tags(.network), .timeLimit(.minutes(1)))
struct SelfConnectTests {
    private static let namespace = [
        "unshare", "-n", "sh", "-c",
        "ip link set lo up && echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range && exec \"$0\" \"$@\"",
    ]

    private func start(_ route: String, in folder: TemporaryFolder) throws -> WeirProgram {
        let program = try WeirProgram(
            ["relay", "--show", "none", "--log", folder.path + "/log", route],
            launcher: Self.namespace
        )
        #expect(try program.listening()[0].port == 9000)
        return program
    }

    /// Starts a client in the relay's namespace, on a port of its own.
    private func client(_ options: [String], of program: WeirProgram) throws -> WeirProgram {
        try WeirProgram(
            ["connect", "-p", "50000"] + options + ["127.0.0.1", "9000"],
            launcher: ["nsenter", "-t", "\(program.identifier)", "-n"]
        )
    }

    private func expectRefusal(_ log: LogLines) throws {
        let refused = try #require(log.all("refused").first)
        #expect(log.all("refused").count == 1)
        #expect(refused["client"] as? String == "127.0.0.1:50000")
        #expect(refused["egress"] as? String == "127.0.0.1:40000")
        #expect(refused["server"] as? String == "127.0.0.1:40000")
        #expect((refused["error"] as? String)?.contains("ECONNREFUSED") == true)
        #expect(log.all("close").map { $0["reason"] as? String } == ["refused"])
        #expect(log.all("data").isEmpty)
    }

    @Test("Is reset, and counted as refused", .needsRoot, .needsProgram("unshare"), .needsProgram("ip"))
    func stream() async throws {
        let folder = try TemporaryFolder()
        let program = try start("tcp:9000=127.0.0.1:40000", in: folder)
        let ended = try await client([], of: program).finish(sending: Array("to myself".utf8), closesInput: false)
        // The reset may come while the client still connects.
        #expect(ended.status == 74 || ended.status == 69)
        #expect(ended.output == [])
        let relay = try await program.stop()
        #expect(relay.status == 0)
        #expect(relay.errors.contains("total: 1 tcp flow") && relay.errors.contains("  1 refused"))
        try expectRefusal(try LogLines(try folder.read("log")))
    }

    @Test("Is refused over UDP as well", .needsRoot, .needsProgram("unshare"), .needsProgram("ip"))
    func datagrams() async throws {
        let folder = try TemporaryFolder()
        let program = try start("udp:9000=127.0.0.1:40000", in: folder)
        let ended = try await client(["-u", "-w", "1"], of: program).finish(sending: Array("to myself".utf8))
        #expect(ended.status == 0)
        #expect(ended.output == [])
        let relay = try await program.stop()
        #expect(relay.status == 0)
        #expect(relay.errors.contains(", 1 udp flow ") && relay.errors.contains("  1 refused"))
        let log = try LogLines(try folder.read("log"))
        try expectRefusal(log)
        #expect(log.sum("datagrams", of: "dropped") == 1)
    }
}
