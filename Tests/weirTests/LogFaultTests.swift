import Glibc
import Support
import Testing

@Suite("A log that cannot be made", .serialized, .tags(.network), .timeLimit(.minutes(1)))
struct LogFaultTests {
    private func expect(
        log path: String,
        _ status: Int32,
        _ error: String,
        launcher: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let ended = try await WeirProgram(["relay", "--log", path, "tcp:0=127.0.0.1:9"], launcher: launcher).finish()
        #expect(ended.status == status, sourceLocation: sourceLocation)
        #expect(ended.errors == "weir: cannot write to '\(path)': \(error)\n", sourceLocation: sourceLocation)
        #expect(ended.output == [], sourceLocation: sourceLocation)
    }

    @Test("In a folder that is missing ends with 73")
    func missingFolder() async throws {
        let folder = try TemporaryFolder()
        try await expect(log: folder.path + "/missing/log", 73, "no such file or folder (ENOENT)")
    }

    @Test("In the place of a folder ends with 73")
    func folder() async throws {
        let folder = try TemporaryFolder()
        try await expect(log: folder.path, 73, "folder, not file (EISDIR)")
    }

    @Test("On a disk that is read-only ends with 73", .needsRoot)
    func readOnly() async throws {
        let disk = try SmallDisk(options: "ro")
        try await expect(log: disk.path + "/log", 73, "read-only file system (EROFS)")
    }

    @Test("In a folder of somebody else's ends with 77", .needsRoot, .needsProgram("setpriv"))
    func noRight() async throws {
        try await expect(
            log: "/weir-log",
            77,
            "permission denied (EACCES)",
            launcher: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        )
    }
}
