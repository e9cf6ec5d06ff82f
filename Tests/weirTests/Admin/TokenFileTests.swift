import Glibc
import Support
import Testing

/// What `--admin-token-file` and `weir toxic --token-file` refuse.
@Suite("The file of the control API's token", .tags(.network), .timeLimit(.minutes(1)))
struct TokenFileTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func file(_ text: String, mode: mode_t = 0o600) throws -> String {
        let path = try folder.file("token", Array(text.utf8))
        #expect(chmod(path, mode) == 0)
        return path
    }

    private func relay(_ path: String) throws -> WeirProgram {
        try WeirProgram(["relay", "--admin", "127.0.0.1:0", "--admin-token-file", path, "--show", "none"])
    }

    @Test(
        "A file that every user can read or write is refused with 64, and what to do is said",
        arguments: [(0o604, "read"), (0o644, "read"), (0o666, "read"), (0o602, "write"), (0o646, "read")]
    )
    func openToEverybody(mode: Int, right: String) async throws {
        let path = try file("0123456789abcdef\n", mode: mode_t(mode))
        let message = "weir: '\(path)' holds a secret, and every user can \(right) it; run: chmod o= '\(path)'\n"
        let ended = try await relay(path).finish()
        #expect(ended.status == 64)
        #expect(ended.errors == message)
        // So is the other end's file: it holds the same secret.
        let client = try await WeirProgram(["toxic", "list", "--url", "http://127.0.0.1:9", "--token-file", path])
            .finish()
        #expect(client.status == 64)
        #expect(client.errors == message)
    }

    @Test(
        "A token of under 16 characters is refused with 64",
        arguments: [("0123456789abcde", 15), ("secret", 6), ("x", 1)]
    )
    func short(token: String, length: Int) async throws {
        let path = try file(token + "\n")
        let ended = try await relay(path).finish()
        #expect(ended.status == 64)
        #expect(
            ended.errors == "weir: --admin-token-file '\(path)': a token of \(length) characters can be guessed: "
                + "it needs 16 or more, as from 'openssl rand -hex 16'\n"
        )
    }

    @Test("A file of its owner's, or of a group's, with 16 characters is taken", arguments: [0o600, 0o400, 0o640])
    func taken(mode: Int) async throws {
        let program = try relay(try file("0123456789abcdef\n", mode: mode_t(mode)))
        #expect(try program.readErrorLine().hasPrefix("listening admin "))
        #expect(try await program.stop().status == 0)
    }
}
