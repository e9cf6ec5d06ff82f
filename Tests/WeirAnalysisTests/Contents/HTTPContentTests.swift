import Testing
import WeirAnalysis

@Suite("The content of a message of HTTP")
struct HTTPContentTests {
    private static let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test(
        "Chunks are joined up to the last one; a body without it, or with a length that is none, is cut",
        arguments: [
            ("0\r\n\r\n", "", false), ("3\r\nabc\r\n0\r\n\r\n", "abc", false),
            ("3;x=y\r\nabc\r\n0\r\n\r\n", "abc", false),
            ("3\r\nabc\r\n2\r\nde\r\n0\r\n", "abcde", false), ("3\nabc\n0\n\n", "abc", false),
            ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", false), ("", "", true), ("0", "", true), ("3", "", true),
            ("3\r\n", "", true), ("3\r\nab", "ab", true), ("3\r\nabc", "abc", true), ("3\r\nabc\r\n", "abc", true),
            ("3\r\nabc\r\n0", "abc", true), ("3\r\nabc\r\nx\r\n", "abc", true), ("3\r\nabc\r\n\r\n", "abc", true),
            ("x\r\nabc\r\n0\r\n\r\n", "", true), ("ffffffffffffffffff\r\nabc", "", true),
            // The length counts, and not the line that seems to end.
            ("4\r\nabc\r\n0\r\n\r\n", "abc\r", false), ("2\r\nabc\r\n0\r\n\r\n", "ab0\r\n\r\n", true),
        ]
    )
    func chunks(sent: String, body: String, isCut: Bool) throws {
        let bytes = Array((Self.head + sent).utf8)
        let content = try #require(HTTPContent(HeldBytes.Content(bytes: bytes), isComplete: true))
        #expect(String(decoding: content.body, as: UTF8.self) == body)
        #expect(content.isCut == isCut && content.isChunked)
        #expect(content.headSize == Self.head.utf8.count && content.sentBodySize == sent.utf8.count)
        // What the dissector did not find complete is cut in any case.
        #expect(try #require(HTTPContent(HeldBytes.Content(bytes: bytes), isComplete: false)).isCut)
    }

    @Test(
        "The first line tells what a message is; bytes without one are none",
        arguments: [
            ("GET /a HTTP/1.1\r\n\r\n", "GET", "/a", 0, "HTTP/1.1"),
            ("\r\n\nGET / HTTP/1.0\r\n\r\n", "GET", "/", 0, "HTTP/1.0"),
            ("HTTP/1.1 204 No Content\r\n\r\n", "", "", 204, "HTTP/1.1"),
            ("HTTP/1.1 100\r\n\r\n", "", "", 100, "HTTP/1.1"),
        ]
    )
    func starts(sent: String, method: String, target: String, status: Int, version: String) throws {
        let bytes = Array(sent.utf8)
        let content = try #require(HTTPContent(HeldBytes.Content(bytes: bytes), isComplete: true))
        #expect(String(decoding: content.method, as: UTF8.self) == method && content.status == status)
        #expect(String(decoding: content.target, as: UTF8.self) == target)
        #expect(String(decoding: content.version, as: UTF8.self) == version)
        #expect(content.isRequest == (status == 0) && content.headSize == bytes.count && content.body.isEmpty)
        #expect(!content.isCut && !content.isChunked && content.fields.isEmpty)
    }

    @Test(
        "Bytes without a start line are no message",
        arguments: ["", "\r\n", "\u{0}\u{1}", "HTTP/1.1 0 None\r\n\r\n"]
    )
    func refuses(sent: String) {
        #expect(HTTPContent(HeldBytes.Content(bytes: Array(sent.utf8)), isComplete: true) == nil)
    }
}
