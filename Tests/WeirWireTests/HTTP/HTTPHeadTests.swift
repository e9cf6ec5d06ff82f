import Testing

@testable import WeirWire

/// A head as a lenient reader understands it, in text.
private struct Head: Equatable {
    var start: [String]
    var fields: [[String]] = []
    var framing = HTTPFraming()
    var faults: [HTTPAnswerError] = []
    /// The number of bytes of the head, with the empty line; nil if the line is not there yet.
    var end: Int?

    /// Reads a head that arrives in pieces of a size.
    init?(_ bytes: [UInt8], piece: Int = .max) {
        var lines = HTTPLines()
        var there = 0
        start = []
        repeat {
            there = bytes.count - there > piece ? there + piece : bytes.count
            let part = bytes.span.bytes.extracting(0..<there)
            while end == nil, let line = lines.next(in: part) {
                guard !line.content.isEmpty else {
                    end = line.end
                    break
                }
                guard take(part, line.content) else { return nil }
            }
        } while there < bytes.count && end == nil
    }

    private mutating func take(_ bytes: RawSpan, _ line: Range<Int>) -> Bool {
        func text(_ range: Range<Int>) -> String {
            bytes.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
        guard !start.isEmpty else {
            switch HTTPStartLine(bytes, line) {
            case nil: return false
            case .request(let method, let target, let version): start = [text(method), text(target), text(version)]
            case .answer(let version, let code, let status, let phrase):
                start = [text(version), text(code), status.map { "\($0)" } ?? "none", text(phrase)]
            }
            return true
        }
        guard let field = HTTPField(bytes, line) else {
            fields.append([text(line)])
            return true
        }
        fields.append([text(field.name), text(field.value)])
        if let fault = framing.note(field, in: bytes) { faults.append(fault) }
        return true
    }

    static func == (left: Head, right: Head) -> Bool {
        left.start == right.start && left.fields == right.fields && left.end == right.end && left.faults == right.faults
            && left.framing.length == right.framing.length && left.framing.isChunked == right.framing.isChunked
    }
}

@Suite("The parts of HTTP heads")
struct HTTPHeadTests {
    private static func field(_ bytes: [UInt8]) -> HTTPField? { HTTPField(bytes.span.bytes, bytes.indices) }

    private static func chunk(_ text: String) -> HTTPChunkLine? {
        let bytes = Array(text.utf8)
        return HTTPChunkLine(bytes.span.bytes, bytes.indices)
    }

    private static func next(_ lines: inout HTTPLines, _ text: String) -> HTTPLines.Line? {
        lines.next(in: Array(text.utf8).span.bytes)
    }

    @Test(
        "A first line is split into its parts, on any run of blanks",
        arguments: [
            ("GET /a HTTP/1.1", ["GET", "/a", "HTTP/1.1"]), ("GET  /a \t HTTP/1.0  ", ["GET", "/a", "HTTP/1.0"]),
            ("GET /a b HTTP/1.1", ["GET", "/a", "HTTP/1.1"]), ("GET /a", ["GET", "/a", ""]),
            ("GET /a b", ["GET", "/a b", ""]), ("GET HTTP/1.1", ["GET", "HTTP/1.1", ""]),
            ("* * HTTP/1.9", ["*", "*", "HTTP/1.9"]), (" /a HTTP/1.1", ["", "/a", "HTTP/1.1"]),
            ("HTTP/1.1 200 OK", ["HTTP/1.1", "200", "200", "OK"]), ("HTTP/1.1 200", ["HTTP/1.1", "200", "200", ""]),
            ("HTTP/1.1 200 ", ["HTTP/1.1", "200", "200", ""]),
            ("HTTP/1.x 099 A b ", ["HTTP/1.x", "099", "99", "A b "]),
            ("HTTP/1.1  \t 404  Not", ["HTTP/1.1", "404", "404", " Not"]),
            ("HTTP/1.1 20", ["HTTP/1.1", "20", "none", ""]),
            ("HTTP/1.1 2x0 A", ["HTTP/1.1", "2x0", "none", "A"]), ("HTTP/1.1 ", ["HTTP/1.1", "", "none", ""]),
            ("HTTP/1. 2000", ["HTTP/1.", "200", "200", ""]),
        ]
    )
    func startLines(line: String, parts: [String]) {
        #expect(Head(Array("\(line)\r\n".utf8))?.start == parts)
        #expect(Head(Array("\(line)\n".utf8))?.start == parts)
    }

