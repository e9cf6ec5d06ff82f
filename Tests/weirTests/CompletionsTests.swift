import Support
import Testing
import WeirEngine

@Suite("Shell completions", .tags(.slow), .timeLimit(.minutes(1)))
struct CompletionsTests {
    /// Asks bash what it would complete the last of some words to, in a folder with one file.
    private static func complete(_ words: [String]) async throws -> [Substring] {
        let folder = try TemporaryFolder()
        _ = try folder.file("proxies.json", Array("[]".utf8))
        let program = try WeirProgram.path()
        let script = """
            PATH=$(dirname "\(program)"):$PATH
            source <("\(program)" --generate-completion-script bash)
            COMP_WORDS=(weir \(words.map { "'\($0)'" }.joined(separator: " ")))
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            COMP_LINE="${COMP_WORDS[*]}"
            COMP_POINT=${#COMP_LINE}
            $(complete -p weir | sed 's/.*-F \\([^ ]*\\).*/\\1/') weir "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let ended = try await runThread {
            try ChildProgram.run("env", ["-C", folder.path, "bash", "--norc", "-c", script])
        }
        #expect(ended.status == 0, "\(ended.output)")
        return ended.output.split(separator: "\n").map { $0.last == " " ? $0.dropLast() : $0 }
    }

    @Test("bash completes commands, options, choices and files")
    func completesInBash() async throws {
        #expect(try await Self.complete(["to"]) == ["toxic"])
        let commands = try await Self.complete(["toxic", ""])
        #expect(
            commands.filter { !$0.hasPrefix("-") } == ["list", "add", "update", "remove", "inspect", "reset", "hold"]
        )
        #expect(try await Self.complete(["relay", "--adm"]) == ["--admin", "--admin-token-file"])
        #expect(
            try await Self.complete(["relay", "--show", ""]) == [
                "hex", "text", "messages", "summary", "ports", "text2pcap", "none",
            ]
        )
        #expect(try await Self.complete(["relay", "--proxies", "pro"]) == ["proxies.json"])
        let types = try await Self.complete(["toxic", "add", "tcp-9000", ""])
        #expect(types.filter { !$0.hasPrefix("-") } == Toxics.all.map { Substring($0.name) })
    }

    @Test("There are scripts for zsh and fish too, which their shells can read where they are installed")
    func generates() async throws {
        for (shell, first) in [("zsh", "#compdef weir"), ("fish", "function __weir")] {
            let folder = try TemporaryFolder()
            let program = try WeirProgram.path()
            let ended = try await runThread {
                try ChildProgram.run("env", [program, "--generate-completion-script", shell])
            }
            #expect(ended.status == 0 && ended.output.hasPrefix(first), "\(ended.output.prefix(80))")
            guard ChildProgram.exists(shell) else { continue }
            let file = try folder.file("script", Array(ended.output.utf8))
            let checked = try await runThread { try ChildProgram.run(shell, ["-n", file]) }
            #expect(checked.status == 0, "\(checked.output)")
        }
    }
}
