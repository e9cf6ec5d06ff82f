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

    @Test("Has a line under the chunk that completes a message, and says which request is answered")
    func lines() {
        var sink = Read(TerminalSink(show: .summary, dissects: true))
        let head = "12:31:07.104218 #1"
        #expect(sink.sink.interest == .chunks && sink.sink.messages == .summaries)
        #expect(
            sink.rendered(record(chunk(.upstream, at: 0, 10)), Array(Self.get.utf8.prefix(10)))
                == "\(head) up    (10 bytes) @0\n"
        )
        #expect(
            sink.rendered(record(chunk(.upstream, at: 10, 12)), Array(Self.get.utf8.dropFirst(10)))
                == "\(head) up    (12 bytes) @10\n\(head) up    redis: GET key\n"
        )
        #expect(
            sink.rendered(record(chunk(.downstream, at: 0, 9)), "$3\r\n200\r\n")
                == "\(head) down  (9 bytes) @0\n\(head) down  redis: (200)  answers up @0, 0.000 ms\n"
        )
    }

    @Test("Shows what is not complete above a flow's last line")
    func incomplete() {
        var sink = Read(TerminalSink(show: .summary, dissects: true))
        _ = sink.rendered(record(chunk(.upstream, at: 0, 13)), "*2\r\n$3\r\nGET\r\n")
        let last = sink.rendered(record(Sample.closed(.of(1, in: 1), .of(1, in: 1))))
        #expect(last.hasPrefix("12:31:07.104218 #1 up    redis: GET  (incomplete)\n12:31:07.104218 #1 tcp close"))
    }

    @Test("Bounds the lines under a chunk")
    func many() {
        var sink = Read(TerminalSink(show: .summary, dissects: true))
        let text = String(repeating: Self.get, count: 100)
        let lines = sink.rendered(record(chunk(.upstream, at: 0, text.utf8.count)), text).split(separator: "\n")
        #expect(lines.count == 34)
        #expect(lines.last == "12:31:07.104218 #1 up    (68 messages) more")
    }

    @Test(
        "Counts the messages over 32 in the direction of the last one shown, without parts, and begins anew with the next chunk"
    )
    func counts() {
        let head = "12:31:07.104218 #1"
        for (count, more) in [(32, nil), (33, "(1 message) more"), (37, "(5 messages) more")] as [(Int, String?)] {
            var sink = TerminalSink(show: .summary, dissects: true)
            for number in 1...count {
                _ = sink.rendered(record(Sample.message(number == 32 ? .downstream : .upstream)))
            }
            for _ in 0..<2 { _ = sink.rendered(record(Sample.message { $0.isUnfinished = true })) }
            let lines = sink.rendered(record(chunk(.upstream, at: 0, 1))).split(separator: "\n")
            #expect(lines.count == 33 + (more == nil ? 0 : 1))
            #expect(lines[1] == "\(head) up    redis: GET key" && lines[32] == "\(head) down  redis: GET key")
            if let more { #expect(lines.last == "\(head) down  \(more)") }
            #expect(sink.rendered(record(chunk(.upstream, at: 1, 1))) == "\(head) up    (1 byte) @1\n")
        }
    }

    @Test(
        "Colours the lines of messages by their direction, and the count of those left out",
        arguments: Direction.allCases
    )
    func coloredLines(direction: Direction) {
        var sink = TerminalSink(show: .summary, color: true, dissects: true)
        for _ in 0..<34 { _ = sink.rendered(record(Sample.message(direction))) }
        let lines = sink.rendered(record(.ended(.upstream))).split(separator: "\n")
        let isUp = direction == .upstream
        let head = "\u{1B}[\(isUp ? 36 : 33)m12:31:07.104218 #1 \(isUp ? "up    " : "down  ")"
        #expect(lines.count == 34 && lines[1] == "\(head)redis: GET key\u{1B}[0m")
        #expect(lines.last == "\(head)(2 messages) more\u{1B}[0m")
    }

    @Test("However many messages are coloured, 32 have a line", arguments: [0, 10, 40])
    func coloredMany(limit: Int) {
        var sink = Read(TerminalSink(show: .hex, limit: limit, color: true, dissects: true))
        let text = String(repeating: Self.get, count: 100)
        let lines = sink.rendered(record(chunk(.upstream, at: 0, text.utf8.count)), text).split(separator: "\n")
        #expect(lines.count { $0.contains("redis: GET key") } == 32)
        #expect(lines.last == "\u{1B}[36m12:31:07.104218 #1 up    (68 messages) more\u{1B}[0m")
        // The last message's key is in the last line of the whole dump.
        let last = lines.first { $0.hasPrefix("00000890") }
        #expect((last?.contains("m6b 65 79\u{1B}[0m") ?? false) == (limit == 0))
    }

    @Test("Colours the fields of a datagram wherever it is in its direction")
    func coloredDatagram() {
        var sink = Read(TerminalSink(show: .hex, color: true, dissects: true))
        let text = sink.rendered(record(chunk(.upstream, at: 100, 7), .udp), "<34>one")
        #expect(text.contains("\n  fields: \u{1B}["), "\(text)")
    }

    @Test("Says nothing where it is not to dissect, or nothing is shown")
    func off() {
        var sink = Read(TerminalSink(show: .summary))
        #expect(sink.sink.messages == .none)
        #expect(!sink.rendered(record(chunk(.upstream, at: 0, 22)), Self.get).contains("redis"))
        var none = Read(TerminalSink(show: .none, dissects: true))
        #expect(none.sink.interest == .flows && none.sink.messages == .none)
        #expect(none.rendered(record(chunk(.upstream, at: 0, 22)), Self.get) == "")
        #expect(TerminalSink(show: .hex, dissects: true).messages == .summaries)
        #expect(TerminalSink(show: .hex, color: true, dissects: true).messages == .fields)
        #expect(TerminalSink(show: .summary, color: true, dissects: true).messages == .summaries)
    }

    @Test("Colours the fields of a message over its bytes, and names them; without colour the dump is the same as ever")
    func colors() {
        var sink = Read(TerminalSink(show: .hex, color: true, dissects: true))
        let expected = """
            \u{1B}[36m12:31:07.104218 #1 up    (22 bytes) @0\u{1B}[0m
            00000000  2a \u{1B}[32m32\u{1B}[0m 0d 0a 24 33 0d 0a  \u{1B}[35m47 45 54\u{1B}[0m 0d 0a 24 33 0d  \
            |*\u{1B}[32m2\u{1B}[0m..$3..\u{1B}[35mGET\u{1B}[0m..$3.|
            00000010  0a \u{1B}[34m6b 65 79\u{1B}[0m 0d 0a                                 |.\u{1B}[34mkey\u{1B}[0m..|
              fields: \u{1B}[32mredis.count\u{1B}[0m \u{1B}[35mredis.command\u{1B}[0m \u{1B}[34mredis.argument\u{1B}[0m
            \u{1B}[36m12:31:07.104218 #1 up    redis: GET key\u{1B}[0m

            """
        #expect(sink.rendered(record(chunk(.upstream, at: 0, 22)), Self.get) == expected)
        var plain = Read(TerminalSink(show: .hex, dissects: true))
        var without = Read(TerminalSink(show: .hex))
        #expect(
            plain.rendered(record(chunk(.upstream, at: 0, 22)), Self.get)
                == without.rendered(record(chunk(.upstream, at: 0, 22)), Self.get)
                + "12:31:07.104218 #1 up    redis: GET key\n"
        )
    }

    @Test("Colours the fields of a message that goes on behind the chunk, and those in the part that is shown alone")
    func parts() {
        var sink = Read(TerminalSink(show: .hex, limit: 16, color: true, dissects: true))
        let first = sink.rendered(record(chunk(.upstream, at: 0, 14)), Array(Self.get.utf8.prefix(14)))
        #expect(first.contains("fields: \u{1B}[32mredis.count\u{1B}[0m \u{1B}[35mredis.command\u{1B}[0m\n"))
        let second = sink.rendered(record(chunk(.upstream, at: 14, 8)), Array(Self.get.utf8.dropFirst(14)))
        #expect(second.contains("fields: \u{1B}[32mredis.argument\u{1B}[0m\n"))
        let cut = sink.rendered(record(chunk(.upstream, at: 22, 22)), Self.get)
        #expect(cut.contains("redis.command") && !cut.contains("redis.argument"))
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
                    + #""summary":"GET k\"y"}"#
            ) == true
        )
        let answer = sink.rendered(record(chunk(.downstream, at: 0, 5)), "$-1\r\n").split(separator: "\n").last
        #expect(answer?.hasSuffix(#""length":5,"complete":true,"summary":"nil","answers":0,"delay_ns":0}"#) == true)
    }
}
