import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirSinks

/// A sink behind a reader of messages, as in the relay.
private struct Read<Rendering: Sink> {
    private(set) var sink: Rendering
    private var reader: FlowMessages

    init(_ sink: Rendering) {
        self.sink = sink
        reader = FlowMessages(sink.messages)
    }

    mutating func rendered(_ record: FlowRecord, _ text: String = "") -> String { rendered(record, Array(text.utf8)) }

    mutating func rendered(_ record: FlowRecord, _ bytes: [UInt8]) -> String {
        var (messages, text) = ([FlowRecord](), "")
        reader.read(record, bytes.span.bytes) { message in
            messages.append(FlowRecord(of: record.subject, moment: record.moment, happening: .message(message)))
        }
        for message in messages { text += sink.rendered(message) }
        return text + sink.rendered(record, bytes)
    }
}

@Suite("Messages in a sink")
struct MessageLinesTests {
    private static let get = "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"
    private static let head = "2026-11-22 12:31:07.104218 #1 "

    private static func sink(
        _ show: TerminalSink.Show,
        limit: Int = 4096,
        dissects: Bool = true,
        fields: Bool = false,
        _ style: TerminalStyle = TerminalStyle()
    ) -> TerminalSink {
        var options = TerminalSink.Options()
        options.limit = limit
        options.dissects = dissects
        options.showsFields = fields
        return TerminalSink(show: show, options, style: style)
    }

