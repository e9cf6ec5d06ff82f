import Foundation
import Support
import Testing

@Suite("Searching captures", .tags(.capture), .timeLimit(.minutes(1)))
struct SearchShowTests {
    private let folder: TemporaryFolder
    private let path: String

    /// Makes a capture with three flows: one with two requests, of which the second is not found; one that is refused; and
    /// one of plain bytes in two segments.
    init() throws {
        folder = try TemporaryFolder()
        var capture = MadeCapture()
        var (up, down) = (1, 1)
        capture.tcp((40_000, 80), flags: 2, sequence: 0, at: 1)
        capture.tcp((40_000, 80), isDown: true, flags: 2, sequence: 0, at: 2)
        let exchanges = [
            ("GET /a HTTP/1.1\r\nHost: one.example\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("GET /b HTTP/1.1\r\nHost: two.example\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        ]
        for (index, (request, answer)) in exchanges.enumerated() {
            capture.tcp((40_000, 80), flags: 8, sequence: up, request, at: 10 * index + 3)
            capture.tcp((40_000, 80), isDown: true, flags: 8, sequence: down, answer, at: 10 * index + 4)
            up += request.utf8.count
            down += answer.utf8.count
        }
        capture.tcp((40_001, 81), flags: 2, sequence: 0, at: 30)
        capture.tcp((40_001, 81), isDown: true, flags: 4, sequence: 0, at: 31)
        capture.tcp((40_002, 82), flags: 2, sequence: 0, at: 40)
        capture.tcp((40_002, 82), flags: 8, sequence: 1, "a nee", at: 41)
        capture.tcp((40_002, 82), flags: 8, sequence: 6, "dle\r\n", at: 42)
        path = try folder.file("made.pcap", capture.bytes)
    }

    private func show(_ arguments: String...) async throws -> (status: Int32, output: String, errors: String) {
        let ended = try await WeirProgram(["show", path] + arguments).finish()
        return (ended.status, String(decoding: ended.output, as: UTF8.self), ended.errors)
    }

    /// Returns a member of each object that is shown.
    private func members(_ name: String, _ arguments: String...) async throws -> [String] {
        let ended = try await WeirProgram(["show", path, "--json"] + arguments).finish()
        #expect(ended.status == 0 && ended.errors == "")
        return try LogLines(ended.output).objects.map { "\($0[name] ?? "-")" }
    }

    @Test(
        "Chooses flows by what their messages say, and by their bytes",
        arguments: [
            ("http", ["1"]), ("status = 404 and path /b", ["1"]), ("status = 404 and path /a", []),
            ("error", ["1", "2"]),
            ("not error", ["3"]), ("host two.example", ["1"]), ("contains needle", ["3"]), ("close refused", ["2"]),
            ("matches /needle$/", ["3"]),
        ]
    )
    func flows(_ query: String, _ numbers: [String]) async throws {
        #expect(try await members("flow", "--where", query) == numbers)
    }

    @Test("Chooses messages with the requests that they answer, and the packets in which they end")
    func messages() async throws {
        let found = ["GET /b two.example", "404 Not Found"]
        #expect(try await members("summary", "--messages", "--where", "status >= 400") == found)
        #expect(try await members("summary", "--messages", "--where", "path /a") == ["GET /a one.example", "200 OK"])
        #expect(try await members("packet", "--packets", "--where", "status >= 400") == ["6"])
        #expect(try await members("packet", "--packets", "--where", "contains needle") == ["11"])
    }

    @Test("Shows where bytes are, also across segments")
    func grep() async throws {
        #expect(try await members("offset", "--grep", "needle") == ["2"])
        #expect(try await members("offset", "--grep", "/[a-z]+\\.example/") == ["23", "61"])
        let (status, output, _) = try await show("--grep", "hex:6e6565646c65")
        #expect(status == 0 && output.hasSuffix(" #3 up    @2  a needle\\r\\n\n"), "\(output)")
        #expect(try await show("--grep", "nothing").output == "")
        #expect(try await members("flow", "--grep", "example", "--flow", "3") == [])
    }

    @Test("Shows what went wrong")
    func errors() async throws {
        #expect(try await members("flow", "--errors") == ["1", "2"])
        let output = try await show("--errors").output
        #expect(output.contains(" #1 http 404 Not Found, to GET /b two.example  0.00 ms\n"), "\(output)")
        #expect(output.contains(" #2 refused  10.0.0.1:40001 "), "\(output)")
        #expect(try await members("close", "--errors", "--where", "port 81") == ["refused"])
    }

    @Test(
        "A query chooses what went wrong: the message that fits, or the flow whose failure does",
        arguments: [
            ("status = 404", ["404 Not Found"]), ("status = 200", []), ("path /a", []), ("path /b", ["404 Not Found"]),
            ("error", ["404 Not Found", "-"]), ("error and http", ["404 Not Found"]), ("not http", ["-"]),
            ("close refused", ["-"]), ("close refused and error", ["-"]), ("close refused and http", []),
            ("port 80 and error", ["404 Not Found"]), ("took < 1s and status > 0", ["404 Not Found"]),
            ("host one.example", []), ("contains two.example and error", ["404 Not Found"]),
        ]
    )
    func chosenErrors(_ query: String, _ summaries: [String]) async throws {
        #expect(try await members("summary", "--errors", "--where", query) == summaries)
    }

    @Test(
        "A query chooses the requests that are counted, and the flows that have them",
        arguments: [
            ("status = 404", ["1", "GET /b"]), ("method GET", ["1", "GET /a", "GET /b"]), ("status = 500", []),
            ("path /a and took < 1s", ["1", "GET /a"]), ("port 81", ["2"]),
            ("bytes > 20 and path /b", ["1", "GET /b"]),
            ("bytes > 2000 and path /b", []), ("not status = 404", ["1", "GET /a"]),
        ]
    )
    func chosenStatistics(_ query: String, _ rows: [String]) async throws {
        let ended = try await WeirProgram(["show", path, "--json", "--stats", "0", "--where", query]).finish()
        #expect(ended.status == 0 && ended.errors == "")
        let found = try LogLines(ended.output).objects.map { "\($0["flow"] ?? $0["request"] ?? "-")" }
        #expect(found == rows)
    }

    @Test(
        "A search shows what is in the flows that fit, also if only their ends tell",
        arguments: [
            ("status = 404", ["26", "64"]), ("error and port 82", []), ("close open and http", ["26", "64"]),
            ("bytes > 2000", []), ("port 80", ["26", "64"]), ("contains needle", []),
        ]
    )
    func chosenMatches(_ query: String, _ offsets: [String]) async throws {
        #expect(try await members("offset", "--grep", ".example", "--where", query) == offsets)
    }

    @Test(
        "Marks the mistake in a query, and says what is wrong with a pattern",
        arguments: [
            (["--where", "tcp and prt 80"], "did you mean 'port'?\n  tcp and prt 80\n          ^^^\n"),
            (["--grep", "hex:1"], "--grep: 'hex:1': bytes in hex have two digits each\n"),
            (["--grep", "/(/"], "'(' has no ')'; write \\( for the character\n"),
            (["--where", "proxy web"], "a capture does not name routes; ask for the port of the listener\n"),
        ]
    )
    func refusals(_ arguments: [String], _ end: String) async throws {
        let ended = try await WeirProgram(["show", path] + arguments).finish()
        #expect(ended.status == 64 && ended.errors.hasSuffix(end), "\(ended.errors)")
    }

    @Test(
        "The relay refuses queries that it cannot answer",
        arguments: [
            (["--only", "prt 80"], "did you mean 'port'?\n  prt 80\n  ^^^\n"),
            (["--only", "packets > 5"], "a relay sees no packets; ask for bytes, bytes_up or bytes_down\n"),
            (
                ["--only", "process curl", "--no-processes"],
                "'process' needs the search for processes, which --no-processes turns off\n"
            ),
        ]
    )
    func relay(_ arguments: [String], _ end: String) async throws {
        let ended = try await WeirProgram(["relay", "tcp:0=127.0.0.1:1"] + arguments).finish()
        #expect(ended.status == 64 && ended.errors.hasSuffix(end), "\(ended.errors)")
    }
}
