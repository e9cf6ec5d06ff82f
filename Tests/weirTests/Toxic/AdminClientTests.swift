import Support
import Testing
import WeirWire

@testable import weir

@Suite("A client of the control API", .tags(.network), .timeLimit(.minutes(1)))
struct AdminClientTests {
    /// Lets a client make a call, and returns what it said and sent.
    private static func call(
        answer: String,
        token: String? = nil,
        prefix: String = "",
        _ body: @escaping @Sendable (AdminClient) throws(Failure) -> String
    ) async throws -> (said: String, sent: String, place: String) {
        let server = try TCPServer()
        let place = "\(server.endpoint)"
        let client = try AdminClient(url: prefix + place, token: token)
        let calling = try Background {
            do throws(Failure) { return try body(client) } catch { return "\(error.code.rawValue) \(error.message)" }
        }
        let sent = try await runThread {
            let peer = try server.accept()
            var head: [UInt8] = []
            while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) { head += try peer.receive(1) }
            let text = String(decoding: head, as: UTF8.self)
            let digits = text.split(separator: "Content-Length: ").last?.prefix { $0.isNumber } ?? ""
            let body = try peer.receive(try #require(Int(digits)))
            try peer.send(answer)
            peer.finish()
            _ = try? peer.receiveToEnd()
            return text + String(decoding: body, as: UTF8.self)
        }
        return (try calling.value(), sent, place)
    }

    private static func answer(_ status: Int, _ body: String) -> String {
        "HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test("A request has its path, its host, the program's name, the token, and the length of its body")
    func sends() async throws {
        let plain = try await Self.call(answer: Self.answer(200, #"{"a":1}"#)) { client throws(Failure) in
            try client.call("GET", "/x?y").text
        }
        let head = "User-Agent: weir/\(Machine.version)\r\nConnection: close\r\nContent-Length:"
        #expect(plain.said == #"{"a":1}"#)
        #expect(plain.sent == "GET /x?y HTTP/1.1\r\nHost: \(plain.place)\r\n\(head) 0\r\n\r\n")
        let full = try await Self.call(answer: Self.answer(200, "{}"), token: "s", prefix: "http://") {
            client throws(Failure) in
            try client.call("POST", "/x", ["b": 2]).text
        }
        let rest = "Content-Type: application/json\r\nAuthorization: Bearer s\r\n\r\n{\"b\":2}"
        #expect(full.said == "{}" && full.sent == "POST /x HTTP/1.1\r\nHost: \(full.place)\r\n\(head) 7\r\n\(rest)")
    }

    @Test(
        "An answer is taken, is that there is nothing, or is an error with its reason",
        arguments: [
            (200, "", "true", "done"), (204, "", "true", "done"), (299, "x", "true", "done"),
            (404, #"{"error":"gone"}"#, "false", "69 PLACE says 404: gone"),
            (300, "moved", "69 PLACE says 300: moved", "69 PLACE says 300: moved"),
            (400, #"{"detail":"why"}"#, "69 PLACE says 400: why", "69 PLACE says 400: why"),
            (
                401, #"{"error":"no","detail":"why"}"#,
                "69 PLACE says 401: no; name the token's file with --token-file",
                "69 PLACE says 401: no; name the token's file with --token-file"
            ),
        ]
    )
    func judges(status: Int, body: String, reaches: String, performs: String) async throws {
        let answer = Self.answer(status, body)
        let first = try await Self.call(answer: answer) { client throws(Failure) in "\(try client.reaches("GET", "/x"))"
        }
        #expect(first.said == reaches.replacing("PLACE", with: first.place))
        let second = try await Self.call(answer: answer) { client throws(Failure) in
            try client.perform("POST", "/x")
            return "done"
        }
        #expect(second.said == performs.replacing("PLACE", with: second.place))
        #expect(second.sent.hasPrefix("POST /x HTTP/1.1\r\n") && first.sent.hasPrefix("GET /x HTTP/1.1\r\n"))
    }

    @Test("A reason is shown up to 512 bytes, as text or in JSON", arguments: [512, 513, 100_000])
    func boundsReasons(count: Int) async throws {
        let long = String(repeating: "x", count: count)
        for body in [long, "{\"error\":\"\(long)\"}"] {
            let called = try await Self.call(answer: Self.answer(500, body)) { client throws(Failure) in
                try client.call("GET", "/x").text
            }
            let start = "69 \(called.place) says 500: "
            #expect(called.said == start + String(repeating: "x", count: 512))
        }
    }

    @Test("A body of megabytes is sent and read whole")
    func sendsMuch() async throws {
        let long = String(repeating: "y", count: 3_000_000)
        let called = try await Self.call(answer: Self.answer(200, "{\"a\":\"\(long)\"}")) { client throws(Failure) in
            "\(try client.call("POST", "/x", ["b": .string(long)])["a"]?.stringValue?.utf8.count ?? 0)"
        }
        #expect(called.said == "3000000" && called.sent.utf8.count > 3_000_000 && called.sent.hasSuffix("y\"}"))
    }

    @Test(
        "A place is HOST:PORT, with or without http:// and a slash",
        arguments: [
            ("127.0.0.1:8474", true), ("http://127.0.0.1:8474", true), ("http://localhost:8474/", true),
            ("[::1]:8474", true), ("", false), ("http://", false), ("localhost", false), ("https://localhost:1", false),
            ("localhost:0", false), ("localhost:1//", false), ("*:1", false),
        ]
    )
    func readsPlaces(url: String, isGood: Bool) {
        do throws(Failure) {
            _ = try AdminClient(url: url, token: nil)
            #expect(isGood)
        } catch {
            #expect(!isGood && error.code == .usage && error.message.hasPrefix("'\(url)' is no URL of a control API"))
        }
    }

    @Test("Where nobody listens the relay is asked for")
    func refused() async throws {
        let port = try RefusingPort()
        let client = try AdminClient(url: "\(port.endpoint)", token: nil)
        let said = try await runThread {
            do throws(Failure) { return try client.call("GET", "/x").text } catch {
                return "\(error.code.rawValue) \(error.message)"
            }
        }
        #expect(said.hasPrefix("69 cannot connect to ") && said.hasSuffix("; does a relay run with --admin?"))
    }
}
