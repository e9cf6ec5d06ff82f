import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Exchanges of HTTP")
struct HTTPExchangeTests {
    private static let get = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n"

    private static func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }

    @Test("A request and its answer are one, with fields, bodies and times")
    func one() throws {
        var traffic = MadeTraffic()
        traffic.open()
        traffic.send(
            .upstream,
            Array("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde".utf8),
            cutAt: [20, 48]
        )
        traffic.send(
            .downstream,
            Array("HTTP/1.0 201 Very well\r\nX-Y:  z \r\nContent-Length: 2\r\n\r\nok".utf8),
            cutAt: [9]
        )
        traffic.finish()
        let found = traffic.exchanges()
        #expect(found.count == 1)
        let exchange = try #require(found.first)
        let (request, answer) = (try #require(exchange.request), try #require(exchange.answer))
        #expect(exchange.place == 0 && exchange.number == 1)
        #expect(request.content.isRequest && !answer.content.isRequest)
        #expect(Self.text(request.content.method) == "POST" && Self.text(request.content.target) == "/p")
        #expect(Self.text(request.content.version) == "HTTP/1.1" && Self.text(request.content.body) == "abcde")
        #expect(request.content.value("host") == "h" && request.content.value("none") == nil)
        #expect(answer.content.status == 201 && Self.text(answer.content.phrase) == "Very well")
        #expect(answer.content.fields[0].name == Array("X-Y".utf8) && answer.content.fields[0].value == [0x7a])
        #expect(Self.text(answer.content.body) == "ok" && answer.content.sentBodySize == 2)
        #expect(answer.content.headSize == 55 && !request.content.isCut && !answer.content.isCut)
        // The handshake is 3 packets, the request 3, the answer 2.
        #expect(request.firstTime == 3_000_000 && request.time == 5_000_000)
        #expect(answer.firstTime == 6_000_000 && answer.time == 7_000_000)
    }

    @Test("Chunks are joined, wherever the segments and the chunks are cut", arguments: 1...12)
    func chunks(size: Int) {
        let body = Array("the quick brown fox".utf8)
        var sent = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        for start in stride(from: 0, to: body.count, by: size) {
            let part = body[start..<min(start + size, body.count)]
            sent += Array("\(String(part.count, radix: 16));x=y\r\n".utf8) + part + [13, 10]
        }
        sent += Array("0\r\nTrailer: t\r\n\r\n".utf8)
        for cut in 0..<sent.count {
            var traffic = MadeTraffic()
            traffic.open()
            traffic.send(.upstream, Self.get)
            traffic.send(.downstream, sent, cutAt: [cut])
            let found = traffic.exchanges()
            #expect(found.count == 1 && found.first?.request != nil, "\(cut)")
            let answer = found.first?.answer?.content
            #expect(answer?.body == body && answer?.isChunked == true && answer?.isCut == false, "\(cut)")
            #expect(answer?.sentBodySize == sent.count - 47)
        }
    }

    @Test("Pipelined requests get their own answers; one of 1xx answers nothing, and one to HEAD has no body")
    func pipelined() {
        var traffic = MadeTraffic()
        traffic.open()
        let requests = ["GET /1", "HEAD /2", "GET /3"].map { "\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined()
        traffic.send(.upstream, requests)
        let answers = [
            "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1",
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\n3",
        ].joined()
        traffic.send(.downstream, Array(answers.utf8), cutAt: [30, 70])
        let found = traffic.exchanges()
        #expect(found.map(\.number) == [1, 2, 3])
        #expect(found.map { Self.text($0.request?.content.target) } == ["/1", "/2", "/3"])
        #expect(found.map { $0.answer?.content.status } == [200, 200, 404])
        #expect(found.map { Self.text($0.answer?.content.body) } == ["1", "", "3"])
    }

    @Test("A body without a length ends with its side; a request without an answer comes at the end")
    func ends() {
        var traffic = MadeTraffic()
        traffic.open()
        traffic.send(.upstream, Self.get)
        traffic.send(.downstream, "HTTP/1.0 200 OK\r\n\r\nall of ")
        traffic.send(.downstream, "it")
        traffic.finish()
        let other = MadeTraffic.Ports(client: 50_001, server: 8080)
        traffic.open(other)
        traffic.send(.upstream, Self.get, other)
        let found = traffic.exchanges()
        #expect(found.map(\.place) == [0, 1])
        #expect(Self.text(found[0].answer?.content.body) == "all of it" && found[0].answer?.content.isCut == false)
        #expect(found[1].request != nil && found[1].answer == nil)
    }

    @Test("Bytes that were not captured are zeros in the body, and counted")
    func gaps() {
        var traffic = MadeTraffic()
        traffic.open()
        traffic.send(.upstream, Self.get)
        traffic.send(.downstream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        traffic.lose(.downstream, 4)
        traffic.send(.downstream, "xyz")
        traffic.finish()
        let answer = traffic.exchanges().first?.answer?.content
        #expect(answer?.body == Array("abc\0\0\0\0xyz".utf8))
        #expect(answer?.missing == 4 && answer?.isCut == true && answer?.leftOut == 0)
    }

    @Test("What is more than the limit is left out, and the next message is whole again")
    func limits() {
        var limits = HeldBytes.Limits()
        limits.message = 60
        var traffic = MadeTraffic()
        traffic.open()
        for number in 0..<2 {
            traffic.send(.upstream, Self.get)
            let body = String(repeating: "x", count: number == 0 ? 100 : 10)
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            traffic.send(.downstream, Array(answer.utf8), cutAt: number == 0 ? [40, 80] : [20])
        }
        let found = traffic.exchanges(limits)
        #expect(found.count == 2)
        let (first, second) = (found.first?.answer?.content, found.last?.answer?.content)
        // The head has 40 bytes.
        #expect(first?.body.count == 20 && first?.leftOut == 80 && first?.isCut == true)
        #expect(second?.body.count == 10 && second?.leftOut == 0 && second?.isCut == false)
    }

    @Test("Other protocols keep no more than the limit, and HTTP after them is not read")
    func others() {
        var limits = HeldBytes.Limits()
        limits.unclaimed = 1000
        var traffic = MadeTraffic()
        traffic.open()
        for _ in 0..<20 { traffic.send(.upstream, [UInt8](repeating: 0xff, count: 500)) }
        #expect(traffic.exchanges(limits).isEmpty)
    }

    @Test("What follows an upgrade is no body")
    func upgrade() {
        var traffic = MadeTraffic()
        traffic.open()
        traffic.send(.upstream, "GET /w HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        traffic.send(.downstream, "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        traffic.send(.downstream, [0x81, 2, 0x68, 0x69])
        traffic.finish()
        let found = traffic.exchanges()
        #expect(found.map { $0.answer?.content.status } == [101])
        #expect(found.first?.answer?.content.body.isEmpty == true)
    }

    @Test("The types and codings of a body are told by its fields")
    func fields() {
        var traffic = MadeTraffic()
        traffic.open()
        traffic.send(.upstream, Self.get)
        let head = "HTTP/1.1 200 OK\r\nCONTENT-TYPE: Text/HTML ; charset=x\r\nContent-Encoding: gzip\r\n"
        traffic.send(.downstream, head + "content-encoding: br\r\nContent-Length: 0\r\n\r\n")
        let content = traffic.exchanges().first?.answer?.content
        #expect(content?.mediaType == "text/html" && content?.codings == "gzip,br")
    }
}
