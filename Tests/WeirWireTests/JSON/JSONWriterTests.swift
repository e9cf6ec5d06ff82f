import Testing

@testable import WeirWire

@Suite("The writer of JSON")
struct JSONWriterTests {
    /// What a closure writes, after a number of bytes that fill the buffer's first room to any extent.
    private static func written(after filling: Int = 0, _ body: (inout JSONWriter) -> Void) -> String {
        var output = ByteBuffer(capacity: 16)
        for _ in 0..<filling { output.append(UInt8(ascii: " ")) }
        output.appendJSON(body)
        output.removeFirst(filling)
        return output.string
    }

    @Test("Commas are between members and elements, and nowhere else, at any depth")
    func commas() {
        for filling in 0...64 {
            let text = Self.written(after: filling) { json in
                json.object { json in
                    json.object("none") { _ in }
                    json.array("empty") { _ in }
                    json.member("one", 1)
                    json.array("list") { json in
                        json.element(1)
                        json.array { _ in }
                        json.object { _ in }
                        json.array { json in json.element("x") }
                        json.object { json in
                            json.member("a", true)
                            json.member("b", false)
                        }
                        json.element(2)
                    }
                    json.object("deep") { json in json.object("deeper") { json in json.member("deepest", 3) } }
                    json.member("last", nil as Int?)
                }
            }
            #expect(
                text == #"{"none":{},"empty":[],"one":1,"list":[1,[],{},["x"],{"a":true,"b":false},2],"#
                    + #""deep":{"deeper":{"deepest":3}},"last":null}"#
            )
        }
    }

    @Test("A value may be alone, empty, or follow other text without a comma")
    func roots() {
        #expect(Self.written { _ in } == "")
        #expect(Self.written { $0.element(7) } == "7")
        #expect(Self.written { $0.array { _ in } } == "[]")
        #expect(Self.written { $0.object { _ in } } == "{}")
        var output = ByteBuffer()
        output.append("data: ")
        output.appendJSONLine { $0.member("a", 1) }
        output.appendJSONLine { _ in }
        output.appendJSONLine { $0.member("b", 2) }
        #expect(output.string == "data: {\"a\":1}\n{}\n{\"b\":2}\n")
    }

    @Test("Each kind of value has its form")
    func kinds() throws {
        let address = try #require(IPAddress("::1"))
        let endpoint = Endpoint(address: address, port: 80)
        let text = Self.written { json in
            json.object { json in
                json.member("least", Int.min)
                json.member("most", UInt64.max)
                json.member("int64", Int64(-1))
                json.member("int32", Int32.min)
                json.member("uint32", UInt32.max)
                json.member("uint16", UInt16.max)
                json.member("uint8", UInt8.max)
                json.member("number", JSONNumber("-1.50e3"))
                json.member("yes", true)
                json.member("no", false)
                json.member("text", "a")
                json.member("static", "b" as StaticString)
                json.member("some", "c" as String?)
                json.member("nothing", nil as Endpoint?)
                json.member("texts", ["d", "", "e"])
                json.member("no texts", [] as [String])
                json.member("optionals", [1, nil])
                json.member("up", Direction.upstream)
                json.member("down", Direction.downstream)
                json.member("tcp", Transport.tcp)
                json.member("udp", Transport.udp)
                json.member("address", address)
                json.member("endpoint", endpoint)
                json.member("utf8", utf8: Array("f\"ü".utf8).span.bytes)
                json.member("base64", base64: ([0xff, 0xef, 1] as [UInt8]).span.bytes)
                json.member("no bytes", base64: [UInt8]().span.bytes)
                json.member("quoted") { $0.appendHex(255, digits: 4) }
            }
        }
        let expected = [
            #"{"least":-9223372036854775808"#, #""most":18446744073709551615"#, #""int64":-1"#, #""int32":-2147483648"#,
            #""uint32":4294967295"#, #""uint16":65535"#, #""uint8":255"#, #""number":-1.50e3"#, #""yes":true"#,
            #""no":false"#, #""text":"a""#, #""static":"b""#, #""some":"c""#, #""nothing":null"#,
            #""texts":["d","","e"]"#, #""no texts":[]"#, #""optionals":[1,null]"#, #""up":"upstream""#,
            #""down":"downstream""#, #""tcp":"tcp""#, #""udp":"udp""#, #""address":"::1""#, #""endpoint":"[::1]:80""#,
            #""utf8":"f\"ü""#, #""base64":"/+8B""#, #""no bytes":"""#, #""quoted":"00ff"}"#,
        ]
        #expect(text == expected.joined(separator: ","))
        #expect(try JSONParser.parseWhole(Array(text.utf8)).members?.count == expected.count)
    }

    @Test("A key that is not known at compile time is escaped")
    func keys() {
        let text = Self.written { json in
            json.object { json in
                json.member("a", 1)
                json.member(named: "b\"\n", 2)
                json.member(named: "", "x")
            }
        }
        #expect(text == #"{"a":1,"b\"\u000a":2,"":"x"}"#)
    }

    @Test(
        "Text is escaped where JSON or JavaScript requires it, or it could steer a terminal, and nowhere else",
        arguments: [
            ("", ""), ("plain", "plain"), ("\"", #"\""#), ("\\", #"\\"#), ("/<&>'", "/<&>'"), ("a\"b\\c", #"a\"b\\c"#),
            ("\u{0}\u{1}\u{1f} ", #"\u0000\u0001\u001f "#), ("\n\r\t\u{8}\u{c}", #"\u000a\u000d\u0009\u0008\u000c"#),
            ("~\u{7f}\u{80}\u{9b}1m\u{9f}\u{a0}", "~\\u007f\\u0080\\u009b1m\\u009f\u{a0}"),
            ("\u{2027}\u{2028}\u{2029}\u{202a}\u{202e}\u{202f}", "\u{2027}\\u2028\\u2029\\u202a\\u202e\u{202f}"),
            ("\u{200d}\u{200e}\u{200f}\u{2010}", "\u{200d}\\u200e\\u200f\u{2010}"),
            ("\u{2065}\u{2066}\u{2069}\u{206a}", "\u{2065}\\u2066\\u2069\u{206a}"), ("é\u{85}", "é\\u0085"),
            ("é€😀", "é€😀"), ("x\u{2028}", #"x\u2028"#), ("→\u{2028}→", "→\\u2028→"), ("\"\"", #"\"\""#),
        ]
    )
    func escapes(text: String, escaped: String) throws {
        let written = Self.written { $0.element(text) }
        #expect(written == "\"\(escaped)\"")
        #expect(try JSONParser.parseWhole(Array(written.utf8)) == .string(text))
    }

    @Test("Every character of ASCII is read back, and those that control a terminal are never written")
    func ascii() throws {
        for byte in UInt8(0)..<0x80 {
            let text = "a" + String(Unicode.Scalar(byte)) + "b"
            let written = Self.written { $0.element(text) }
            #expect(written.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "\(byte)")
            #expect(try JSONParser.parseWhole(Array(written.utf8)) == .string(text))
        }
    }

    @Test(
        "Bytes that are not UTF-8 are passed on, cut separators of lines too",
        arguments: [
            [0xff], [0xe2], [0xe2, 0x80], [0x61, 0xe2, 0x80], [0xe2, 0x61, 0xa8], [0xe2, 0xe2, 0x80], [0x80, 0xa8],
            [0xe2, 0x80, 0xa7], [0xc2], [0xc2, 0x61], [0xc2, 0xc2], [0x61, 0xc2], [0xe2, 0x80, 0x61],
        ] as [[UInt8]]
    )
    func invalid(bytes: [UInt8]) {
        var output = ByteBuffer()
        output.appendQuoted(bytes.span.bytes)
        #expect(output.withUnsafeBytes { Array($0) } == [0x22] + bytes + [0x22])
    }

    @Test("Text of any length is written whole, with an escape at any place")
    func lengths() {
        for count in 0...70 {
            let plain = String(repeating: "x", count: count)
            #expect(Self.written { $0.element(plain) } == "\"\(plain)\"")
            for place in 0...count {
                let (before, after) = (plain.prefix(place), plain.dropFirst(place))
                #expect(Self.written { $0.element("\(before)\"\(after)") } == "\"\(before)\\\"\(after)\"")
            }
        }
    }
}
