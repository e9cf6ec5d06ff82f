import Glibc
import Support
import Testing

@Suite("Signals", .timeLimit(.minutes(1)))
struct SignalsTests {
    /// Starts a program that shows a packet and waits for more.
    private static func start(launcher: [String] = []) throws -> WeirProgram {
        var capture = MadeCapture()
        capture.udp((5000, 9), "one")
        let program = try WeirProgram(["show", "-", "--packets"], launcher: launcher)
        try program.write(capture.bytes)
        _ = try program.readOutput(through: "\n")
        return program
    }

    /// Returns the signals that a program ignores.
    private static func ignored(by program: WeirProgram) throws -> Set<Int32> {
        let bytes = try TemporaryFolder.read("/proc/\(program.identifier)/status")
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("SigIgn:\t") })
        let mask = try #require(UInt64(line.dropFirst(8), radix: 16))
        return Set((1...31).filter { mask & 1 << UInt64($0 - 1) != 0 })
    }

    @Test(
        "Where nothing else is to be done, a signal ends it as it ends any program",
        arguments: [SIGINT, SIGTERM, SIGHUP]
    )
    func ends(by signal: Int32) async throws {
        let ended = try await Self.start().stop(signal)
        #expect(ended.status == -signal && ended.errors == "")
    }

    @Test("Of what its parent ignores it ignores only a hang-up; a closed pipe and a full file are errors of a write")
    func dispositions() throws {
        let ignoring = ["sh", "-c", "trap '' INT TERM QUIT HUP; exec \"$0\" \"$@\""]
        for (launcher, hangUp) in [([], false), (ignoring, true)] as [([String], Bool)] {
            let program = try Self.start(launcher: launcher)
            let ignored = try Self.ignored(by: program)
            #expect(ignored.isSuperset(of: [SIGPIPE, SIGXFSZ]) && ignored.contains(SIGHUP) == hangUp)
            #expect(ignored.isDisjoint(with: [SIGINT, SIGTERM, SIGQUIT]))
        }
    }
}
