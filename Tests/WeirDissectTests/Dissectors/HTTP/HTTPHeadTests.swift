import Testing

@testable import WeirDissect
@testable import WeirWire

@Suite("HTTP head")
struct HTTPHeadTests {
    @Test("Reads each header field that has a name of its own, and where it is")
    func fields() {
        var flow = DissectionDialogue()
        flow.up(
            "PUT /a?b=c HTTP/1.0\r\nHOST:\th.example \r\nUser-Agent: ua\r\nContent-Type: t/x\r\nContent-Length: 2\r\n"
                + "Accept: */*\r\nCookie: k=v\r\nAuthorization: Basic eA==\r\nReferer: r\r\nConnection: close\r\nDate: now\r\n"
                + "X-Own: \t1\r\nno colon\r\nEmpty:\r\n\r\nab"
        )
        flow.down(
            "HTTP/1.1 301 Moved Permanently\r\nServer: s\r\nLocation: /l\r\nSet-Cookie: a\r\nContent-Encoding: gzip\r\n"
                + "Content-Type: text/html \r\nTransfer-Encoding: Chunked\r\nHost: of an answer\r\n\r\n0\r\n\r\n"
        )
        #expect(
            flow.lines
                == """
                up 0..<221 http: PUT /a?b=c h.example, 2 bytes
                  http.request.method 0..<3 PUT
                  http.request.uri 4..<10 /a?b=c
                  http.request.version 11..<19 HTTP/1.0
                  http.host 27..<36 h.example
                  http.user_agent 51..<53 ua
                  http.content_type 69..<72 t/x
                  http.content_length_header 90..<91 2
                  http.accept 101..<104 */*
                  http.cookie 114..<117 k=v
                  http.authorization 134..<144 Basic eA==
                  http.referer 155..<156 r
                  http.connection 170..<175 close
                  http.date 183..<186 now
                  http.header 188..<197 X-Own: 	1
                  http.header 209..<215 Empty:
                  http.body 219..<221 2
                down 0..<177 http: 301 Moved Permanently text/html, 0 bytes in chunks (answers 0 after 1 ms)
                  http.response.version 0..<8 HTTP/1.1
                  http.response.code 9..<12 301
                  http.response.phrase 13..<30 Moved Permanently
                  http.server 40..<41 s
                  http.location 53..<55 /l
                  http.set_cookie 69..<70 a
                  http.content_encoding 90..<94 gzip
                  http.content_type 110..<119 text/html
                  http.transfer_encoding 141..<148 Chunked
                  http.host 156..<168 of an answer
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Says what there is of a stream that ends anywhere")
    func cut() {
        #expect(
            outcomes(
                of: Array("GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nxy".utf8)
            )
                == """
                0...16 nothing
                17...21 http: GET /a (incomplete), 3 fields
                22...23 http: GET /a  (incomplete), 4 fields
                24...27 http: GET /a h (incomplete), 4 fields
                28...45 http: GET /a h, 4 fields
                46...60 http: GET /a h, 4 fields | http: POST /b (incomplete), 3 fields
                61...66 http: GET /a h, 4 fields | http: POST /b (incomplete), 4 fields
                67...68 http: GET /a h, 4 fields | http: POST /b, 2 bytes (incomplete), 5 fields
                69 http: GET /a h, 4 fields | http: POST /b, 2 bytes, 5 fields
                """.split(separator: "\n").map(String.init)
        )
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nxy\r\n0\r\nT: x\r\n\r\n"
        let earlier: [(bytes: [UInt8], direction: Direction)] = [(Array("GET /a HTTP/1.1\r\n\r\n".utf8), .upstream)]
        #expect(
            outcomes(of: Array(answer.utf8), .downstream, after: earlier)
                == """
                0...16 nothing
                17...34 http: 200 OK (incomplete), 3 fields
                35...68 http: 200 OK (incomplete), 4 fields
                69 http: 200 OK, 2 bytes in chunks, 4 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: Array("NOTIFY * HTTP/1.1\r\nHost: h\r\n\r\n".utf8), .upstream, .udp, port: 4000)
                == """
                0...18 nothing
                19...23 http: NOTIFY * (incomplete), 3 fields
                24...25 http: NOTIFY *  (incomplete), 4 fields
                26...29 http: NOTIFY * h (incomplete), 4 fields
                30 http: NOTIFY * h, 4 fields
                """.split(separator: "\n").map(String.init)
        )
        #expect(
            outcomes(of: Array("GET /old\r\n".utf8), port: 80)
                == """
                0...9 nothing
                10 http: GET /old, 2 fields
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "A body ends as its request and its head say",
        arguments: [
            ("GET", "200 OK\r\nContent-Length: 3", "abc", "200 OK, 3 bytes"),
            ("GET", "200 OK\r\nContent-Length: 0", "", "200 OK"),
            ("HEAD", "200 OK\r\nContent-Length: 3", "", "200 OK"),
            ("HEAP", "200 OK\r\nContent-Length: 3", "abc", "200 OK, 3 bytes"),
            ("GET", "204 No\r\nContent-Length: 3", "", "204 No"), ("GET", "304 No\r\nContent-Length: 3", "", "304 No"),
            ("GET", "205 No\r\nContent-Length: 3", "abc", "205 No, 3 bytes"),
            ("GET", "199 X\r\nContent-Length: 3", "", "199 X"),
            ("CONNECT", "300 X\r\nContent-Length: 3", "abc", "300 X, 3 bytes"),
            ("CONNECTS", "200 X\r\nContent-Length: 3", "abc", "200 X, 3 bytes"),
            (
                "GET", "200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 9", "1\r\na\r\n0\r\n\r\n",
                "200 OK, 1 byte in chunks"
            ),
            ("GET", "200 OK\r\nTransfer-Encoding: chunke", "", nil), ("GET", "200 OK\r\nContent-Length: 1x", "", nil),
            ("GET", "200 OK\r\nContent-Length:", "", nil),
            ("GET", "200 OK\r\nContent-Length: 72057594037927937", "", nil),
            ("GET", "200 OK\r\nContent-Length: /", "", nil), ("GET", "200 OK\r\nContent-Length: :", "", nil),
            ("GET", "200 OK\r\nContent-Lengt: 3", "", nil), ("GET", "200 OK\r\nTransport-Encoding: chunked", "", nil),
        ] as [(String, String, String, String?)]
    )
    func bodies(method: String, head: String, body: String, text: String?) {
        var flow = DissectionDialogue()
        flow.up("\(method) / HTTP/1.1\r\n\r\n")
        flow.down("HTTP/1.1 \(head)\r\n\r\n\(body)")
        flow.down("HTTP/1.1 500 Next\r\nContent-Length: 0\r\n\r\n")
        // An answer without a length takes all that follows.
        let texts = flow.messages.filter { $0.direction == .downstream }.map(\.summary.string)
        #expect(texts == (text.map { [$0, "500 Next"] } ?? []))
    }

    @Test(
        "Is a request or an answer by its first line",
        arguments: [
            ("GET / HTTP/1.1", true), ("A-_ / HTTP/1.1", true), ("GE / HTTP/1.1", false), ("GE: / HTTP/1.1", false),
            ("get / HTTP/1.1", false),
            ("G@T / HTTP/1.1", false), ("G[T / HTTP/1.1", false), ("[ET / HTTP/1.1", false),
            ("ABCDEFGHIJKLMNOPQRSTUVWX / HTTP/1.1", true),
            ("ABCDEFGHIJKLMNOPQRSTUVWXY / HTTP/1.1", false), ("GET / HTTP/2.0", false), ("HTTP/1.1 200", true),
            ("HTTP/1.1 200 ", true),
            ("HTTP/1.1 20", false), ("HTTP/1.1 2x0 OK", false), ("HTTP/1.1 2:0 OK", false), ("HTTP/1.1 2/0 OK", false),
            ("HTTP/1.1_200 OK", false),
            ("HTTP/1.  200 OK", true), ("GET /", false), ("GET", false),
        ]
    )
    func firstLines(line: String, isHead: Bool) {
        var flow = DissectionDialogue()
        flow.up(line + "\r\nContent-Length: 0\r\n\r\n")
        #expect(flow.said.count == (isHead ? 1 : 0))
    }

    @Test(
        "A request of one line is HTTP/0.9 on a port of HTTP",
        arguments: [
            ("GET /a", "GET /a"), ("GET /a ", "GET /a"), ("GET /a b", "GET /a b"), ("GET", nil), ("GET ", nil),
            ("PUT /a", nil), ("GET /a HTTP/2", nil),
        ] as [(String, String?)]
    )
    func simple(line: String, text: String?) {
        var flow = DissectionDialogue(port: 80)
        flow.up(line + "\r\n")
        #expect(flow.messages.map(\.summary.string) == (text.map { [$0] } ?? []))
    }

    @Test(
        "A chunk's size has hexadecimal digits, and all sizes count",
        arguments: [
            ("1\r\na\r\n0\r\n\r\n", "1 byte in chunks"), ("0a\r\n0123456789\r\n0\r\n\r\n", "10 bytes in chunks"),
            ("F\r\n0123456789abcde\r\n1 ; x\r\na\r\n0\r\n\r\n", "16 bytes in chunks"),
            ("0\r\n\r\n", "0 bytes in chunks"), ("00\n\n", "0 bytes in chunks"),
            ("1\na\r\n0\r\nA: b\r\n\r\n", "1 byte in chunks"), ("x\r\n\r\n", nil), ("g\r\n\r\n", nil),
            ("G\r\n\r\n", nil), ("/\r\n\r\n", nil), (":\r\n\r\n", nil),
            ("@\r\n\r\n", nil), ("`\r\n\r\n", nil), ("100000000000000f\r\n\r\n", nil),
        ] as [(String, String?)]
    )
    func chunks(body: String, text: String?) {
        var flow = DissectionDialogue()
        flow.up("GET / HTTP/1.1\r\n\r\n")
        flow.down("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(body)")
        #expect(flow.messages.dropFirst().map(\.summary.string) == (text.map { ["200 OK, \($0)"] } ?? []))
    }

    @Test(
        "A change of protocol needs its request, and 101 or an answer to CONNECT",
        arguments: [
            ("GET / HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n", "101 Yes\r\nUpgrade: x\r\n\r\n", "redis"),
            ("GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n", "101 Yes\r\nUpgrade: WebSocket\r\n\r\n", "websocket"),
            ("GET / HTTP/1.1\r\n\r\n", "101 Yes\r\nUpgrade: websocket\r\n\r\n", "websocket"),
            ("CONNECT a:1 HTTP/1.1\r\n\r\n", "200 Yes\r\n\r\n", "redis"),
            ("CONNECT a:1 HTTP/1.1\r\n\r\n", "299 Yes\r\n\r\n", "redis"),
            ("CONNECT a:1 HTTP/1.1\r\n\r\n", "300 No\r\nContent-Length: 0\r\n\r\n", nil),
        ] as [(String, String, String?)]
    )
    func handOver(request: String, answer: String, name: String?) {
        var flow = DissectionDialogue()
        flow.up(request)
        flow.down("HTTP/1.1 " + answer)
        _ = flow.take()
        if name == "websocket" { flow.add([0x89, 0], .downstream) } else { flow.up("*1\r\n$4\r\nPING\r\n") }
        let new = flow.said.filter { !$0.contains(" http: ") }
        #expect(new.count == (name == nil ? 0 : 1))
        #expect(new.allSatisfy { $0.contains(name ?? "") })
    }
}
