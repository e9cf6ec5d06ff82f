import Support
import Testing
import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirSinks
import WeirWire

/// A sink that writes down what it is given, a word each.
private struct NotingSink: Sink {
    var interest: Interest { .bytes }
    var messages: MessageInterest { .summaries }

    mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        switch record.happening {
        case .opened: output.append("open ")
        case .message(let message): output.append("[\(message.summary.string)] ")
        case .forwarded(let chunk):
            output.append(chunk.direction == .upstream ? ">" : "<")
            output.append("\(bytes.byteCount) ")
        case .closed: output.append("close ")
        default: output.append("other ")
        }
    }
}

@Suite("The sink that shows what fits a query")
struct FilteredSinkTests {
    /// Feeds chunks of one flow to port 80, and returns what is shown.
    private static func shown(
        _ query: String,
        _ chunks: [(Direction, String)],
        isResetByToxic: Bool = false
    ) throws -> String {
        var sink = FilteredSink(try FlowQuery(parsing: query), NotingSink())
        var flow = ReadFlow(sink.messages)
        var output = ByteBuffer()
        flow.take(.opened) { sink.render($0, bytes: $1, into: &output) }
        for (direction, text) in chunks { flow.send(direction, text) { sink.render($0, bytes: $1, into: &output) } }
        if isResetByToxic {
            let reset = ToxicRecord(direction: .downstream, name: "r", type: "reset_peer", effect: .reset)
            flow.take(.toxic(reset)) { sink.render($0, bytes: $1, into: &output) }
        }
        flow.close { sink.render($0, bytes: $1, into: &output) }
        return output.string
    }

