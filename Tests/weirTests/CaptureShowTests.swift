import Glibc
import Support
import Testing
import WeirWire

@Suite("What weir capture shows", .serialized, .tags(.network, .capture), .timeLimit(.minutes(1)))
struct CaptureShowTests {
    @Test(
        "Packets are lines, with a dump where that is wanted, and nothing where that is wanted",
        .needsRoot,
        arguments: [
            ([], 1, 0), (["--show", "summary"], 1, 0), (["--show", "hex"], 1, 3), (["--show", "none"], 0, 0),
        ]
    )
    func shows(options: [String], lines: Int, rows: Int) async throws {
        let server = try UDPPeer()
        let endpoint = try #require(server.local)
        let client = try UDPPeer(to: endpoint)
        let arguments = ["-i", "lo", "--immediate", "-c", "2"] + options + ["udp", "dst", "port", "\(endpoint.port)"]
        let program = try WeirProgram(["capture"] + arguments)
        #expect(try program.readErrorLine() == "capturing on lo")
        for _ in 0..<2 { try client.send("x") }
        let ended = try await program.finish()
        #expect(ended.status == 0 && ended.errors == "weir: 2 packets captured, 0 dropped by the kernel on lo\n")
        let shown = String(decoding: ended.output, as: UTF8.self).split(separator: "\n")
        let local = try #require(client.local)
        #expect(shown.count { $0.hasSuffix(" udp \(local) -> \(endpoint) 1 B") } == 2 * lines)
        #expect(shown.count { $0.hasPrefix("000000") } == 2 * rows && shown.count == 2 * (lines + rows))
    }

    @Test("A signal ends it, and what it saw is told", .needsRoot, arguments: [SIGINT, SIGTERM])
    func ends(by signal: Int32) async throws {
        let arguments = ["-i", "lo", "udp", "dst", "port", "\(try LoopbackPort.free())"]
        let program = try WeirProgram(["capture"] + arguments)
        #expect(try program.readErrorLine() == "capturing on lo")
        let ended = try await program.stop(signal)
        #expect(ended.status == 0 && ended.output.isEmpty)
        #expect(ended.errors == "weir: 0 packets captured, 0 dropped by the kernel on lo\n")
    }
}
