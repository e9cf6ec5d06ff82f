import Support
import Testing
import WeirAnalysis
import WeirWire

@Suite("HTTP archives")
struct HARWriterTests {
    private static let connection = HARWriter.Connection(
        flow: 7,
        client: Endpoint(address: .loopbackV4, port: 50_000),
        server: Endpoint(address: .loopbackV4, port: 8080),
        connect: 500_000
    )

    /// Writes an archive of exchanges, with the bodies as they were sent.
    private static func archive(_ exchanges: [HTTPExchange], trouble: String? = nil) throws -> JSONValue {
        var writer = HARWriter(version: "1.2.3")
        var output = ByteBuffer()
        writer.begin(to: &output)
        for exchange in exchanges {
            writer.append(
                exchange,
                connection,
                requestBody: HARWriter.Body(bytes: exchange.request?.content.body ?? []),
                answerBody: HARWriter.Body(bytes: exchange.answer?.content.body ?? [], trouble: trouble),
                to: &output
            )
        }
        writer.finish(to: &output)
        return try JSONParser.parseWhole(output.withUnsafeBytes { Array($0) })
    }

    private static func exchanges(_ up: [UInt8], _ down: [UInt8]) -> [HTTPExchange] {
        var traffic = MadeTraffic()
        traffic.open()
        traffic.send(.upstream, up)
        if !down.isEmpty { traffic.send(.downstream, down) }
        return traffic.exchanges()
    }

    private static func entry(_ up: String, _ down: [UInt8]) throws -> JSONValue {
        let archive = try archive(exchanges(Array(up.utf8), down))
        return try #require(archive["log"]?["entries"]?.arrayValue?.first)
    }

