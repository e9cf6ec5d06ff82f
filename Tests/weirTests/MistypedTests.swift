import Support
import Testing

@Suite("Mistyped words", .timeLimit(.minutes(1)))
struct MistypedTests {
    private static let route = "tcp:0=127.0.0.1:9"

    @Test(
        "What was probably meant is said, with 64",
        arguments: [
            (["shwo"], "There is no command 'shwo'. Did you mean 'show'? The commands are run, relay, echo, "),
            (["help", "shwo"], "There is no command 'shwo'. Did you mean 'show'?"),
            (["shwo", "--help"], "There is no command 'shwo'. Did you mean 'show'?"),
            (["hepl"], "There is no command 'hepl'. Did you mean 'help'?"),
            (["relya", route], "There is no command 'relya'. Did you mean 'relay'?"),
            (["cap"], "There is no command 'cap'. Did you mean 'capture'?"),
            (["nothing"], "There is no command 'nothing'. The commands are run, relay, "),
            (["toxic", "ad", "a", "b"], "There is no command 'toxic ad'. Did you mean 'add'? The commands are "),
            (["toxic", "lsit"], "\nUsage: weir toxic <subcommand>\n  See 'weir toxic --help' for more information.\n"),
            (["shwo"], "\nUsage: weir <subcommand>\n  See 'weir --help' for more information.\n"),
            (["toxic", "lsit"], "Did you mean 'list'?"), (["show", "--pakets", "x"], "Did you mean '--packets'?"),
            (["show", "x", "--sort", "byte"], "  - bytes"),
            (["relay", "--overflow", "wiat", route], "Please provide one of 'wait' and 'drop'."),
            (["relay", "--toxic", "latncy,down", route], "there is no toxic 'latncy'; did you mean 'latency'? The "),
            (["relay", "--toxic", "latency,latncy=5", route], "it has latency, jitter; did you mean 'latency'?"),
            (["toxic", "add", "x", "slicr"], "did you mean 'slicer'?"),
            (
                ["show", "x", "--where", "prot 5"],
                "--where: 'prot' is not a word of queries; did you mean 'port'?\n  prot 5\n  ^^^^\n"
            ),
            (["show", "x", "--where", "close client_rset"], "did you mean 'client_reset'?"),
            (["show", "x", "--where", "bytes_dwon > 5"], "did you mean 'bytes_down'?"),
        ]
    )
    func suggestions(arguments: [String], message: String) async throws {
        let ended = try await WeirProgram(arguments).finish()
        #expect(ended.status == 64)
        #expect(ended.errors.contains(message), "\(ended.errors)")
        #expect(ended.output == [])
    }

    @Test(
        "Words that are right stay right",
        arguments: [["help", "show"], ["help"], ["show", "--help"], ["--version"]]
    )
    func right(arguments: [String]) async throws {
        let ended = try await WeirProgram(arguments).finish()
        #expect(ended.status == 0 && ended.errors == "" && !ended.output.isEmpty)
    }
}
