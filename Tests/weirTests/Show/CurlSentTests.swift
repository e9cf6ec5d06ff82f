import Support
import Testing
import WeirAnalysis
import WeirWire

@Suite("What curl sends of a request that was captured", .tags(.network), .timeLimit(.minutes(1)))
struct CurlSentTests {
    /// Runs the command line of a request, and returns what the server received.
    private static func sent(_ request: [UInt8], _ server: TCPServer) throws -> [UInt8] {
        let content = try #require(HTTPContent(HeldBytes.Content(bytes: request), isComplete: true))
        var command = ByteBuffer()
        CurlCommand.append(content, server: server.endpoint, to: &command)
        let count = request.count
        let received = try Background {
            let peer = try server.accept()
            let bytes = try peer.receive(count)
            try peer.send("HTTP/1.1 204 No\r\nConnection: close\r\n\r\n")
            peer.finish()
            return try bytes + peer.receiveToEnd().bytes
        }
        let script = "curl() { command curl -sS --noproxy '*' --max-time 20 \"$@\"; }\n" + command.string
        let ended = try ChildProgram.run("sh", ["-c", script])
        #expect(ended.status == 0, "\(command.string)\n\(ended.output)")
        return try received.value()
    }

    @Test(
        "Has the bytes of the request, whatever its target",
        .needsProgram("curl"),
        arguments: [
            ("GET", "/a"), ("GET", "//path/x"), ("GET", "/a/../b/./c"), ("GET", "/.x?y=/../z"), ("OPTIONS", "*"),
            ("GET", "http://p/q"), ("GET", "http://p"), ("DELETE", "https://p/q?r"), ("GET", "/a#b"),
            ("GET", "/[x]{y}"),
            ("GET", "/a\\b|c^d`e\"f<g>'h'"), ("GET", "/é"), ("GET", "?x"), ("GET", "/%00%2e%2e/"), ("GET", "/a?b?c"),
            ("HEAD", "/a?"), ("M-SEARCH", "*"), ("GET", "/$HOME$(id)"),
        ]
    )
    func targets(method: String, target: String) throws {
        let server = try TCPServer()
        let request = Array(
            "\(method) \(target) HTTP/1.1\r\nHost: \(server.endpoint)\r\nUser-Agent: u\r\nAccept: */*\r\nX: y\r\n\r\n"
                .utf8
        )
        #expect(
            String(decoding: try Self.sent(request, server), as: UTF8.self) == String(decoding: request, as: UTF8.self)
        )
    }

    @Test(
        "Has the bytes of the body",
        .needsProgram("curl"),
        .needsProgram("base64"),
        arguments: [
            [0], [0x61, 0, 0x0d, 0x0a, 0xff], Array("@/etc/passwd".utf8), Array("it's\n".utf8), Array(0...255),
        ] as [[UInt8]]
    )
    func bodies(body: [UInt8]) throws {
        let server = try TCPServer()
        let head =
            "POST /a HTTP/1.1\r\nHost: \(server.endpoint)\r\nUser-Agent: u\r\nAccept: */*\r\n"
            + "Content-Length: \(body.count)\r\n\r\n"
        #expect(try Self.sent(Array(head.utf8) + body, server) == Array(head.utf8) + body)
    }
}