    @Test("Have the members that HAR 1.2 requires, also without entries")
    func members() throws {
        let empty = try Self.archive([])
        #expect(empty["log"]?["version"]?.stringValue == "1.2")
        #expect(empty["log"]?["creator"] == ["name": "weir", "version": "1.2.3"])
        #expect(empty["log"]?["entries"] == [])
        let entry = try Self.entry(
            "GET /a?b=c%20d&e=f+g&h HTTP/1.1\r\nHost: h:81\r\nCookie: a=b; c=d\r\n\r\n",
            Array(
                "HTTP/1.1 302 Found\r\nLocation: /x\r\nSet-Cookie: s=t; Path=/p; HttpOnly\r\nContent-Length: 0\r\n\r\n"
                    .utf8
            )
        )
        let keys = [
            "startedDateTime", "time", "request", "response", "cache", "timings", "serverIPAddress", "connection",
        ]
        for key in keys { #expect(entry[key] != nil, "\(key)") }
        let request = try #require(entry["request"])
        #expect(request["method"] == "GET" && request["url"] == "http://h:81/a?b=c%20d&e=f+g&h")
        #expect(request["httpVersion"] == "HTTP/1.1" && request["headersSize"]?.intValue == 65)
        #expect(request["bodySize"]?.intValue == 0 && request["postData"] == nil)
        #expect(request["cookies"] == [["name": "a", "value": "b"], ["name": "c", "value": "d"]])
        #expect(
            request["queryString"] == [
                ["name": "b", "value": "c d"], ["name": "e", "value": "f g"], ["name": "h", "value": ""],
            ]
        )
        #expect(
            request["headers"] == [["name": "Host", "value": "h:81"], ["name": "Cookie", "value": "a=b; c=d"]]
        )
        let response = try #require(entry["response"])
        #expect(response["status"]?.intValue == 302 && response["statusText"] == "Found")
        #expect(response["redirectURL"] == "/x" && response["httpVersion"] == "HTTP/1.1")
        #expect(response["cookies"] == [["name": "s", "value": "t", "path": "/p", "httpOnly": true]])
        #expect(response["content"] == ["size": 0, "mimeType": "application/octet-stream"])
        #expect(entry["serverIPAddress"] == "127.0.0.1" && entry["connection"] == "7")
    }

    @Test("Entries are in the order of their times, whenever their answers came", arguments: [256 << 20, 1])
    func order(mostKept: Int) throws {
        // The first request is not answered, so that it is known last.
        let starts: [Int64] = [30, 10, 40, 20, 10]
        var writer = HARWriter(version: "1", mostKept: mostKept)
        var output = ByteBuffer()
        writer.begin(to: &output)
        for (number, start) in starts.enumerated() {
            var exchange = try #require(Self.exchanges(Array("GET /\(number) HTTP/1.1\r\n\r\n".utf8), []).first)
            exchange.number = 2
            exchange.request?.firstTime = start
            exchange.request?.time = start
            let none = HARWriter.Body(bytes: [])
            writer.append(exchange, Self.connection, requestBody: none, answerBody: none, to: &output)
        }
        writer.finish(to: &output)
        let archive = try JSONParser.parseWhole(output.withUnsafeBytes { Array($0) })
        let urls = archive["log"]?["entries"]?.arrayValue?.compactMap { $0["request"]?["url"]?.stringValue }.map {
            String($0.suffix(1))
        }
        // Without room they come as they are.
        #expect(urls == (mostKept > 1 ? ["1", "4", "3", "0", "2"] : ["0", "1", "2", "3", "4"]))
        #expect(writer.entries == 5)
    }

    @Test("Times add up; the first request of a flow has the time to connect")
    func times() throws {
        let entry = try Self.entry("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Array("HTTP/1.1 204 No\r\n\r\n".utf8))
        // The request is the fourth packet, at 3 ms, the answer the fifth.
        #expect(entry["startedDateTime"] == "1970-01-01T00:00:00.002500000Z")
        let timings = try #require(entry["timings"])
        #expect(timings["connect"]?.doubleValue == 0.5 && timings["send"]?.doubleValue == 0)
        #expect(timings["wait"]?.doubleValue == 1 && timings["receive"]?.doubleValue == 0)
        #expect(timings["ssl"]?.intValue == -1 && timings["dns"]?.intValue == -1 && timings["blocked"]?.intValue == -1)
        #expect(entry["time"]?.doubleValue == 1.5)
    }

    @Test("Bodies are text if they can be, else base64")
    func bodies() throws {
        func content(_ body: [UInt8], _ type: String) throws -> JSONValue? {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\r\n"
            return try Self.entry("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Array(head.utf8) + body)["response"]?["content"]
        }
        let text = try content(Array("a\"\\\u{1F600}\n\u{1B}".utf8), "text/plain")
        #expect(text == ["size": 9, "mimeType": "text/plain", "text": "a\"\\\u{1F600}\n\u{1B}"])
        let binary = try content([0xff, 0, 1], "image/png")
        #expect(binary == ["size": 3, "mimeType": "image/png", "text": "/wAB", "encoding": "base64"])
        let posted = try Self.entry("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: t\r\nContent-Length: 2\r\n\r\nhi", [])
        #expect(posted["request"]?["postData"] == ["mimeType": "t", "params": [], "text": "hi"])
        #expect(posted["response"]?["status"]?.intValue == 0)
        #expect(posted["comment"] == "no answer was captured")
    }

    @Test("What is wrong with a body is a comment, and an answer without a request is no entry")
    func comments() throws {
        let exchanges = Self.exchanges(
            Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8),
            Array("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".utf8)
        )
        let entries = try Self.archive(exchanges, trouble: "still coded as br")["log"]?["entries"]?.arrayValue
        #expect(
            entries?.first?["comment"]
                == "the answer's body was not captured whole; the answer's body: still coded as br"
        )
        var answer = try #require(exchanges.first)
        answer.request = nil
        #expect(try Self.archive([answer, answer])["log"]?["entries"] == [])
    }

    @Test("No bytes of the traffic break the archive", arguments: 0..<10)
    func hostile(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        func bytes(_ count: Int) -> [UInt8] {
            (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }.filter { $0 != 10 && $0 != 13 }
        }
        for _ in 0..<20 {
            let up =
                Array("GET /".utf8) + bytes(9).filter { $0 != 32 } + Array(" HTTP/1.1\r\nCookie: ".utf8) + bytes(20)
                + Array("\r\nHost: ".utf8) + bytes(9) + [13, 10, 13, 10]
            let down =
                Array("HTTP/1.1 200 ".utf8) + bytes(9) + Array("\r\nSet-Cookie: ".utf8) + bytes(20)
                + Array("\r\nContent-Length: 20\r\n\r\n".utf8) + [UInt8](repeating: bytes(99).first ?? 0, count: 20)
            let exchanges = Self.exchanges(up, down)
            #expect(
                try Self.archive(exchanges)["log"]?["entries"]?.arrayValue?.count
                    == exchanges.count { $0.request != nil }
            )
        }
    }
}
