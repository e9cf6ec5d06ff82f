import Foundation
import Support
import Testing
import WeirAnalysis
import WeirWire

@Suite("Requests as commands of curl")
struct CurlCommandTests {
    private static func command(_ bytes: [UInt8], isComplete: Bool = true) throws -> String {
        let content = try #require(HTTPContent(HeldBytes.Content(bytes: bytes), isComplete: isComplete))
        var output = ByteBuffer()
        CurlCommand.append(content, server: Endpoint(address: .loopbackV4, port: 8080), to: &output)
        return output.string
    }

    private static func command(_ text: String) throws -> String { try command(Array(text.utf8)) }

    private static let plain = "User-Agent: u\r\nAccept: */*\r\n"

    @Test("A request of curl is the shortest command")
    func shortest() throws {
        #expect(
            try Self.command("GET /a HTTP/1.1\r\nHost: h:81\r\n\(Self.plain)\r\n")
                == "curl http://h:81/a \\\n  -H 'User-Agent: u' \\\n  -H 'Accept: */*'\n"
        )
    }

    @Test(
        "The method, the version and the target are those of the request",
        arguments: [
            ("GET /a HTTP/1.1\r\nHost: h", "curl http://h/a"),
            ("HEAD /a HTTP/1.1\r\nHost: h", "curl http://h/a --head"),
            ("POST /a HTTP/1.1\r\nHost: h", "curl http://h/a -X POST"),
            ("DELETE /a HTTP/1.1\r\nHost: h", "curl http://h/a -X DELETE"),
            ("GET /a HTTP/1.0\r\nHost: h", "curl http://h/a --http1.0"),
            ("GET /a?b=c&d HTTP/1.1\r\nHost: h", "curl 'http://h/a?b=c&d'"),
            ("GET /[x]{y} HTTP/1.1\r\nHost: h", "curl 'http://h/[x]{y}' --globoff"),
            ("GET /a/../b HTTP/1.1\r\nHost: h", "curl http://h/a/../b --path-as-is"),
            ("GET /a#b HTTP/1.1\r\nHost: h", "curl http://h/ --request-target '/a#b'"),
            ("OPTIONS * HTTP/1.1\r\nHost: h", "curl http://h/ -X OPTIONS --request-target '*'"),
            (
                "GET http://p/q HTTP/1.1\r\nHost: p",
                "curl http://127.0.0.1:8080/ --request-target http://p/q -H 'Host: p'"
            ),
            (
                "GET http://p/q HTTP/1.1\r\nHost: other",
                "curl http://127.0.0.1:8080/ --request-target http://p/q -H 'Host: other'"
            ),
            ("GET //p/q HTTP/1.1\r\nHost: h", "curl http://h//p/q"),
            ("GET /a HTTP/1.1\r\nX: y", "curl http://127.0.0.1:8080/a -H 'Host:' -H 'X: y'"),
            ("GET /a HTTP/1.1\r\nHost: -o/x y", "curl http://127.0.0.1:8080/a -H 'Host: -o/x y'"),
            ("GET /a HTTP/1.1\r\nHost: [::1]:80", "curl 'http://[::1]:80/a' --globoff"),
        ]
    )
    func targets(head: String, expected: String) throws {
        let text = try Self.command("\(head)\r\n\(Self.plain)\r\n")
        let line = text.replacing(" \\\n ", with: "").replacing(" -H 'User-Agent: u' -H 'Accept: */*'\n", with: "")
        #expect(line == expected)
    }

    @Test("Fields that curl makes itself are left out, and those that it would add are turned off")
    func fields() throws {
        let text = try Self.command(
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: x\r\nExpect: 100-continue\r\n"
                + "X-Empty:\r\nCookie: a=b; c='d'\r\n@file: x\r\nAccept-Encoding: gzip, br\r\n\r\nabc"
        )
        let words = text.dropLast().split(separator: " \\\n  ").map(String.init)
        #expect(
            words == [
                "# curl cannot send the field @file\ncurl http://h/a", "-H 'X-Empty;'",
                #"-H 'Cookie: a=b; c='\''d'\'''"#, "-H 'Accept-Encoding: gzip, br'",
                "-H 'User-Agent:'", "-H 'Accept:'", "-H 'Content-Type:'", "--compressed", "--data-binary abc",
            ]
        )
    }

    @Test(
        "A body is a word if it is text, else it comes through a pipe",
        arguments: [
            ("a b", "--data-binary 'a b'", false), ("{\"a\":\n1}", "--data-binary '{\"a\":\n1}'", false),
            ("@/etc/passwd", "--data-raw @/etc/passwd", false), ("a\0b", "--data-binary @-", true),
            ("a\u{1B}[0m", "--data-binary @-", true), ("a\r\nb", "--data-binary @-", true),
        ]
    )
    func bodies(body: String, option: String, isPiped: Bool) throws {
        let text = try Self.command("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(text.hasSuffix(" \\\n  \(option)\n"))
        let pipe = "printf %s '\(Base64.encode(Array(body.utf8)))' | base64 -d | curl "
        #expect(text.hasPrefix(isPiped ? pipe : "curl http://h/a \\\n  -X PUT \\\n"))
    }

    @Test("What no command line can have is named in a comment")
    func losses() throws {
        let text = try Self.command(
            "GET /a\0b HTTP/1.1\r\nHost: h\r\n\(Self.plain)X: 1\0\r\nY: 2\0\u{1B}\r\n b: 3\r\n\r\n"
        )
        #expect(text.hasPrefix("# curl cannot send the NUL in the target, X, Y"), "\(text)")
        #expect(text.contains(" \\\n  --request-target /ab \\\n"))
        #expect(text.contains(" \\\n  -H 'X: 1' \\\n"))
        #expect(text.unicodeScalars.allSatisfy { SafeText.isSafe($0.value) || $0 == "\n" })
    }

    @Test("Bodies of no bytes, cut ones, and tunnels are told")
    func others() throws {
        let empty = try Self.command("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\(Self.plain)\r\n")
        #expect(empty.hasPrefix("curl http://h/a \\\n  -H ") && empty.hasSuffix(" \\\n  --data-binary ''\n"))
        let cut = try Self.command(Array("POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\na".utf8), isComplete: false)
        #expect(cut.hasPrefix("# the body was not captured whole\ncurl "))
        #expect(
            try Self.command("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n")
                == "# CONNECT h:443 begins a tunnel, which curl makes by itself: -x\n"
        )
        let long = try Self.command("POST /a HTTP/1.1\r\nHost: h\r\n\r\n\(String(repeating: "a", count: 100_001))")
        #expect(long.hasPrefix("printf %s '"))
    }

    /// Returns the arguments that `curl` would get, and what it would read.
    private static func run(_ command: String) throws -> [String] {
        let script = "curl() { for word; do printf %s \"$word\" | od -An -v -tx1; echo end; done; }\n" + command
        let output = try ChildProgram.run("sh", ["-c", script]).output
        return output.split(separator: "end\n", omittingEmptySubsequences: false).dropLast().map { part in
            let bytes = part.split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { UInt8($0, radix: 16) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    @Test(
        "A shell makes of hostile requests nothing but the words of one command",
        .needsProgram("sh"),
        .needsProgram("od"),
        arguments: 0..<10
    )
    func hostile(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let pieces = [
            "'", "\"", "$(touch /tmp/x)", "`x`", "\\", ";", "|", "&", "\u{1B}", "\u{7}", "\t", "%", "-", "a", "\u{e4}",
        ]
        func text(_ count: Int) -> String {
            (0..<count).map { _ in pieces[Int.random(in: pieces.indices, using: &random)] }.joined()
        }
        for _ in 0..<10 {
            // A target has no blanks.
            let target = "/" + text(6).filter { $0 != " " && $0 != "\t" }
            let (value, body) = ("v" + text(8) + "v", "b" + text(8))
            let command = try Self.command(
                "POST \(target) HTTP/1.1\r\nHost: h\r\n\(Self.plain)Content-Type: t\r\nX: \(value)\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            #expect(command.unicodeScalars.allSatisfy { SafeText.isSafe($0.value) || $0 == "\n" || $0 == "\t" })
            let words = try Self.run(command)
            #expect(words.contains("X: \(value)"), "\(command)")
            #expect(words.contains("http://h\(target)") || words.contains(target), "\(command)")
            #expect(words.last == (command.hasPrefix("printf") ? "@-" : body), "\(command)")
        }
    }
}