    private static let get = (Direction.upstream, "GET /a HTTP/1.1\r\n\r\n")
    private static let post = (Direction.upstream, "POST /b HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
    private static let found = (Direction.downstream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    private static let missing = (Direction.downstream, "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\n")

    @Test("A flow that fits is shown whole, one that does not not at all")
    func flows() throws {
        #expect(try Self.shown("port 80", [Self.get, Self.found]) == "open [GET /a] >19 [200 OK] <38 close ")
        #expect(try Self.shown("port 81", [Self.get, Self.found]) == "")
    }

    @Test("A flow that a toxic resets has an error, as it has in its capture")
    func toxicReset() throws {
        #expect(try Self.shown("error", [Self.get, Self.found]) == "")
        let shown = try Self.shown("error", [Self.get, Self.found], isResetByToxic: true)
        #expect(shown == "open other close ")
    }

    @Test(
        "A chunk with two requests is shown once, if the answer to one of them fits",
        arguments: [
            ("status = 404", "open [GET /a] >38 [404 No] <38 close "),
            ("status = 200", "open [GET /c] >38 [200 OK] <38 close "),
            ("status > 199", "open [GET /a] >38 [404 No] <38 [GET /c] [200 OK] <38 close "),
            ("status > 499", ""),
        ]
    )
    func pipelined(query: String, shown: String) throws {
        let missing = (Direction.downstream, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
        let both = (Direction.upstream, "GET /a HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n")
        #expect(try Self.shown(query, [both, missing, Self.found]) == shown)
    }

    @Test("Pipelines that never rest keep nothing of what was shown")
    func neverAtRest() throws {
        let both = "GET /a HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n"
        let chunks =
            [(Direction.upstream, both)]
            + (0..<1000).flatMap { _ in
                [Self.found, (.upstream, both), Self.found]
            }
        let shown = try Self.shown("status = 200", chunks)
        #expect(shown.split(separator: " ").count { $0 == ">38" } == 1000)
    }

    @Test("A request is shown with the answer that fits, and the rest of the flow is not")
    func exchanges() throws {
        let chunks = [Self.get, Self.found, Self.post, (.upstream, "body"), Self.missing, (.downstream, "gone")]
        #expect(
            try Self.shown("status = 404", chunks)
                == "open >39 [POST /b, 4 bytes] >4 <38 [404 No, 4 bytes] <4 close "
        )
        #expect(try Self.shown("status = 200", chunks) == "open [GET /a] >19 [200 OK] <38 close ")
        #expect(try Self.shown("method GET and status = 404", chunks) == "")
        #expect(
            try Self.shown("path /b", chunks)
                == "open >39 [POST /b, 4 bytes] >4 <38 [404 No, 4 bytes] <4 close "
        )
    }

    @Test("Bytes are searched across chunks, and the chunk is shown in which they end")
    func bytes() throws {
        let chunks = [(Direction.upstream, "xneed"), (.upstream, "le"), (.upstream, "y"), (.downstream, "le")]
        #expect(try Self.shown("contains needle", chunks) == "open >2 close ")
        #expect(try Self.shown("matches /ne+dle/", chunks) == "open >2 close ")
        #expect(try Self.shown("contains needles", chunks) == "")
    }

    @Test(
        "Bytes are of a message if they begin and end in it, and of none where two meet",
        arguments: [
            ("odyG", false, false), ("ody", true, false), ("GET", false, true), ("4\r\n\r\nbody", true, false),
            ("bodyGET /a HTTP/1.1\r\n\r\n", false, false), ("POST", true, false), ("\r\n\r\n", true, true),
            ("/a HTTP/1.1\r\n\r\n", false, true),
        ]
    )
    func bytesOfMessages(text: String, isInFirst: Bool, isInSecond: Bool) throws {
        let hex = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let second = "GET /a HTTP/1.1\r\n\r\n"
        let whole = Array((Self.post.1 + "body" + second).utf8)
        // In one chunk, and in two that are cut at each place.
        for cut in 0..<whole.count {
            let parts = [whole[..<cut], whole[cut...]].filter { !$0.isEmpty }
            let chunks = parts.map { (Direction.upstream, String(decoding: $0, as: UTF8.self)) }
            for (path, isFound) in [("/b", isInFirst), ("/a", isInSecond)] {
                let shown = try Self.shown("path \(path) and contains hex:\(hex)", chunks)
                #expect(shown.contains("[") == isFound, "\(path), cut at \(cut): \(shown)")
            }
        }
    }

    @Test("Chunks that may begin a message wait until it is known whether they do")
    func sliced() throws {
        let slices = [(Direction.upstream, "GE"), (.upstream, "T /a HTTP/1.1\r\n\r\n"), Self.found]
        #expect(try Self.shown("not http", slices) == "")
        #expect(try Self.shown("not status = 200", slices) == "")
        #expect(try Self.shown("http", slices) == "open >2 [GET /a] >17 [200 OK] <38 close ")
        #expect(try Self.shown("status = 200", slices) == "open >2 [GET /a] >17 [200 OK] <38 close ")
        #expect(try Self.shown("status = 404", slices) == "")
        let bytes = Array("GET /a HTTP/1.1\r\n\r\n".utf8).map {
            (Direction.upstream, String(decoding: [$0], as: UTF8.self))
        }
        #expect(try Self.shown("not http", bytes + [Self.found]) == "")
        #expect(try Self.shown("path /a", bytes + [Self.found]).hasPrefix("open >1 >1 >1 "))
        // Bytes of no protocol are shown as such, at the latest when the flow ends.
        let other = String(repeating: "\u{1}", count: 70)
        #expect(try Self.shown("not http", [(.upstream, "\u{1}\u{1}"), (.upstream, other)]) == "open >2 >70 close ")
        #expect(try Self.shown("not http", [(.upstream, "\u{1}")]) == "open >1 close ")
        #expect(try Self.shown("http", [(.upstream, "\u{1}")]) == "")
    }

    @Test("What waits is limited: beyond that, chunks are shown as those of no message")
    func limited() throws {
        // Each byte of the target costs 257.
        let slices = [(Direction.upstream, "GET /")] + Array(repeating: (Direction.upstream, "a"), count: 3000)
        let shown = try Self.shown("not http", slices + [(.upstream, " HTTP/1.1\r\n\r\n")])
        let count = shown.split(separator: " ").count { $0 == ">1" }
        #expect(count > 2000 && count < 2100, "\(count)")
    }

    @Test("What only the end tells shows the first line and the last")
    func ends() throws {
        #expect(try Self.shown("duration >= 1s", [Self.get, Self.found]) == "open close ")
        #expect(try Self.shown("duration > 1s", [Self.get, Self.found]) == "")
        #expect(try Self.shown("close finished and status = 200", [Self.get, Self.found]) == "open close ")
        #expect(try Self.shown("bytes > 20", [Self.get, Self.found]) == "open [GET /a] >19 [200 OK] <38 close ")
    }

    @Test("It wants what the query needs, besides what the sink does")
    func interests() throws {
        let none = SummarySink(details: FlowDetails())
        for (text, interest, messages) in [
            ("tcp", none.interest, none.messages), ("error", .chunks, .fields), ("contains x", .bytes, .none),
            ("http and contains x", .bytes, .fields), ("close reset", none.interest, none.messages),
        ] as [(String, Interest, MessageInterest)] {
            let sink = FilteredSink(try FlowQuery(parsing: text), none)
            #expect(sink.interest == interest && sink.messages == messages, "\(text)")
        }
    }
}