    @Test("What a chunk completes is on its line, and how long an answer took")
    func lines() {
        var sink = Read(Self.sink(.summary))
        #expect(sink.sink.interest == .chunks && sink.sink.messages == .summaries)
        #expect(
            sink.rendered(record(chunk(.upstream, at: 0, 10)), Array(Self.get.utf8.prefix(10)))
                == "\(Self.head)▲ 10 B @0\n"
        )
        #expect(
            sink.rendered(record(chunk(.upstream, at: 10, 12)), Array(Self.get.utf8.dropFirst(10)))
                == "\(Self.head)▲ redis GET key   12 B @10\n"
        )
        #expect(
            sink.rendered(record(chunk(.downstream, at: 0, 9)), "$3\r\n200\r\n")
                == "\(Self.head)▼ redis 200   0.00 ms   9 B @0\n"
        )
    }

    @Test("A line for each message keeps the answer where the terminal is narrow, and says that a flow was reset")
    func messagesAlone() {
        let path = String(repeating: "/long", count: 40)
        let request = "GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n"
        let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        for width in [60, 80, 100, 120] {
            var sink = Read(Self.sink(.messages, TerminalStyle(width: width)))
            #expect(sink.rendered(record(chunk(.upstream, at: 0, request.utf8.count)), request) == "")
            let line = sink.rendered(record(chunk(.downstream, at: 0, answer.utf8.count)), answer)
            #expect(line.contains(" ▲ http GET /lo") && line.contains("… → 404 Not Found"), "\(line)")
            #expect(line.hasSuffix(" ms\n") && line.count <= width + 1)
        }
        for (reason, isShown) in [(CloseReason.serverReset, true), (.clientReset, true), (.finished, false)] {
            var sink = Read(Self.sink(.messages))
            _ = sink.rendered(record(chunk(.upstream, at: 0, 22)), Self.get)
            let closed = sink.rendered(record(Sample.closed(.of(22, in: 1), .of(0, in: 0), reason)))
            let lines = closed.split(separator: "\n")
            #expect(lines.first?.contains("▲ redis GET key") == true && lines.count == (isShown ? 2 : 1), "\(closed)")
            #expect(!isShown || lines.last?.contains("reset") == true)
        }
    }

    @Test("What is known of a chunk besides is on a line of its own, if the chunk means something")
    func notes() {
        var sink = Read(Self.sink(.summary))
        let echo = chunk(.upstream, at: 0, 22, peer: Sample.peer)
        #expect(
            sink.rendered(record(echo), Self.get)
                == "\(Self.head)▲ redis GET key   22 B @0\n  to 127.0.0.1:1069\n"
        )
    }

    @Test("Shows what is not complete above a flow's last line")
    func incomplete() {
        var sink = Read(Self.sink(.summary))
        _ = sink.rendered(record(chunk(.upstream, at: 0, 13)), "*2\r\n$3\r\nGET\r\n")
        let last = sink.rendered(record(Sample.closed(.of(1, in: 1), .of(1, in: 1))))
        #expect(last.hasPrefix("\(Self.head)▲ redis GET, incomplete\n\(Self.head)closed, "))
    }

    @Test("Several messages of a chunk are on its line, 32 at most, and the others are counted")
    func many() {
        var sink = Read(Self.sink(.summary))
        for (count, more) in [(1, ""), (2, ""), (32, ""), (33, "; 1 more"), (100, "; 68 more")] {
            let text = String(repeating: Self.get, count: count)
            let line = sink.rendered(record(chunk(.upstream, at: 0, text.utf8.count)), text)
            let shown = ["redis GET key"] + Array(repeating: "GET key", count: min(count, 32) - 1)
            #expect(line == "\(Self.head)▲ \(shown.joined(separator: "; "))\(more)   \(text.utf8.count) B @0\n")
            sink = Read(Self.sink(.summary))
        }
    }

    @Test("Messages of the next chunk are its own, and parts are none")
    func parts() {
        var sink = Self.sink(.summary)
        _ = sink.rendered(record(Sample.message()))
        _ = sink.rendered(record(Sample.message { $0.isUnfinished = true }))
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 1))) == "\(Self.head)▲ redis GET key   1 B @0\n")
        #expect(sink.rendered(record(chunk(.upstream, at: 1, 1))) == "\(Self.head)▲ 1 B @1\n")
    }

    @Test("What the end of a direction completes has a line, in the direction's colour", arguments: Direction.allCases)
    func ends(direction: Direction) {
        var sink = Self.sink(.summary, TerminalStyle(color: true))
        for _ in 0..<2 { _ = sink.rendered(record(Sample.message(direction))) }
        let (sign, color) = direction == .upstream ? ("▲", 36) : ("▼", 33)
        #expect(
            sink.rendered(record(.ended(.upstream)))
                == "2026-11-22 12:31:07.104218 \u{1B}[35m#1\u{1B}[0m \u{1B}[\(color)m\(sign) redis GET key; GET key"
                + "\u{1B}[0m\n"
        )
    }

    @Test("However many messages are coloured, 32 are named", arguments: [0, 10, 40])
    func coloredMany(limit: Int) {
        var sink = Read(Self.sink(.hex, limit: limit, TerminalStyle(color: true)))
        let text = String(repeating: Self.get, count: 100)
        let lines = sink.rendered(record(chunk(.upstream, at: 0, text.utf8.count)), text).split(separator: "\n")
        #expect(lines[0].contains("GET key; 68 more\u{1B}[0m"))
        // The last message's key is in the last line of the whole dump.
        let last = lines.first { $0.hasPrefix("  00000890") }
        #expect((last?.contains("m6b 65 79\u{1B}[0m") ?? false) == (limit == 0))
    }

    @Test("Says nothing where it is not to dissect, or nothing is shown")
    func off() {
        var sink = Read(Self.sink(.summary, dissects: false))
        #expect(sink.sink.messages == .none)
        #expect(!sink.rendered(record(chunk(.upstream, at: 0, 22)), Self.get).contains("redis"))
        for show in [TerminalSink.Show.none, .ports, .text2pcap] {
            #expect(Self.sink(show).messages == .none)
        }
        #expect(Self.sink(.hex).messages == .summaries)
        #expect(Self.sink(.hex, TerminalStyle(color: true)).messages == .fields)
        #expect(Self.sink(.hex, fields: true).messages == .fields)
        #expect(Self.sink(.summary, TerminalStyle(color: true)).messages == .summaries)
        #expect(Self.sink(.messages, dissects: false).messages == .summaries)
    }

    @Test("Colours the fields of a message over its bytes; without colour the dump is the same as ever")
    func colors() {
        var sink = Read(Self.sink(.hex, TerminalStyle(color: true)))
        let expected = """
              00000000  2a \u{1B}[32m32\u{1B}[0m 0d 0a 24 33 0d 0a  \u{1B}[35m47 45 54\u{1B}[0m 0d 0a 24 33 0d  \
            |*\u{1B}[32m2\u{1B}[0m..$3..\u{1B}[35mGET\u{1B}[0m..$3.|
              00000010  0a \u{1B}[34m6b 65 79\u{1B}[0m 0d 0a                                 |.\u{1B}[34mkey\u{1B}[0m..|

            """
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 22)), Self.get).hasSuffix("   22 B @0\n" + expected))
        var plain = Read(Self.sink(.hex))
        var without = Read(Self.sink(.hex, dissects: false))
        let dump = without.rendered(record(chunk(.upstream, at: 0, 22)), Self.get).split(separator: "\n").dropFirst()
        let shown = plain.rendered(record(chunk(.upstream, at: 0, 22)), Self.get).split(separator: "\n").dropFirst()
        #expect(dump == shown)
    }

    @Test("Names and values of fields stand under the dump if they are asked for, as many on a line as fit")
    func fields() {
        var sink = Read(Self.sink(.hex, fields: true))
        #expect(
            sink.rendered(record(chunk(.upstream, at: 0, 22)), Self.get)
                .hasSuffix("|.key..|\n  redis.count=2  redis.command=GET  redis.argument=key\n")
        )
        var narrow = Read(Self.sink(.summary, fields: true, TerminalStyle(width: 40)))
        #expect(
            narrow.rendered(record(chunk(.upstream, at: 0, 22)), Self.get)
                .hasSuffix(" B @0\n  redis.count=2  redis.command=GET\n  redis.argument=key\n")
        )
        var colored = Read(Self.sink(.hex, fields: true, TerminalStyle(color: true)))
        #expect(
            colored.rendered(record(chunk(.upstream, at: 0, 22)), Self.get).hasSuffix(
                "  \u{1B}[32mredis.count\u{1B}[0m=2  \u{1B}[35mredis.command\u{1B}[0m=GET  "
                    + "\u{1B}[34mredis.argument\u{1B}[0m=key\n"
            )
        )
    }

    @Test("Colours the fields of a message that goes on after the chunk, and those in the part that is shown alone")
    func coloredParts() {
        var sink = Read(Self.sink(.hex, limit: 16, TerminalStyle(color: true)))
        let first = sink.rendered(record(chunk(.upstream, at: 0, 14)), Array(Self.get.utf8.prefix(14)))
        #expect(first.contains("\u{1B}[32m32\u{1B}[0m") && first.contains("\u{1B}[35m47 45 54\u{1B}[0m"))
        let second = sink.rendered(record(chunk(.upstream, at: 14, 8)), Array(Self.get.utf8.dropFirst(14)))
        #expect(second.contains("\u{1B}[32m6b 65 79\u{1B}[0m"))
        let cut = sink.rendered(record(chunk(.upstream, at: 22, 22)), Self.get)
        #expect(cut.contains("m47 45 54\u{1B}[0m") && !cut.contains("6b 65 79"))
    }

    @Test("Has a JSON object for each message")
    func json() {
        var sink = Read(JSONLinesSink(withBytes: false, dissects: true))
        #expect(sink.sink.interest == .chunks && sink.sink.messages == .summaries)
        #expect(JSONLinesSink(withBytes: true).messages == .none)
        let get = "*2\r\n$3\r\nGET\r\n$3\r\nk\"y\r\n"
        let lines = sink.rendered(record(chunk(.upstream, at: 0, get.utf8.count)), get).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.contains("\"event\":\"data\"") == true)
        #expect(
            lines.last?.hasSuffix(
                #""server":"127.0.0.1:65432","direction":"upstream","protocol":"redis","offset":0,"length":22,"complete":true,"#
                    + #""summary":"GET k\"y","request":true}"#
            ) == true
        )
        let answer = sink.rendered(record(chunk(.downstream, at: 0, 5)), "$-1\r\n").split(separator: "\n").last
        #expect(answer?.hasSuffix(#""length":5,"complete":true,"summary":"nil","answers":0,"delay_ns":0}"#) == true)
    }

    @Test("The object of a message has what queries ask for, and a reader of the log finds it again")
    func facts() throws {
        var sink = Read(JSONLinesSink(withBytes: false, dissects: true))
        let get = "GET http://h.example/a?b HTTP/1.1\r\nHost: h.example:80\r\n\r\n"
        let missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        let texts = [
            sink.rendered(record(chunk(.upstream, at: 0, get.utf8.count)), get),
            sink.rendered(record(chunk(.downstream, at: 0, missing.utf8.count)), missing),
        ]
        let lines = texts.compactMap { $0.split(separator: "\n").last }
        try #require(lines.count == 2)
        #expect(
            lines[0].hasSuffix(
                #","request":true,"method":"GET","path":"http://h.example/a?b","host":"h.example:80"}"#
            ),
            "\(lines[0])"
        )
        #expect(lines[1].hasSuffix(#","answers":0,"delay_ns":0,"status":404,"error":true}"#), "\(lines[1])")
        var reader = LogRecordReader()
        var messages: [Message] = []
        for line in lines {
            let item = Array(line.utf8).withUnsafeBytes { reader.read($0) }
            guard case .record(let record)? = item, case .message(let message) = record.happening else { continue }
            messages.append(message)
        }
        try #require(messages.count == 2)
        #expect(messages[0].isRequest && messages[0].facts.method == "GET" && !messages[0].isError)
        #expect(messages[0].facts.target == "http://h.example/a?b" && messages[0].facts.host == "h.example:80")
        #expect(!messages[1].isRequest && messages[1].facts.status == 404 && messages[1].isError)
    }
}
