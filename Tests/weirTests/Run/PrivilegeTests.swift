import Foundation
import Support
import Testing

@Suite("Programs that lose their privileges under weir run", .serialized, .tags(.network), .timeLimit(.minutes(1)))
struct PrivilegeTests {
    private static let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    private let folder: TemporaryFolder
    /// Whether the folder's file system gives privileges at all.
    private let givesPrivileges: Bool

    init() throws {
        folder = try TemporaryFolder()
        chmod(folder.path, 0o755)
        var status = statvfs()
        givesPrivileges = statvfs(folder.path, &status) == 0 && status.f_flag & UInt(ST_NOSUID) == 0
    }

    /// Makes a program that does nothing.
    private func program(_ name: String, _ mode: mode_t, owner: uid_t = 0, _ text: String? = nil) throws {
        let bytes = try text.map { Array($0.utf8) } ?? TemporaryFolder.read("/bin/true")
        let path = try folder.file(name, bytes)
        chown(path, owner, 0)
        chmod(path, mode)
    }

    /// Runs a command under watch, and returns its status and what Weir said about privileges.
    private func lines(
        _ command: [String],
        launcher: [String] = nobody
    ) async throws -> (status: Int32, lines: [String]) {
        let ended = try await WeirProgram(["run", "--show", "none", "--"] + command, launcher: launcher, seconds: 50)
            .finish()
        let lines = ended.errors.split(separator: "\n").map(String.init)
        return (ended.status, lines.filter { $0.contains("without its privileges") })
    }

    private func line(_ name: String, _ privileges: String) -> [String] {
        let line = "weir: \(name) runs without its privileges (\(privileges)), as a watched program cannot gain any"
        return givesPrivileges ? ["\(line); run weir as root to keep them"] : []
    }

    @Test(
        "A file that would give privileges is named, and one that would give none is not",
        .needsRoot,
        .needsProgram("setpriv"),
        arguments: [
            (0o4755, 0, nil, "set-user-id"), (0o6755, 0, nil, "set-user-id, set-group-id"),
            (0o2755, 0, nil, "set-group-id"),
            (0o755, 0, nil, nil), (0o2705, 0, nil, nil), (0o4755, 65_534, nil, nil), (0o4755, 0, "#!/bin/sh\n", nil),
        ] as [(mode_t, uid_t, String?, String?)]
    )
    func files(mode: mode_t, owner: uid_t, text: String?, privileges: String?) async throws {
        try program("tool", mode, owner: owner, text)
        let path = folder.path + "/tool"
        let expected = privileges.map { line("tool", $0) } ?? []
        // As the command itself, and by a shell.
        for command in [[path], ["sh", "-c", "\(path); \(path); true"]] {
            let user = try await lines(command)
            #expect(user.status == 0 && user.lines == expected)
            let root = try await lines(command, launcher: [])
            #expect(root.status == 0 && root.lines.isEmpty)
        }
    }

    @Test(
        "The file is found however the program names it, and each file is named once",
        .needsRoot,
        .needsProgram("setpriv"),
        .needsProgram("python3"),
        arguments: [
            "cd FOLDER; ./tool; ./tool", "cd FOLDER; cd ..; NAME/tool", "PATH=FOLDER; tool",
            "exec FOLDER//../NAME/tool",
            "python3 -I -c 'import os; os.execve(os.open(\"FOLDER/tool\", os.O_RDONLY), [\"x\"], {})'",
            "nice FOLDER/tool; env FOLDER/tool",
        ]
    )
    func names(script: String) async throws {
        try program("tool", 0o4755)
        let name = String(folder.path.split(separator: "/").last ?? "")
        let text = script.replacingOccurrences(of: "FOLDER", with: folder.path).replacingOccurrences(
            of: "NAME",
            with: name
        )
        #expect(try await lines(["sh", "-c", text + "; true"]).lines == line("tool", "set-user-id"))
    }

    @Test(
        "A file with capabilities is named",
        .needsRoot,
        .needsProgram("setpriv"),
        .needsProgram("setcap"),
        arguments: ["cap_net_raw+ep", "cap_net_raw+p"]
    )
    func capabilities(text: String) async throws {
        try program("tool", 0o755)
        let set = try ChildProgram.run("setcap", [text, folder.path + "/tool"])
        guard set.status == 0 else { return }
        #expect(try await lines(["sh", "-c", "\(folder.path)/tool; true"]).lines == line("tool", "file capabilities"))
    }

    @Test("A command that cannot be executed ends as ever", .needsRoot, .needsProgram("setpriv"))
    func notExecutable() async throws {
        try program("text", 0o755, "no program\n")
        for launcher in [[], Self.nobody] {
            #expect(try await lines([folder.path + "/text"], launcher: launcher).status == 126)
            #expect(try await lines([folder.path + "/none"], launcher: launcher).status == 127)
            #expect(try await lines(["sh", "-c", "\(folder.path)/none"], launcher: launcher).status == 127)
        }
    }

    @Test("Hundreds of programs start at once", .needsRoot, .needsProgram("setpriv"))
    func many() async throws {
        let script = "for i in $(seq 300); do /bin/echo $i & done; wait"
        let weir = try WeirProgram(
            ["run", "--show", "none", "--", "sh", "-c", script],
            launcher: Self.nobody,
            seconds: 50
        )
        let ended = try await weir.finish()
        let numbers = String(decoding: ended.output, as: UTF8.self).split(separator: "\n").compactMap { Int($0) }
        #expect(ended.status == 0 && !ended.errors.contains("weir: ") && numbers.sorted() == Array(1...300))
    }
}
