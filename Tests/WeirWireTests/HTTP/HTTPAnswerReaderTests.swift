import Testing

@testable import WeirWire

@Suite("The reader of HTTP answers")
struct HTTPAnswerReaderTests {
    /// Reads a text in pieces of one size, and ends the connection after it.
    private func read(
        _ text: String,
        toHead: Bool = false,
        piece: Int = .max
    ) throws(HTTPAnswerError) -> (status: Int, body: String) {
        var reader = HTTPAnswerReader(isToHead: toHead)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            if let answer = try reader.read(rest.prefix(piece)) {
                return (answer.status, String(decoding: answer.body, as: UTF8.self))
            }
            rest = rest.dropFirst(piece)
        }
        let answer = try reader.finish()
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    @Test(
        "An answer is read, however its length is given and in pieces of any size",
        arguments: [
            ("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", 201, "{}"),
            ("HTTP/1.1 200\r\ncontent-length:\t2 \r\nContent-Length: 2\r\n\r\n{}more", 200, "{}"),
            ("HTTP/1.0 200 OK\r\nX: y\r\n\r\nto the end", 200, "to the end"),
            ("HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n", 500, ""),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n1 ;x=\"y\"\r\nd\r\n000\r\n\r\n", 200,
                "abcd"
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\nX: y\r\n\r\n", 200,
                "0123456789"
            ),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1",
                200, "1"
            ),
            ("HTTP/1.1 204 No Content\r\n\r\nx", 204, ""), ("HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n", 304, ""),
        ] as [(String, Int, String)]
    )
    func reads(text: String, status: Int, body: String) throws {
        for piece in [1, 2, 3, 7, Int.max] {
            let answer = try read(text, piece: piece)
            #expect(answer == (status, body))
        }
    }

    @Test("An answer to HEAD has no body, whatever its length says")
    func head() throws {
        for field in ["Content-Length: 99999999999", "Transfer-Encoding: chunked"] {
            #expect(try read("HTTP/1.1 200 OK\r\n\(field)\r\n\r\n", toHead: true) == (200, ""))
        }
    }

    @Test(
        "A length that is not digits alone, or that nobody could read, is refused",
        arguments: [
            ("Content-Length: -5", .malformed(.length)), ("Content-Length: +5", .malformed(.length)),
            ("Content-Length: 99999999999999999999999999999", .malformed(.length)),
            ("Content-Length: 9223372036854775807", .tooLong(.body, limit: 64 << 20)),
            ("Content-Length: 67108865", .tooLong(.body, limit: 64 << 20)), ("Content-Length:", .malformed(.length)),
            ("Content-Length: 5, 5", .malformed(.length)), ("Content-Length: 0x5", .malformed(.length)),
            ("Content-Length: ٥", .malformed(.length)), ("Content-Length: 1\r\nContent-Length: 2", .ambiguousLength),
            ("Content-Length: 1\r\nTransfer-Encoding: chunked", .ambiguousLength),
            ("Transfer-Encoding: chunked\r\nContent-Length: 1", .ambiguousLength),
            ("Transfer-Encoding: gzip, chunked", .malformed(.coding)), ("Transfer-Encoding:", .malformed(.coding)),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .malformed(.coding)),
            ("Content-Length : 1", .malformed(.field)), (" folded: 1", .malformed(.field)),
            (": 1", .malformed(.field)), ("no colon", .malformed(.field)), ("X: a\rb", .malformed(.field)),
            ("X: a\nContent-Length: 1", .malformed(.field)),
        ] as [(String, HTTPAnswerError)]
    )
    func refusesLengths(field: String, error: HTTPAnswerError) {
        #expect(throws: error) { try read("HTTP/1.1 200 OK\r\n\(field)\r\n\r\nx") }
    }

    @Test(
        "A chunk's size is hex digits alone, and no larger than a body",
        arguments: [
            ("7fffffffffffffff", .tooLong(.body, limit: 64 << 20)), ("4000001", .tooLong(.body, limit: 64 << 20)),
            ("8000000000000000", .malformed(.chunk)), ("-1", .malformed(.chunk)), ("+1", .malformed(.chunk)),
            ("", .malformed(.chunk)), (" 1", .malformed(.chunk)), ("0x1", .malformed(.chunk)),
            (";x", .malformed(.chunk)),
            ("1\n", .malformed(.chunk)), ("1\r\nxy", .malformed(.chunk)), ("1\r\nx\n", .malformed(.chunk)),
            ("1;" + String(repeating: "x", count: 5000), .tooLong(.chunk, limit: 4096)),
            ("5\r\nabc\r\n0", .malformed(.chunk)),
        ] as [(String, HTTPAnswerError)]
    )
    func refusesChunks(size: String, error: HTTPAnswerError) {
        #expect(throws: error) { try read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\n\r\n") }
    }

    @Test(
        "What is no HTTP/1 is known from its first bytes",
        arguments: [
            ("SSH-2.0-x", .noStatusLine), ("\r\n", .noStatusLine), ("HTTP/2 200\r\n", .noStatusLine),
            ("HTTP/1.1 20\r\n", .noStatusLine), ("HTTP/1.1 2000\r\n", .noStatusLine),
            ("HTTP/1.1 +20 \r\n", .malformed(.status)), ("HTTP/1.1 099 \r\n", .malformed(.status)),
            ("HTTP/1.1 101 X\r\n\r\n", .malformed(.status)), ("HTTP/1.x 200\r\n", .noStatusLine),
        ] as [(String, HTTPAnswerError)]
    )
    func refusesOthers(text: String, error: HTTPAnswerError) {
        #expect(throws: error) { try read(text) }
    }

    @Test("An answer that is cut anywhere is not whole")
    func truncated() {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        for count in 0..<text.utf8.count {
            #expect(throws: HTTPAnswerError.truncated) {
                try read(String(decoding: text.utf8.prefix(count), as: UTF8.self))
            }
        }
        #expect(throws: HTTPAnswerError.truncated) { try read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab") }
    }

    @Test("A head that does not end, or 1xx answers that do not, and a body without an end are bounded")
    func bounds() throws {
        var reader = HTTPAnswerReader()
        let field = Array("X-Y: z\r\n".utf8)
        #expect(try reader.read(Array("HTTP/1.1 200 OK\r\n".utf8)[...]) == nil)
        #expect(throws: HTTPAnswerError.tooLong(.head, limit: 64 << 10)) {
            for _ in 0..<10_000 { _ = try reader.read(field[...]) }
        }
        reader = HTTPAnswerReader()
        #expect(throws: HTTPAnswerError.tooLong(.head, limit: 64 << 10)) {
            for _ in 0..<10_000 { _ = try reader.read(Array("HTTP/1.1 100 OK\r\n\r\n".utf8)[...]) }
        }
        reader = HTTPAnswerReader()
        #expect(try reader.read(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)[...]) == nil)
        let megabyte = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<64 { #expect(try reader.read(megabyte[...]) == nil) }
        #expect(throws: HTTPAnswerError.tooLong(.body, limit: 64 << 20)) { try reader.read([0]) }
    }

    /// Gives what a reader says of a text that goes on, or nil if it takes all of it.
    private func refusal(_ parts: [String]) -> HTTPAnswerError? {
        var reader = HTTPAnswerReader()
        do throws(HTTPAnswerError) {
            for part in parts { _ = try reader.read(Array(part.utf8)[...]) }
            return nil
        } catch {
            return error
        }
    }

    @Test("A head, a chunk's line and a body may be as long as their bounds: one under, at and one over")
    func exactBounds() {
        let start = "HTTP/1.1 200 OK\r\n"
        let chunked = start + "Transfer-Encoding: chunked\r\n\r\n"
        for more in -1...1 {
            let head = start + "X: " + String(repeating: "x", count: (64 << 10) + more - start.utf8.count - 7) + "\r\n"
            #expect(refusal([head, "\r\n"]) == (more <= 0 ? nil : .tooLong(.head, limit: 64 << 10)))
            // The return is in the line until its newline comes.
            let line = "1;" + String(repeating: "x", count: 4095 - 3 + more)
            #expect(refusal([chunked, line + "\r\n"]) == (more <= 0 ? nil : .tooLong(.chunk, limit: 4096)))
            let length = start + "Content-Length: \((64 << 20) + more)\r\n\r\n"
            #expect(refusal([length]) == (more <= 0 ? nil : .tooLong(.body, limit: 64 << 20)))
            let size = String((64 << 20) - 5 + more, radix: 16)
            let chunks = [chunked, "5\r\nabcde\r\n", size + "\r\n"]
            #expect(refusal(chunks) == (more <= 0 ? nil : .tooLong(.body, limit: 64 << 20)))
        }
    }

    @Test("The bounds of a head count the fields after the last chunk and the heads before the answer")
    func countedTogether() {
        let first = "HTTP/1.1 100 A\r\nX: \(String(repeating: "x", count: 40_000))\r\n\r\n"
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
        #expect(refusal([chunks, String(repeating: "y", count: 40_000)]) == nil)
        #expect(refusal([first, chunks]) == nil)
        let all = [first, chunks, String(repeating: "y", count: 40_000)]
        #expect(refusal(all) == .tooLong(.head, limit: 64 << 10))
    }

    @Test(
        "A status is a number from 100 to 599 of three digits, after one minor version",
        arguments: [
            ("1.1 100", nil), ("1.1 599", nil), ("1.1 600", .malformed(.status)), ("1.1 099", .malformed(.status)),
            ("1.1 999", .malformed(.status)), ("1.1 2x0", .malformed(.status)), ("1.0 200", nil), ("1.9 200", nil),
            ("1. 200", .noStatusLine), ("1.10 200", .noStatusLine), ("1.a 200", .noStatusLine),
            ("1.1  200", .noStatusLine), ("1.1 200\t", .noStatusLine), ("1.1 200 ", nil), ("1.1 200OK", .noStatusLine),
        ] as [(String, HTTPAnswerError?)]
    )
    func statuses(line: String, error: HTTPAnswerError?) { #expect(refusal(["HTTP/\(line)\r\n"]) == error) }

    @Test("Every byte of a field's name is one of a token's")
    func tokens() {
        let token = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        // A return and a newline end the line, and a colon ends the name.
        for byte in UInt8(0)..<0x80 where ![0x0a, 0x0d, 0x3a].contains(byte) {
            let name = "a" + String(Unicode.Scalar(byte)) + "b"
            let expected: HTTPAnswerError? = token.contains(byte) ? nil : .malformed(.field)
            #expect(refusal(["HTTP/1.1 200 OK\r\n\(name): c\r\n"]) == expected, "\(byte)")
        }
    }

    @Test("Fields are kept in order with their names in lower case, those of an earlier head are not")
    func fields() throws {
        var reader = HTTPAnswerReader()
        let text =
            "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nX-A:  1 \r\nx-b: Two\r\nX-a: 3\r\n"
            + "Content-Length: 0\r\n\r\n"
        let answer = try #require(try reader.read(Array(text.utf8)[...]))
        #expect(answer.fields.map(\.name) == ["x-a", "x-b", "x-a", "content-length"])
        #expect(answer.fields.map(\.value) == ["1", "Two", "3", "0"])
        #expect(answer.field("x-a") == "1" && answer.field("x-b") == "Two" && answer.field("link") == nil)
    }

    @Test("A length of HTTP/1.0 is taken, its chunks are refused")
    func oldVersion() throws {
        #expect(try read("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nabc") == (200, "ab"))
        for (version, error) in [("1.0", .malformed(.coding)), ("1.1", nil)] as [(String, HTTPAnswerError?)] {
            #expect(refusal(["HTTP/\(version) 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]) == error)
        }
    }

    @Test(
        "Each refusal says what is wrong",
        arguments: [
            (.noStatusLine, "is no HTTP/1.1"), (.malformed(.field), "has a header field that is not understood"),
            (.malformed(.length), "has a Content-Length that is not understood"),
            (.tooLong(.chunk, limit: 4096), "has a chunk size of more than 4096 bytes"),
            (.ambiguousLength, "says twice, and differently, how long it is"), (.truncated, "is not whole"),
        ] as [(HTTPAnswerError, String)]
    )
    func texts(error: HTTPAnswerError, text: String) { #expect(error.description == text) }
}
