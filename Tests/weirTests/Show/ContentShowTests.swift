import Foundation
import Support
import Testing
import WeirWire

@Suite("Statistics and contents of captures", .tags(.capture), .timeLimit(.minutes(1)))
struct ContentShowTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func request(_ target: String) -> [UInt8] {
        Array("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
    }

    private static func answer(_ body: String, _ type: String = "text/plain") -> [UInt8] {
        Array("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    /// Makes a capture of requests, each on a connection of its own.
    private func made(_ exchanges: [(request: [UInt8], answer: [UInt8])]) throws -> String {
        var capture = MadeCapture()
        for (number, exchange) in exchanges.enumerated() {
            capture.http(5000 + number, exchange.request, exchange.answer, at: 10 * number)
        }
        return try folder.file("a.pcap", capture.bytes)
    }

    /// The paths of the files in the export's folder, and the folders.
    private var exported: Set<String> {
        let paths = FileManager.default.enumerator(atPath: folder.path + "/out")?.compactMap { $0 as? String }
        return Set(paths ?? [])
    }

    @Test("Bodies are written by their paths, inflated, with a line for each")
    func export() async throws {
        let compressed = (HTTPReadingTests.request, HTTPReadingTests.answer(chunks: 9))
        let plain = (Self.request("/x/"), Self.answer("<p>", "text/html"))
        let upload = Array("PUT /up HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi".utf8)
        let none = Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)
        let brotli = Array("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc".utf8)
        let path = try made([compressed, plain, compressed, (upload, none), (Self.request("/b"), brotli)])
        let out = folder.path + "/out"
        let ended = try await shown([path, "--export", out])
        #expect(ended.status == 0 && ended.errors == "")
        #expect(
            ended.output.split(separator: "\n").map(String.init) == [
                "\(out)/a.txt  43 B  #1 http 200 text/plain (gzip undone)",
                "\(out)/x/index.html  3 B  #2 http 200 text/html",
                "\(out)/a-2.txt  43 B  #3 http 200 text/plain (gzip undone)",
                "\(out)/up.request  2 B  #4 http PUT",
                "\(out)/b  3 B  #5 http 200 (still coded as br)", "5 files in \(out)",
            ]
        )
        #expect(exported == ["a.txt", "a-2.txt", "x", "x/index.html", "up.request", "b"])
        #expect(try folder.read("out/a.txt") == Array("the quick brown fox jumps over the lazy dog".utf8))
        #expect(try folder.read("out/up.request") == Array("hi".utf8))
        let one = try await shown([path, "--export", folder.path + "/one", "--where", "port 5001"])
        #expect(one.output.hasSuffix("1 file in \(folder.path)/one\n"))
        for (number, (query, count)) in [
            ("path /x", 1), ("method PUT", 1), ("status = 200", 4), ("status = 204", 1), ("contains \"<p>\"", 1),
            ("path /a.txt and status = 404", 0), ("not path /a", 3),
        ].enumerated() {
            let out = "\(folder.path)/chosen\(number)"
            let ended = try await shown([path, "--export", out, "--where", query])
            #expect(
                ended.output.hasSuffix("\(count) file\(count == 1 ? "" : "s") in \(out)\n"),
                "\(query): \(ended.output)"
            )
        }
    }

    @Test("Whatever a path says, nothing is written outside of the folder")
    func hostile() async throws {
        let targets = [
            "/../../evil", "/%2e%2e/%2e%2e/evil", "//evil", "/..%2fevil", "/a%00b", "/.bashrc",
            "/\(String(repeating: "n", count: 3000))",
        ]
        let path = try made(targets.map { (Self.request($0), Self.answer("evil")) })
        let ended = try await shown([path, "--export", folder.path + "/out"])
        #expect(ended.status == 0 && ended.output.hasSuffix("7 files in \(folder.path)/out\n"), "\(ended)")
        let beside = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(beside) == ["a.pcap", "out"])
        #expect(exported.contains("_bashrc") && exported.contains("evil") && exported.contains("_./_./evil"))
        #expect(ended.output.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0a })
    }

    @Test("A body that was not captured to its end is written as far as it goes, and said")
    func cut() async throws {
        let answer = Self.answer("0123456789")
        let path = try made([(Self.request("/a"), Array(answer.dropLast(4)))])
        let ended = try await shown([path, "--export", folder.path + "/out"])
        #expect(ended.output.hasPrefix("\(folder.path)/out/a  6 B  #1 http 200 text/plain (not captured to its end)\n"))
    }

    @Test("An archive is a new file that any reader of JSON takes")
    func har() async throws {
        let path = try made([
            (HTTPReadingTests.request, HTTPReadingTests.answer(chunks: 9)), (Self.request("/b"), Self.answer("x")),
        ])
        let file = folder.path + "/a.har"
        let ended = try await shown([path, "--har", file])
        #expect(ended.status == 0 && ended.output == "2 exchanges of HTTP in \(file)\n")
        let archive = try JSONParser.parseWhole(try folder.read("a.har"))
        let entries = try #require(archive["log"]?["entries"]?.arrayValue)
        #expect(entries.compactMap { $0["request"]?["url"]?.stringValue } == ["http://h/a.txt?b", "http://h/b"])
        #expect(entries.first?["response"]?["content"]?["text"] == "the quick brown fox jumps over the lazy dog")
        #expect(entries.first?["serverIPAddress"] == "10.0.0.2")
        let chosen = try await shown([path, "--har", folder.path + "/b.har", "--where", "path /b"])
        #expect(chosen.output == "1 exchange of HTTP in \(folder.path)/b.har\n")
        try FileManager.default.removeItem(atPath: folder.path + "/b.har")
        let again = try await shown([path, "--har", file])
        #expect(again.status == 73 && again.output == "")
        #expect(again.errors == "weir: cannot write to '\(file)': file exists (EEXIST)\n")
        let piped = try await shown([path, "--har", "-"])
        #expect(try piped.status == 0 && Array(piped.output.utf8) == folder.read("a.har"))
        let missing = try await shown([folder.path + "/none", "--har", folder.path + "/b.har"])
        #expect(missing.status == 66)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["a.har", "a.pcap"])
    }

    @Test("The requests of a flow are commands, one or all")
    func curl() async throws {
        var capture = MadeCapture()
        let two = Self.request("/one") + Self.request("/two")
        capture.http(5000, two, Self.answer("1") + Self.answer("2"))
        capture.udp((5001, 9), "x")
        let path = try folder.file("a.pcap", capture.bytes)
        let all = try await shown([path, "--curl", "1"])
        let end = " \\\n  -H 'User-Agent:' \\\n  -H 'Accept:'\n"
        #expect(all.status == 0 && all.output == "curl http://h/one\(end)curl http://h/two\(end)")
        #expect(try await shown([path, "--curl", "1.2"]).output == "curl http://h/two\(end)")
        let third = try await shown([path, "--curl", "1.3"])
        #expect(third.status == 1 && third.errors == "weir: there is no request 3 in flow 1: it has 2\n")
        let other = try await shown([path, "--curl", "2"])
        #expect(other.errors == "weir: flow 2 has no requests of HTTP/1 that could be read\n")
        let none = try await shown([path, "--curl", "3"])
        #expect(none.status == 1 && none.errors == "weir: there is no flow 3: the capture has 2\n")
    }

    @Test("Statistics have a row for each flow and each kind of request")
    func stats() async throws {
        let path = try made((0..<30).map { (Self.request("/\($0 % 2 == 0 ? "a" : "b")?\($0)"), Self.answer("x")) })
        let ended = try await shown([path, "--stats"])
        #expect(ended.status == 0 && ended.errors == "")
        let lines = ended.output.split(separator: "\n")
        #expect(lines.count { $0.drop { $0 == " " }.hasPrefix("#") } == 20)
        #expect(lines.contains("the 20 with the most payload of 30 flows"))
        #expect(lines.contains { $0.hasPrefix("http GET /a ") && $0.contains("   15       0 ") })
        let json = try await shown(["--stats", "2", path, "--json"])
        let objects = try LogLines(Array(json.output.utf8)).objects
        #expect(
            objects.map { $0["event"] as? String } == ["flow_stats", "flow_stats", "request_stats", "request_stats"]
        )
        #expect(try await shown([path, "--stats", "0", "--json"]).output.split(separator: "\n").count == 32)
        let chosen = try await shown([path, "--stats", "--json", "--where", "port 5001"])
        #expect(try LogLines(Array(chosen.output.utf8)).objects.compactMap { $0["flow"] as? Int } == [2])
    }
}
