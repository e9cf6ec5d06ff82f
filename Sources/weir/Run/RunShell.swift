import Glibc

/// The shell that `weir run` starts without a command.
///
/// Its prompt gets a mark, as a reminder that its programs are watched. Only variables are changed, no files: a prompt
/// that the user's files set afterwards wins, but in bash, where PROMPT_COMMAND puts the mark before it each time.
/// fish takes no prompt from a variable; WEIR_RUN=1 lets a user's own prompt tell.
struct RunShell {
    /// The mark before the prompt.
    static let mark = "(weir) "

    /// The shell.
    var path: String
    /// The shell's variables besides those of Weir: `NAME=VALUE`.
    var environment = ["WEIR_RUN=1"]

    /// Chooses `$SHELL`, or else /bin/sh.
    ///
    /// - Parameters:
    ///   - isRoot: whether the user is root, whose prompt ends with '#'.
    ///   - variable: returns the value of a variable of Weir.
    init(isRoot: Bool = geteuid() == 0, variable: (String) -> String? = RunShell.variable) {
        path = variable("SHELL").flatMap { $0.isEmpty ? nil : $0 } ?? "/bin/sh"
        let name = path.split(separator: "/").last.map(String.init) ?? path
        switch name {
        case "fish": break
        case "bash":
            // After what is there, which may set the prompt anew each time.
            var commands = variable("PROMPT_COMMAND") ?? ""
            while let last = commands.last, last == ";" || last.isWhitespace { commands.removeLast() }
            guard !commands.contains(Self.mark) else { break }
            let marking = "case $PS1 in \"\(Self.mark)\"*) ;; *) PS1=\"\(Self.mark)$PS1\" ;; esac"
            environment.append("PROMPT_COMMAND=\(commands.isEmpty ? "" : commands + "; ")\(marking)")
        default:
            let prompt = variable("PS1") ?? (name == "zsh" ? "%m%# " : isRoot ? "# " : "$ ")
            environment.append("PS1=\(prompt.hasPrefix(Self.mark) ? "" : Self.mark)\(prompt)")
        }
    }

    /// Returns the value of a variable of Weir.
    static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
