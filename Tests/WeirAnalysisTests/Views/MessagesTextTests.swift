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
        color: Bool = false,
        _ transport: Transport = .udp,
        port: UInt16 = 53,
        _ talk: (inout FlowDissector, (Message) -> Void) -> Void
    ) -> (text: String, json: String) {
        var text = ByteBuffer()
        var json = ByteBuffer()
        var textView = MessagesText(hasFields: hasFields, color: color)
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
        let shown = Self.views(hasFields: false, color: true, .tcp, port: 80) { dissector, note in
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