    @Test(
        "A line that is no first line is refused",
        arguments: ["GET", "GET ", "", "HTTP/1.1", "HTTP/1.", "GET /a HTTP/2", "GET /a HTTP/", "http/1.1200"]
    )
    func otherLines(line: String) {
        let bytes = Array(line.utf8)
        let start = HTTPStartLine(bytes.span.bytes, bytes.indices)
        #expect(start == nil)
    }

    @Test("A head is the same in pieces of any size, and no prefix has more than it")
    func pieces() throws {
        let text =
            "POST /a HTTP/1.1\r\nHost: b\nno colon\r\nX:\t c : d \r\n folded: e\r\n\tf\r\n: g\r\nH\r: i\r\n"
            + "Content-Length: 12\r\n\r\nHost: not\r\n\r\n"
        let bytes = Array(text.utf8)
        let whole = try #require(Head(bytes))
        #expect(whole.start == ["POST", "/a", "HTTP/1.1"])
        #expect(
            whole.fields == [
                ["Host", "b"], ["no colon"], ["X", "c : d"], [" folded", "e"], ["\tf"], ["", "g"], ["H\r", "i"],
                ["Content-Length", "12"],
            ]
        )
        #expect(whole.end == bytes.count - 13 && whole.framing.length == 12 && whole.faults.isEmpty)
        for piece in 1...bytes.count { #expect(Head(bytes, piece: piece) == whole) }
        for count in 0..<bytes.count {
            let part = try #require(Head(Array(bytes[..<count])))
            #expect(part.end == (count >= bytes.count - 13 ? whole.end : nil))
            #expect(part.fields.elementsEqual(whole.fields.prefix(part.fields.count)))
        }
    }

    @Test("A head of a megabyte, in one line or in many, is searched once")
    func huge() throws {
        let long = Array("GET /\(String(repeating: "a", count: 1 << 20)) HTTP/1.1\r\n\r\n".utf8)
        #expect(try #require(Head(long, piece: 1024)).start[1].utf8.count == 1 << 20 + 1)
        let many = Array("GET / HTTP/1.1\n\(String(repeating: "a: b\n", count: 50_000))\n".utf8)
        let head = try #require(Head(many, piece: 1024))
        #expect(head.fields.count == 50_000 && head.end == many.count)
    }

    @Test("The rest of bytes without an end of line is a line too, with or without a return")
    func rest() {
        for (text, expected) in [
            ("a\r\nb", ["a", "b"]), ("a\nb\r", ["a", "b"]), ("a\r\n", ["a"]), ("\r", [""]), ("", []),
        ] {
            let bytes = Array(text.utf8)
            var lines = HTTPLines()
            var found: [String] = []
            while let line = lines.nextOrRest(in: bytes.span.bytes) {
                found.append(String(decoding: bytes[line.content], as: UTF8.self))
            }
            #expect(found == expected && lines.start == bytes.count && !lines.hasBegun)
        }
        var lines = HTTPLines(from: 2)
        #expect(!lines.hasBegun)
        #expect(Self.next(&lines, "a\nb") == nil)
        #expect(lines.hasBegun)
        #expect(Self.next(&lines, "a\nb\n") == HTTPLines.Line(content: 2..<3, end: 4))
    }

    @Test("A field has its name in any case, and only that")
    func names() throws {
        let bytes = Array("X-Ab[: c".utf8)
        let field = try #require(Self.field(bytes))
        for name in ["x-ab[", "x-ab", "x-ab[[", "x-ab{", "x\rab[", "y-ab["] as [StaticString] {
            let isNamed = field.isNamed(name, in: bytes.span.bytes)
            #expect(isNamed == ("\(name)" == "x-ab["), "\(name)")
        }
    }

