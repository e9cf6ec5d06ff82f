import Support
import Testing

@testable import weir

@Suite("The shell of weir run")
struct RunShellTests {
    private static func shell(_ variables: [String: String], isRoot: Bool = false) -> RunShell {
        RunShell(isRoot: isRoot) { variables[$0] }
    }

    @Test("It is the user's, or else sh", arguments: [(nil, "/bin/sh"), ("", "/bin/sh"), ("/bin/x", "/bin/x")])
    func path(variable: String?, path: String) {
        #expect(Self.shell(variable.map { ["SHELL": $0] } ?? [:]).path == path)
    }

    @Test(
        "Its prompt has the mark, once",
        arguments: [
            ([:], "PS1=(weir) $ "), (["PS1": "> "], "PS1=(weir) > "), (["PS1": "(weir) > "], "PS1=(weir) > "),
            (["SHELL": "/bin/dash", "PS1": ""], "PS1=(weir) "), (["SHELL": "/usr/bin/zsh"], "PS1=(weir) %m%# "),
            (["SHELL": "/usr/bin/fish"], nil), (["SHELL": "/bin/bash", "PROMPT_COMMAND": "x \"(weir) \""], nil),
        ] as [([String: String], String?)]
    )
    func prompt(variables: [String: String], setting: String?) {
        #expect(Self.shell(variables).environment == ["WEIR_RUN=1"] + (setting.map { [$0] } ?? []))
    }

    @Test("Root's prompt ends as root's do")
    func root() { #expect(Self.shell([:], isRoot: true).environment.last == "PS1=(weir) # ") }

    @Test(
        "bash puts the mark before each prompt, after the user's own command for it",
        arguments: [
            (nil, "$ ", "(weir) $ "), (nil, "(weir) $ ", "(weir) $ "), ("PS1='new> '", "old> ", "(weir) new> "),
            ("PS1='new> ';  ", "old> ", "(weir) new> "), ("", "$ ", "(weir) $ "),
        ] as [(String?, String, String)]
    )
    func bash(command: String?, prompt: String, marked: String) async throws {
        let variables = ["SHELL": "/bin/bash", "PROMPT_COMMAND": command].compactMapValues { $0 }
        let setting = try #require(Self.shell(variables).environment.last)
        #expect(setting.hasPrefix("PROMPT_COMMAND="))
        let script = "PS1=$1; eval \"$PROMPT_COMMAND\"; eval \"$PROMPT_COMMAND\"; printf %s \"$PS1\""
        let ended = try await runThread {
            try ChildProgram.run("env", [setting, "bash", "--norc", "-c", script, "bash", prompt])
        }
        #expect(ended.status == 0 && ended.output == marked)
    }
}
