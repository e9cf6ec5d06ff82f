import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("HTTP dissector")
struct HTTPDissectorTests {
    private static let request = "GET /a HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\n\r\n"
    private static let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

    @Test("Pairs requests with answers, on any port")
    func pairs() {
        var flow = DissectionDialogue()
        flow.up(Self.request)
        flow.down(Self.answer)
        #expect(
            flow.said == [
                "up 0..<56 http: GET /a example.com",
                "down 0..<69 http: 200 OK text/plain, 5 bytes (answers 0 after 1 ms)",
            ]
        )
        #expect(flow.findings == [.host: "example.com"])
        #expect(flow.name == "http")
    }

    @Test(
        "Reads the line of a chunk and of a trailer up to 8 KiB",
        arguments: [(8191, true), (8192, false), (8193, false)],
        ["", "0\r\n"]
    )
    func longLine(length: (Int, isRead: Bool), before: String) {
        var flow = DissectionDialogue()
        flow.up(Self.request)
        flow.down("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + before)
        flow.down("0;" + String(repeating: "x", count: length.0 - 2))
        flow.down("\r\n\r\n")
        #expect(flow.said.count == (length.isRead ? 2 : 1))
    }

    @Test("Of requests without an answer the last 128 are kept", arguments: [(128, 0), (129, 1), (200, 72)])
    func openRequests(count: Int, first: Int) {
        var flow = DissectionDialogue()
        for _ in 0..<count { flow.up(Self.request) }
        flow.down(Self.answer)
        #expect(flow.said.last?.contains("(answers \(first * 56) ") == true, "\(flow.said.last ?? "")")
    }

    @Test("A datagram without the end of its head has no part in the next one", arguments: [0, 10, 100])
    func datagrams(length: Int) {
        var flow = DissectionDialogue(.udp, port: 1900)
        flow.up("NOTIFY * HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: length))\r\n")
        flow.up("NOTIFY * HTTP/1.1\r\nHost: b\r\n\r\n")
        flow.up("NOTIFY * HTTP/1.1\r\nHost: c\r\n")
        flow.up("NOTIFY * HTTP/1.1\r\nHost: d\r\nX: y\r\n\r\n")
        #expect(flow.messages.map(\.isComplete) == [false, true, false, true])
        #expect(flow.findings == [.host: "a"])
    }

    @Test("Says where the fields are")
    func fields() throws {
        var flow = DissectionDialogue()
        flow.up(Self.request + Self.request)
        let message = try #require(flow.messages.last)
        #expect(
            message.fieldLines == [
                "http.request.method 56..<59 GET", "http.request.uri 60..<62 /a",
                "http.request.version 63..<71 HTTP/1.1",
                "http.host 79..<90 example.com", "http.user_agent 104..<108 test",
            ]
        )
    }

    @Test("Says the same of pieces of any size", arguments: [1, 2, 3, 7, 50, 1000])
    func pieces(size: Int) {
        var flow = DissectionDialogue()
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n"
        flow.add(
            Array((Self.request + "POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz" + Self.request).utf8),
            .upstream,
            inPiecesOf: size
        )
        flow.add(Array((Self.answer + chunked + Self.answer).utf8), .downstream, inPiecesOf: size)
        #expect(
            flow.said == [
                "up 0..<56 http: GET /a example.com", "up 56..<98 http: POST /b, 3 bytes",
                "up 98..<154 http: GET /a example.com",
                "down 0..<69 http: 200 OK text/plain, 5 bytes (answers 0 after 1 ms)",
                "down 69..<154 http: 200 OK, 13 bytes in chunks (answers 56 after 1 ms)",
                "down 154..<223 http: 200 OK text/plain, 5 bytes (answers 98 after 1 ms)",
            ]
        )
    }

    @Test("Takes a length with zeros before it, and none that cannot be")
    func lengths() {
        var flow = DissectionDialogue()
        flow.up("POST / HTTP/1.1\r\nContent-Length: 0000000000000000000000000003\r\n\r\nabc")
        flow.up("POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        #expect(
            flow.said == ["up 0..<68 http: POST /, 3 bytes", "up 68..<125 http: POST /", "up 125..<143 http: GET /"]
        )
    }

    @Test("Knows the answers that have no body")
    func bodies() {
        var flow = DissectionDialogue()
        flow.up("HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.0\r\n\r\n")
        _ = flow.take()
        flow.down(
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"
                + "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.0 200 OK\r\n\r\nto the end"
        )
        flow.end(.downstream)
        #expect(
            flow.said.map { $0.split(separator: " ").dropFirst(2).joined(separator: " ") } == [
                "http: 200 OK (answers 0 after 1 ms)", "http: 304 Not Modified (answers 19 after 1 ms)",
                "http: 100 Continue", "http: 204 No Content (answers 37 after 1 ms)",
                "http: 200 OK (answers 55 after 1 ms)",
            ]
        )
        #expect(flow.messages.last?.range == 140..<169)
    }

    @Test("Hands on to WebSocket behind an upgrade, also what the client sent early")
    func upgrade() {
        var flow = DissectionDialogue()
        flow.up("GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        flow.add([0x81, 0x85, 1, 2, 3, 4] + zip("hello".utf8, [1, 2, 3, 4, 1] as [UInt8]).map { $0 ^ $1 }, .upstream)
        #expect(flow.take() == ["up 0..<72 http: GET /chat x"])
        flow.down("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
        flow.add([0x88, 0x02, 0x03, 0xe8], .downstream)
        #expect(
            flow.take() == [
                "down 0..<56 http: 101 Switching Protocols (answers 0 after 2 ms)",
                "up 72..<83 websocket: text, 5 bytes: hello",
                "down 56..<60 websocket: close, 2 bytes: 1000 ",
            ]
        )
    }

    @Test("Looks into a tunnel, and goes on where an upgrade was refused")
    func tunnels() {
        var flow = DissectionDialogue()
        flow.up("CONNECT a:80 HTTP/1.1\r\n\r\n")
        flow.up(Self.request)
        flow.down("HTTP/1.1 200 Yes\r\n\r\n")
        #expect(
            flow.take() == [
                "up 0..<25 http: CONNECT a:80", "down 0..<20 http: 200 Yes (answers 0 after 2 ms)",
                "up 25..<81 http: GET /a example.com",
            ]
        )
        var other = DissectionDialogue()
        other.up("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n")
        other.up(Self.request)
        other.down(Self.answer)
        #expect(other.take().count == 3)
    }

    @Test("Says what a head has whose end never comes, and goes on within a body that has a gap")
    func incomplete() {
        var flow = DissectionDialogue()
        flow.up("GET /a HTTP/1.1\r\nHost: exam")
        flow.gap(10, .upstream)
        flow.up(Self.request)
        #expect(flow.take() == ["up 0..<27 http: GET /a exam (incomplete)", "up 37..<93 http: GET /a example.com"])
        flow.down("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        flow.gap(100, .downstream)
        flow.down(Self.answer)
        #expect(
            flow.take() == [
                "down 0..<140 http: 200 OK, 100 bytes (incomplete) (answers 37 after 1 ms)",
                "down 140..<209 http: 200 OK text/plain, 5 bytes",
            ]
        )
    }

    @Test(
        "Is not every text with capitals",
        arguments: [
            "OPTIONS sip:x SIP/2.0\r\n\r\n", "SETUP rtsp://x RTSP/1.0\r\n\r\n", "220 mail ESMTP\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2 200\r\n",
        ]
    )
    func others(text: String) {
        var flow = DissectionDialogue(port: 80)
        flow.up(text)
        flow.finish()
        #expect(flow.said == [])
    }

    @Test("Gives up a head that has no end, in bounded memory")
    func endless() {
        var flow = DissectionDialogue()
        flow.up("GET / HTTP/1.1\r\nX: ")
        for _ in 0..<100 { flow.up(String(repeating: "x", count: 10_000)) }
        flow.finish()
        #expect(flow.said == [])
    }

    @Test("Reads a body of 16 MB without looking at it")
    func long() {
        var flow = DissectionDialogue()
        flow.up(Self.request)
        flow.down("HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n")
        #expect(flow.take().count == 1)
        let chunk = [UInt8](repeating: 0, count: 1 << 16)
        for _ in 0..<256 { flow.add(chunk, .downstream) }
        #expect(flow.take() == ["down 0..<16777261 http: 200 OK, 16777216 bytes (answers 0 after 1 ms)"])
    }

    @Test(
        "A request line is split on any blanks",
        arguments: ["POST  /x  HTTP/1.0", "POST /x HTTP/1.0 ", "POST \t/x\t HTTP/1.0", "POST  /x /y HTTP/1.0"]
    )
    func blanks(line: String) {
        var flow = DissectionDialogue()
        flow.up(line + "\r\nHost: h\r\n\r\n")
        flow.down("HTTP/1.1  204  No Content\r\n\r\n")
        #expect(flow.messages.map { $0.summary.string } == ["POST /x h", "204  No Content"])
        #expect(flow.messages.first?.values("http.request.uri") == ["/x"])
        #expect(flow.messages.first?.values("http.request.version") == ["HTTP/1.0"])
    }

    @Test("The target of a request with two blanks is found in a capture", .needsCases)
    func twoBlanks() throws {
        #expect(try CaseMessages("http-two-spaces.pcap").said.first?.contains("POST /x h.example") == true)
    }

    @Test("A value that is longer than what is kept says that it is cut", .needsCases)
    func cut() throws {
        let fields = try CaseMessages("http-long-uri.pcap").fields
        #expect(fields[0].contains { $0.hasPrefix("http.request.uri 4..<3004 /aaa") && $0.hasSuffix("a (cut)") })
        #expect(!fields[0].contains { $0.hasPrefix("http.host") && $0.hasSuffix("(cut)") })
    }

    @Test("The line of a chunk's size and one behind the last chunk are shorter than 8 KiB", arguments: [8191, 8192])
    func chunkLines(count: Int) {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for (before, line, after) in [("", "1;", "\na\r\n0\r\n\r\n"), ("0\r\n", "X: ", "\n\r\n")] {
            var flow = DissectionDialogue(port: 80)
            flow.up(Self.request)
            flow.down(head + before)
            flow.down(line + String(repeating: "x", count: count - line.utf8.count))
            flow.down(after)
            #expect(flow.said.contains { $0.contains(" in chunks") } == (count < 8192))
        }
    }

    @Test("An answer is that of the first of the last 128 requests", arguments: [127, 128, 129, 130])
    func pipelined(count: Int) {
        var flow = DissectionDialogue(port: 80)
        for _ in 0..<count { flow.up("GET /a HTTP/1.1\r\n\r\n") }
        flow.down("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(flow.messages.count == count + 1)
        #expect(flow.messages.last?.answer?.request == 19 * max(0, count - 128))
    }
}