    @Test(
        "What a field says of the body is noted, and what a strict reader must refuse",
        arguments: [
            ([], nil, false, []), (["Content-Length: 5"], 5, false, []), (["content-LENGTH:\t0005 "], 5, false, []),
            (["Content-Length: 5", "Content-Length: 5"], 5, false, []),
            (["Content-Length: 5", "Content-Length: 6"], 6, false, [.ambiguousLength]),
            (["Content-Length: 5", "Content-Length: x"], nil, false, [.malformed(.length)]),
            (["Content-Length: 9223372036854775807"], .max, false, []),
            (["Content-Length: 9223372036854775808"], nil, false, [.malformed(.length)]),
            (["Content-Length: 5x"], nil, false, [.malformed(.length)]),
            (["Content-Length:"], nil, false, [.malformed(.length)]), (["Content-Length : 5"], nil, false, []),
            (["Transfer-Encoding: CHUNKED"], nil, true, []), (["Transfer-Encodin: chunked"], nil, false, []),
            (["Transfer-Encoding: gzip, chunked"], nil, true, [.malformed(.coding)]),
            (["Transfer-Encoding: xchunkedx"], nil, true, [.malformed(.coding)]),
            (["Transfer-Encoding: chun\u{212A}ed"], nil, false, [.malformed(.coding)]),
            (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], nil, true, [.malformed(.coding)]),
            (["Transfer-Encoding: chunked", "Transfer-Encoding: gzip"], nil, false, [.malformed(.coding)]),
        ] as [([String], Int?, Bool, [HTTPAnswerError])]
    )
    func framing(fields: [String], length: Int?, isChunked: Bool, faults: [HTTPAnswerError]) throws {
        let head = try #require(Head(Array(("GET / HTTP/1.1\r\n" + fields.map { $0 + "\r\n" }.joined()).utf8)))
        #expect(head.framing.length == length && head.framing.isChunked == isChunked && head.faults == faults)
        #expect(!head.framing.hasUpgrade && !head.framing.isWebSocket)
    }

    @Test("Chunks are a fault in HTTP/1.0, and upgrades are noted")
    func versions() throws {
        let coding = Array("Transfer-Encoding: chunked".utf8)
        var old = HTTPFraming(isOldVersion: true)
        let field = try #require(Self.field(coding))
        let fault = old.note(field, in: coding.span.bytes)
        #expect(fault == .malformed(.coding) && old.isChunked)
        for (text, isWebSocket) in [
            ("upgrade: h2c", false), ("Upgrade: WebSocket", true), ("upgrade: a, websocket/13", true),
        ] {
            let head = try #require(Head(Array("GET / HTTP/1.1\r\n\(text)\r\n".utf8)))
            #expect(head.framing.hasUpgrade && head.framing.isWebSocket == isWebSocket)
        }
    }

    @Test("A body ends as RFC 9112 section 6.3 says")
    func bodies() throws {
        func framing(_ fields: String) throws -> HTTPFraming {
            try #require(Head(Array("GET / HTTP/1.1\r\n\(fields)".utf8))).framing
        }
        let none = try framing("")
        let empty = try framing("Content-Length: 0\r\n")
        let long = try framing("Content-Length: 7\r\n")
        let chunked = try framing("Content-Length: 7\r\nTransfer-Encoding: chunked\r\n")
        #expect([none, empty, long, chunked].map(\.bodyOfRequest) == [.none, .none, .bytes(7), .chunked])
        for (status, bodies) in [
            (199, [.none, .none, .none, .none]), (200, [.rest, .none, .bytes(7), .chunked]),
            (204, [.none, .none, .none, .none]), (205, [.rest, .none, .bytes(7), .chunked]),
            (304, [.none, .none, .none, .none]), (599, [.rest, .none, .bytes(7), .chunked]),
        ] as [(Int, [HTTPFraming.Body])] {
            #expect([none, empty, long, chunked].map { $0.body(ofAnswer: status, toHead: false) } == bodies)
        }
        #expect(long.body(ofAnswer: 200, toHead: true) == .none)
        #expect(long.body(ofAnswer: 299, toHead: false, toConnect: true) == .none)
        #expect(long.body(ofAnswer: 300, toHead: false, toConnect: true) == .bytes(7))
    }

    @Test(
        "A chunk's size is its first hex digits; other bytes after them are noticed",
        arguments: [
            ("0", 0, true), ("aF", 0xaf, true), ("00010", 16, true), ("5;a=b", 5, true), ("5 \t;a", 5, true),
            ("5 ", 5, true), ("5 x", 5, false), ("5g", 5, false), ("0x5", 0, false),
            ("7fffffffffffffff", .max, true),
        ] as [(String, Int, Bool)]
    )
    func chunks(line: String, size: Int, isExact: Bool) throws {
        let chunk = try #require(Self.chunk(line))
        #expect(chunk.size == size && chunk.isExact == isExact)
    }

    @Test("A line without a size is no chunk's", arguments: ["", " 5", "-5", "g", ";5", "8000000000000000"])
    func noChunks(line: String) {
        #expect(Self.chunk(line) == nil)
    }
}
