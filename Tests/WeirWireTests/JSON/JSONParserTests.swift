import Testing

@testable import WeirWire

@Suite("JSON")
struct JSONParserTests {
    private static func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    @Test(
        "What is written is read back as it was",
        arguments: [
            "null", "true", "false", "0", "-1.5e+10", "\"\"", "\"a\\n\\\"\\\\ü\"", "[]", "[1,[2],{}]",
            #"{"b":1,"a":[null,{"c":"d"}]}"#, "123456789012345678901234567890",
        ]
    )
    func roundTrips(text: String) throws {
        let value = try Self.parse(text)
        #expect(value.text == text)
        #expect(try Self.parse(value.text) == value)
    }

    @Test("Escapes become what they mean, surrogates too")
    func readsEscapes() throws {
        #expect(try Self.parse(#""\u00e9\ud83d\ude00\/\b""#) == .string("é😀/\u{8}"))
        #expect(try Self.parse(#""\ud83d!""#) == .string("\u{FFFD}!"))
        #expect(JSONValue.string("<&>\u{1}").text == #""\u003c\u0026\u003e\u0001""#)
    }

    @Test("Only the first value is read, or nothing may follow it")
    func readsFirst() throws {
        #expect(try Self.parse(" 1 2") == 1)
        #expect(throws: JSONError(description: "invalid character '2' after top-level value", offset: 2)) {
            try JSONParser.parseWhole(Array("1 2".utf8))
        }
    }

    @Test(
        "What is no JSON is said in Go's words",
        arguments: [
            ("", "EOF"), ("  ", "EOF"), ("{", "unexpected EOF"), ("[1,", "unexpected EOF"), ("\"a", "unexpected EOF"),
            ("x", "invalid character 'x' looking for beginning of value"),
            ("{a", "invalid character 'a' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"), ("nul!", "invalid character '!' in literal null"),
            ("-", "unexpected EOF"), ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            (String(repeating: "[", count: 200), "exceeded max depth"),
            ("[" + String(repeating: "0,", count: 1 << 22) + "0]", "exceeded max values"),
        ]
    )
    func saysWhatIsWrong(text: String, message: String) {
        let error = #expect(throws: JSONError.self) { try Self.parse(text) }
        #expect(error?.description == message)
    }

    @Test("No beginning of a text traps, and neither does any byte in it")
    func takesAnything() {
        let text = Array(#"{"a":[1,-2.5e3,"\u00e9\n",true,null,{"b":{}}],"c":"d"}"#.utf8)
        for end in 0...text.count { _ = try? JSONParser.parse(Array(text[..<end])) }
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var bytes = text
                bytes[index] = byte
                _ = try? JSONParser.parse(bytes)
            }
        }
    }

    @Test("Bytes survive base64, and what is none is refused")
    func decodesBase64() {
        for count in 0..<50 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        for text in ["a", "ab=c", "====", "a===", "ab!d", "abc"] { #expect(Base64.decode(text) == nil, "\(text)") }
    }
}
