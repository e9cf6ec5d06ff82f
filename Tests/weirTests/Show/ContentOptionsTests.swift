import ArgumentParser
import Testing

@testable import weir

@Suite("The options of weir show for statistics and contents")
struct ContentOptionsTests {
    private static let beside = "is a view of its own: it has no other one beside it."

    @Test(
        "Options that exclude each other are refused with the reason",
        arguments: [
            (["x", "--stats"], nil), (["x", "--stats", "5", "--json"], nil), (["--stats", "x"], nil),
            (["x", "--stats", "0", "--flow", "1", "--where", "tcp"], nil), (["--stats", "--json", "x"], nil),
            (["x", "--export", "d", "--flow", "1", "--where", "tcp"], nil), (["x", "--har", "h"], nil),
            (["x", "--curl", "3"], nil), (["x", "--curl", "3.2"], nil),
            (["--stats"], "Missing expected argument '<file> ...'"),
            (
                ["x", "--stats", "y"],
                "--stats takes a number of rows; put it after the files, or give it the number."
            ),
            (["x", "--export", "d", "--har", "h"], "--stats, --export, --har and --curl exclude each other."),
            (["x", "--stats", "--messages"], "--stats \(beside)"),
            (["x", "--curl", "1", "--summary"], "--curl \(beside)"),
            (["x", "--har", "h", "--json"], "--json is not for --har."),
            (
                ["x", "--curl", "1", "--flow", "1"],
                "--curl takes the number of a flow, so --flow and --where have no place."
            ),
            (
                ["x", "--stats", "--sort", "bytes"],
                "--sort and --reverse are for the flows, and --sort took for --messages."
            ),
            (["x", "--stats", "--leg", "client"], "--leg is for --messages, --packets, --follow and --grep."),
        ] as [([String], String?)]
    )
    func refuses(arguments: [String], reason: String?) {
        #expect(refusal(ShowCommand.self, arguments) == reason)
    }

    @Test("What follows --stats is the number of rows, or the file")
    func rows() throws {
        func parse(_ words: [String]) throws -> (Int?, [String]) {
            let command = try ShowCommand.parse(words)
            return (command.contents.stats?.limit, command.contents.files(command.files))
        }
        #expect(try parse(["x", "--stats", "7"]) == (7, ["x"]))
        #expect(try parse(["x", "--stats"]) == (nil, ["x"]))
        #expect(try parse(["--stats", "x"]) == (nil, ["x"]))
        #expect(try parse(["--stats", "7", "x", "y"]) == (7, ["x", "y"]))
    }

    @Test(
        "The requests of a flow, or one of them, are asked for by their numbers",
        arguments: [
            ("3", CurlChoice(flow: 3)), ("3.2", CurlChoice(flow: 3, request: 2)), ("0", nil), ("3.0", nil), ("-1", nil),
            ("", nil), ("3.", nil), (".2", nil), ("3.2.1", nil), ("x", nil),
        ] as [(String, CurlChoice?)]
    )
    func choices(text: String, choice: CurlChoice?) {
        #expect(CurlChoice(argument: text) == choice)
    }
}
