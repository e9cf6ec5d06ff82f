import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Messages in text and JSON")
struct MessagesTextTests {
    private static let query: [UInt8] = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]
    private static let record: [UInt8] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]

    /// Makes an answer with a number of records.
    private static func answer(_ count: Int) -> [UInt8] {
        var bytes = query
        (bytes[2], bytes[3], bytes[7]) = (0x81, 0x80, UInt8(count))
        return bytes + (0..<count).flatMap { _ in record }
    }

    /// Shows what a dissector says, in text and as JSON.
    private static func views(
        hasFields: Bool,
        _ style: TerminalStyle = TerminalStyle(),
        _ transport: Transport = .udp,
        port: UInt16 = 53,
        _ talk: (inout FlowDissector, (Message) -> Void) -> Void
    ) -> (text: String, json: String) {
        var text = ByteBuffer()
        var json = ByteBuffer()
        var textView = MessagesText(style, hasFields: hasFields)
        var jsonView = MessagesJSON(hasFields: hasFields)
        var dissector = FlowDissector(transport, clientPort: 50_000, serverPort: port)
        talk(&dissector) { message in
            textView.append(message, flow: 2, to: &text)
            jsonView.append(message, flow: 2, to: &json)
        }
        return (text.string, json.string)
    }

    @Test("A question and its answer, with their fields")
    func fields() {
        let shown = Self.views(hasFields: true) { dissector, note in
            dissector.add(Self.query.span.bytes, .upstream, at: 1_000_000) { note($0) }
            dissector.add(Self.answer(1).span.bytes, .downstream, at: 3_500_000) { note($0) }
        }
        #expect(
            shown.text == """
                00:00:00.001000 #2 up    dns query A a
                    @0 2 bytes dns.id: 4660
                    @2 2 bytes dns.flags.response: 0
                    @2 2 bytes dns.flags.opcode: 0
                    @2 2 bytes dns.flags.truncated: 0
                    @12 3 bytes dns.qry.name: a
                    @15 2 bytes dns.qry.type: 1
                    @17 2 bytes dns.qry.class: 1
                00:00:00.003500 #2 down  dns answer A a: 192.0.2.1  answers @0, 2.500 ms
                    @0 2 bytes dns.id: 4660
                    @2 2 bytes dns.flags.response: 1
                    @2 2 bytes dns.flags.opcode: 0
                    @2 2 bytes dns.flags.truncated: 0
                    @2 2 bytes dns.flags.authoritative: 0
                    @2 2 bytes dns.flags.rcode: 0
                    @12 3 bytes dns.qry.name: a
                    @15 2 bytes dns.qry.type: 1
                    @17 2 bytes dns.qry.class: 1
                    @19 2 bytes dns.resp.name: a
                    @21 2 bytes dns.resp.type: 1
                    @23 2 bytes dns.resp.class: 1
                    @25 4 bytes dns.resp.ttl: 60
                    @29 2 bytes dns.resp.len: 4
                    @31 4 bytes dns.a: 192.0.2.1

                """
        )
        let lines = shown.json.split(separator: "\n")
        #expect(
            lines[0] == """
                {"time":"1970-01-01T00:00:00.001000000Z","flow":2,"event":"message","direction":"upstream",\
                "protocol":"dns","offset":0,"length":19,"complete":true,"summary":"query A a",\
                "fields":[{"name":"dns.id","offset":0,"length":2,"value":4660},\
                {"name":"dns.flags.response","offset":2,"length":2,"value":0},\
                {"name":"dns.flags.opcode","offset":2,"length":2,"value":0},\
                {"name":"dns.flags.truncated","offset":2,"length":2,"value":0},\
                {"name":"dns.qry.name","offset":12,"length":3,"value":"a"},\
                {"name":"dns.qry.type","offset":15,"length":2,"value":1},\
                {"name":"dns.qry.class","offset":17,"length":2,"value":1}]}
                """
        )
        #expect(
            lines[1].hasPrefix(
                """
                {"time":"1970-01-01T00:00:00.003500000Z","flow":2,"event":"message","direction":"downstream",\
                "protocol":"dns","offset":0,"length":35,"complete":true,"summary":"answer A a: 192.0.2.1",\
                "answers":0,"delay_ns":2500000,"fields":[
                """
            )
        )
        #expect(lines[1].hasSuffix(#"{"name":"dns.a","offset":31,"length":4,"value":"192.0.2.1"}]}"#))
    }

    @Test("Without fields a message is one line, in the colour of its direction; it may have no end and no time")
    func plain() {
        let shown = Self.views(hasFields: false, TerminalStyle(color: true), .tcp, port: 80) { dissector, note in
            dissector.add(Array("GET /a HTTP/1.1\r\n\r\n".utf8).span.bytes, .upstream, at: nil) { note($0) }
            dissector.add(Array("HTTP/1.1 200 OK\r\nX: y\r\n".utf8).span.bytes, .downstream, at: nil) { note($0) }
            dissector.finish { note($0) }
        }
        #expect(
            shown.text == "\u{1B}[36mno time         #2 up    http GET /a\u{1B}[0m\n"
                + "\u{1B}[33mno time         #2 down  http 200 OK (incomplete)\u{1B}[0m\n"
        )
        let rest = #""flow":2,"event":"message","direction":"#
        #expect(
            shown.json == #"{"time":null,"# + rest
                + #""upstream","protocol":"http","offset":0,"length":19,"complete":true,"summary":"GET /a"}"# + "\n"
                + #"{"time":null,"# + rest
                + #""downstream","protocol":"http","offset":0,"length":23,"complete":false,"summary":"200 OK"}"# + "\n"
        )
    }

    /// A request with a long path, and its answer 1.5 ms later.
    private static func exchange(_ style: TerminalStyle, _ path: String, hasFields: Bool = false) -> [String] {
        let shown = views(hasFields: hasFields, style, .tcp, port: 80) { dissector, note in
            dissector.add(Array("GET \(path) HTTP/1.1\r\n\r\n".utf8).span.bytes, .upstream, at: 0) { note($0) }
            let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
            dissector.add(Array(answer.utf8).span.bytes, .downstream, at: 1_500_000) { note($0) }
        }
        return shown.text.split(separator: "\n").map(String.init)
    }

    @Test("On a terminal lines fit, and the time of an answer stands at the right edge")
    func terminal() {
        #expect(
            Self.exchange(TerminalStyle(width: 60), "/" + String(repeating: "long", count: 20)) == [
                "00:00:00.000000 #2 up    http GET /longlonglonglonglonglong…",
                "00:00:00.001500 #2 down  http 404 Not Found" + String(repeating: " ", count: 11) + "1.5 ms",
            ]
        )
        for width in [40, 60, 80, 100, 120] {
            for color in [false, true] {
                let style = TerminalStyle(width: width, color: color)
                let lines = Self.exchange(style, "/" + String(repeating: "宽", count: 50), hasFields: true)
                #expect(lines.count > 4)
                for line in lines {
                    #expect(DisplayWidth.columns(of: Array(line.utf8).span.bytes) <= width, "\(line)")
                }
            }
        }
    }

    @Test("A request and its answer are one line, whose end is left where the request is long")
    func pair() throws {
        var messages: [Message] = []
        var output = ByteBuffer()
        var dissector = FlowDissector(.tcp, clientPort: 50_000, serverPort: 80)
        let request = "GET /\(String(repeating: "long", count: 20)) HTTP/1.1\r\n\r\n"
        dissector.add(Array(request.utf8).span.bytes, .upstream, at: 0) { messages.append($0) }
        let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        dissector.add(Array(answer.utf8).span.bytes, .downstream, at: 1_500_000) { messages.append($0) }
        try #require(messages.count == 2)
        for style in [TerminalStyle(), TerminalStyle(width: 80), TerminalStyle(width: 60, isUnicode: false)] {
            var view = MessagesText(style, hasFields: false)
            view.append(request: messages[0], answer: messages[1], flow: 3, to: &output)
            view.append(request: nil, answer: messages[1], flow: 3, to: &output)
        }
        let long = String(repeating: "long", count: 20)
        let lines = output.string.split(separator: "\n").map(String.init)
        #expect(lines[0] == "00:00:00.000000 #3 up    http GET /\(long) → 404 Not Found  answers @0, 1.500 ms")
        #expect(lines[1] == "00:00:00.001500 #3 down  http 404 Not Found  answers @0, 1.500 ms")
        #expect(lines[2].contains("http GET /long") && lines[2].contains("… → 404 Not Found ") && lines[2].count == 80)
        #expect(lines[3].hasSuffix("404 Not Found" + String(repeating: " ", count: 31) + "1.5 ms"))
        #expect(lines[4].contains(" GET /... -> 404 No...") && lines[4].hasSuffix("   1.5 ms") && lines[4].count <= 60)
    }

    @Test("Fields beyond the most that are kept are counted", arguments: [(83, 0), (84, 1), (85, 7)])
    func leftOut(count: Int, left: Int) {
        let shown = Self.views(hasFields: true) { dissector, note in
            dissector.add(Self.answer(count).span.bytes, .downstream, at: 0) { note($0) }
        }
        #expect(shown.text.hasSuffix("\n    \(left) field\(left == 1 ? "" : "s") not kept\n") == (left > 0))
        #expect(shown.text.split(separator: "\n").count == 1 + min(9 + 6 * count, 512) + (left > 0 ? 1 : 0))
        #expect(shown.json.hasSuffix("],\"fields_left_out\":\(left)}\n") == (left > 0))
        #expect(shown.json.hasSuffix("}]}\n") == (left == 0))
    }
}
