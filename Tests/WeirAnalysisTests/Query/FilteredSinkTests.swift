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
        let path = FlowPath(
            client: try #require(Endpoint("10.0.0.1:40000")),
            listener: try #require(Endpoint("10.0.0.9:80")),
            egress: Endpoint("10.0.0.3:50000"),
            server: Endpoint("10.0.0.2:80")
        )
        var sink = FilteredSink(try FlowQuery(parsing: query), NotingSink())
        var (messages, sent) = (FlowMessages(sink.messages), [UInt64(0), UInt64(0)])
        var output = ByteBuffer()
        func take(_ happening: FlowRecord.Happening, _ text: String = "") {
            let record = record(happening, path: path)
            let bytes = Array(text.utf8)
            var read: [FlowRecord] = []
            messages.read(record, bytes.span.bytes) { message in
                let happening = FlowRecord.Happening.message(message)
                read.append(FlowRecord(of: record.subject, moment: record.moment, happening: happening))
            }
            for message in read { sink.render(message, bytes: RawSpan(), into: &output) }
            sink.render(record, bytes: bytes.span.bytes, into: &output)
        }
        take(.opened)
        for (direction, text) in chunks {
            let side = Int(direction.rawValue)
            take(chunk(direction, at: sent[side], text.utf8.count), text)
            sent[side] += UInt64(text.utf8.count)
        }
        if isResetByToxic {
            take(.toxic(ToxicRecord(direction: .downstream, name: "r", type: "reset_peer", effect: .reset)))
        }
        let counters = Counters()
        take(.closed(CloseRecord(reason: .finished, upstream: counters, downstream: counters, duration: .seconds(1))))
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
