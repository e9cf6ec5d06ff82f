import Foundation
import Support
import Testing

/// The jobs of `docs/reading.md`, with the commands that stand there.
@Suite("Jobs of a reader", .tags(.capture), .timeLimit(.minutes(1)))
struct JobsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The log of redis, HTTP, PostgreSQL, DNS and echo.
    private static var traffic: String { "\(Screens.folder)/\(Screens.traffic)" }

    private static func lines(_ arguments: [String]) async throws -> [String] {
        let ended = try await shown(arguments)
        #expect(ended.status == 0 && ended.errors == "", "\(ended.errors)")
        return ended.output.split(separator: "\n").map(String.init)
    }

    @Test("The third request of 10,000 that answered 500")
    func third() async throws {
        var capture = MadeCapture()
        var (up, down) = (1, 1)
        let ports = (5000, 80)
        capture.tcp(ports, flags: 2, sequence: 0)
        capture.tcp(ports, isDown: true, flags: 18, sequence: 0, acknowledging: 1, bytes: [])
        let failing: Set = [17, 4000, 7123, 9999]
        for number in 0..<10_000 {
            let request = "GET /items/\(number) HTTP/1.1\r\nHost: h\r\n\r\n"
            let status = failing.contains(number) ? "500 Internal Server Error" : "200 OK"
            let answer = "HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n"
            capture.tcp(ports, flags: 24, sequence: up, request, at: 10 * number + 1)
            capture.tcp(ports, isDown: true, flags: 24, sequence: down, answer, at: 10 * number + 5)
            (up, down) = (up + request.utf8.count, down + answer.utf8.count)
        }
        let path = try folder.file("a.pcap", capture.bytes)
        let found = try await Self.lines([path, "--messages", "--where", "status = 500"])
        // A request and its answer are two lines.
        #expect(found.count == 8)
        #expect(found[4].contains(" GET /items/7123 ") && found[5].contains(" 500 Internal Server Error"))
    }

    @Test("The client port that had an egress port")
    func egress() async throws {
        let found = try await Self.lines([
            Self.traffic, "--where", "egress port 44008", "--columns", "time,client,egress",
        ])
        #expect(
            found.prefix(2) == [
                "time                        client           egress",
                "2026-11-22 12:31:07.104218  127.0.0.1:36068  127.0.0.1:44008",
            ]
        )
        #expect(found.count == 3)
    }

    @Test("The slowest requests and statements")
    func slowest() async throws {
        let all = try await Self.lines([Self.traffic, "--messages", "--sort", "took", "--limit", "2"])
        try #require(all.count == 3)
        #expect(all[0].contains(" #2 up    http GET /api/v1/orders shop.example.com → 500 Internal Server Error"))
        #expect(all[0].hasSuffix(", 1.3 s") && all[1].contains(" → 404 Not Found") && all[1].contains(", 62.0"))
        #expect(all[2].hasPrefix("the 2 slowest of ") && all[2].hasSuffix(" answers"))
        let statements = ["--messages", "--where", "postgresql", "--sort", "took", "--limit", "10"]
        let found = try await Self.lines([Self.traffic] + statements)
        #expect(found.first?.contains(" #3 up    postgresql query SELECT name, price FROM goods ") == true)
        #expect(found.first?.contains(" → done SELECT 2  answers @") == true && found.first?.contains(", 24.0") == true)
        #expect(found.contains { $0.contains("query select * from nowhere where id = 7 → error ERROR 42P01 ") })
        // The same by the kinds of requests.
        let kinds = try await Self.lines([Self.traffic, "--stats"])
        #expect(kinds.contains { $0.hasPrefix("http GET /api/v1/items/{n} ") })
        #expect(
            kinds.contains { $0.hasPrefix("postgresql SELECT name, price FROM goods WHERE id IN (?) AND name <> ? ") }
        )
    }

    @Test("The picture that was downloaded")
    func picture() async throws {
        let picture: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + Array(0...255)
        let head = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: \(picture.count)\r\n\r\n"
        var capture = MadeCapture()
        let request = Array("GET /img/logo.png HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        capture.http(5000, request, Array(head.utf8) + picture, cutAt: 100)
        let path = try folder.file("a.pcap", capture.bytes)
        let found = try await Self.lines([path, "--export", folder.path + "/files"])
        #expect(found.first == "\(folder.path)/files/img/logo.png  \(picture.count) B  #1 http 200 image/png")
        #expect(try folder.read("files/img/logo.png") == picture)
    }

    /// A hello of TLS 1.2 that names a server.
    private static func hello(_ name: String) -> [UInt8] {
        func sized(_ bytes: [UInt8], _ size: Int = 2) -> [UInt8] {
            (0..<size).reversed().map { UInt8(bytes.count >> (8 * $0) & 255) } + bytes
        }
        let entry: [UInt8] = [0] + sized(Array(name.utf8))
        let serverName: [UInt8] = [0, 0] + sized(sized(entry))
        // The version, a random number, no session, one cipher, no compression.
        var body: [UInt8] = [3, 3]
        body += [UInt8](repeating: 7, count: 32)
        body += [0, 0, 2, 0xc0, 0x2f, 1, 0]
        body += sized(serverName)
        let handshake: [UInt8] = [1] + sized(body, 3)
        return [22, 3, 1] + sized(handshake)
    }

    @Test("Why a client of TLS failed")
    func alert() async throws {
        var capture = MadeCapture()
        capture.http(5000, Self.hello("shop.example.com"), [21, 3, 3, 0, 2, 2, 40])
        let path = try folder.file("a.pcap", capture.bytes)
        let found = try await Self.lines([path, "--errors", "--where", "tls"])
        #expect(found.count == 1 && found[0].contains(" #1 tls fatal alert: handshake failure"), "\(found)")
        let hello = try await Self.lines([path, "--messages", "--where", "tls"])
        #expect(hello.first?.contains(" up    tls ClientHello TLS 1.2 SNI shop.example.com ") == true, "\(hello)")
    }
}
