import ArgumentParser
import Testing
import WeirAnalysis
import WeirWire

@testable import weir

@Suite("The options of weir show")
struct ShowCommandTests {
    @Test(
        "Options that exclude or need each other are refused with the reason",
        arguments: [
            (["x"], nil), (["x", "-"], nil), (["-", "-"], "Standard input can be read once."),
            (["x", "--packets", "--hex", "--flow", "1", "--where", "tcp", "--json"], nil),
            (["x", "--messages", "--fields", "--flow", "1", "--where", "tcp"], nil),
            (["x", "--summary", "--json"], nil),
            (["x", "--follow", "1", "--as", "hex", "--only", "up", "--overlap", "last"], nil),
            (["x", "--sort", "bytes", "--reverse", "--where", "tcp", "--flow", "1"], nil), (["--dissectors"], nil),
            (["x", "--packets", "--summary"], "--packets, --messages, --follow and --summary exclude each other."),
            (
                ["x", "--messages", "--follow", "1"],
                "--packets, --messages, --follow and --summary exclude each other."
            ),
            (["x", "--dissectors"], "--dissectors reads no capture."),
            (["--packets"], "Missing expected argument '<file> ...'"),
            (["x", "--fields"], "--fields needs --messages."),
            (["x", "--fields", "--packets"], "--fields needs --messages."),
            (["x", "--hex"], "--hex needs --packets."), (["x", "--as", "hex"], "--as and --only need --follow."),
            (["x", "--only", "up"], "--as and --only need --follow."),
            (["x", "--overlap", "last"], "--overlap needs --follow."),
            (["x", "--overlap", "first"], nil),
            (["x", "--follow", "1", "--json", "--as", "raw"], "--json and --as exclude each other."),
            (["x", "--follow", "1", "--json"], nil),
            (
                ["x", "--packets", "--sort", "bytes"],
                "--sort and --reverse are for the flows, and --sort took for --messages."
            ),
            (
                ["x", "--messages", "--reverse"],
                "--sort and --reverse are for the flows, and --sort took for --messages."
            ),
            (
                ["x", "--follow", "1", "--reverse"],
                "--sort and --reverse are for the flows, and --sort took for --messages."
            ),
            (
                ["x", "--summary", "--reverse"],
                "--sort and --reverse are for the flows, and --sort took for --messages."
            ),
            (
                ["x", "--summary", "--where", "tcp"],
                "--flow and --where are not for --follow and --summary."
            ),
            (
                ["x", "--follow", "1", "--flow", "1"],
                "--flow and --where are not for --follow and --summary."
            ),
            (["x", "--grep", "a", "--flow", "1", "--where", "tcp", "--json", "--leg", "client"], nil),
            (["x", "--errors", "--where", "http", "--json"], nil),
            (["x", "--grep", "a", "--errors"], "--grep is a view of its own: it has no other one beside it."),
            (["x", "--errors", "--messages"], "--errors is a view of its own: it has no other one beside it."),
            (["x", "--errors", "--leg", "client"], "--leg is not for --errors."),
            (["x", "--sort", "took", "--limit", "3", "--reverse"], nil), (["x", "--limit", "3", "--json"], nil),
            (["x", "--messages", "--sort", "took", "--limit", "3", "--fields", "--json"], nil),
            (
                ["x", "--messages", "--sort", "took", "--reverse"],
                "--sort and --reverse are for the flows, and --sort took for --messages."
            ),
            (["x", "--messages", "--limit", "3"], "--limit is for the flows, and for --messages --sort took."),
            (["x", "--errors", "--limit", "3"], "--limit is for the flows, and for --messages --sort took."),
            (["x", "--limit", "0"], "--limit takes a number of rows, from 1."),
            (["x", "--flow", "0"], "--flow takes the number of a flow, from 1."),
            (["x", "--follow", "0"], "--follow takes the number of a flow, from 1."),
        ] as [([String], String?)]
    )
    func refuses(arguments: [String], reason: String?) {
        #expect(refusal(ShowCommand.self, arguments) == reason)
    }

    private static func query(_ arguments: [String]) -> String {
        do {
            let query = try ShowCommand.parse(["x"] + arguments).query()
            return query.map { "\($0)" } ?? "none"
        } catch {
            guard let failure = error as? Failure else { return "\(error)" }
            return "\(failure.code.rawValue) \(failure.message)"
        }
    }

    @Test("A query and a flow's number are one query; live views ask for nothing that only the end tells")
    func queries() throws {
        #expect(Self.query([]) == "none")
        #expect(Self.query(["--flow", "3"]) == "\(FlowQuery.number(3))")
        let tcp = try FlowQuery(parsing: "tcp")
        #expect(Self.query(["--where", "tcp"]) == "\(tcp)")
        #expect(Self.query(["--where", "tcp", "--flow", "3"]) == "\(FlowQuery.and(tcp, .number(3)))")
        #expect(Self.query(["--where", "nonsense"]).hasPrefix("64 --where: "))
        let late = "a query cannot ask for what is known only when a flow has ended"
        #expect(Self.query(["--packets", "--where", "bytes > 5"]) == "64 --where: with --packets \(late)")
        #expect(Self.query(["--messages", "--where", "bytes > 5"]) == "64 --where: with --messages \(late)")
        #expect(Self.query(["--export", "d", "--where", "bytes > 5"]) == "64 --where: with --export \(late)")
        #expect(Self.query(["--har", "h", "--where", "close reset"]) == "64 --where: with --har \(late)")
        for text in ["http", "bytes > 5", "close reset or status = 500", "not (error and bytes > 5)"] {
            #expect(!Self.query(["--grep", "x", "--where", text]).hasPrefix("64"), "\(text)")
        }
        for text in ["error", "close reset and (status = 500 or not http)", "bytes > 5 or close reset", "contains x"] {
            #expect(!Self.query(["--stats", "5", "--where", text]).hasPrefix("64"), "\(text)")
            #expect(!Self.query(["--errors", "--where", text]).hasPrefix("64"), "\(text)")
        }
        for text in [
            "close reset or status = 500", "not (error and bytes > 5)", "tcp and (contains x or duration > 1s)",
        ] {
            #expect(
                Self.query(["--stats", "5", "--where", text]).hasPrefix("64 --where: with --stats what"),
                "\(text)"
            )
            #expect(Self.query(["--errors", "--where", text]).hasPrefix("64 --where: with --errors what"), "\(text)")
            #expect(!Self.query(["--where", text]).hasPrefix("64"), "\(text)")
        }
        #expect(!Self.query(["--har", "h", "--where", "status = 500 and contains x"]).hasPrefix("64"))
        #expect(Self.query(["--where", "proxy web"]).hasPrefix("64 --where: a capture does not name routes"))
        #expect(!Self.query(["--packets", "--where", "status > 399"]).hasPrefix("64"))
        #expect(!Self.query(["--where", "bytes > 5"]).hasPrefix("64"))
        #expect(!Self.query(["--packets", "--where", "port 5"]).hasPrefix("64"))
    }

    @Test("Up is what clients send, down what servers send")
    func ways() {
        #expect(Way.up.direction == .upstream && Way.down.direction == .downstream)
    }
}
