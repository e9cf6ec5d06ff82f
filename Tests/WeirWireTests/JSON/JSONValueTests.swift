import Testing
import WeirWire

@Suite("JSON values")
struct JSONValueTests {
    private static let all: [JSONValue] = [nil, true, 7, "7", [7], ["a": 7]]

    @Test("Each kind of value is itself and none of the others")
    func accessors() {
        let all = Self.all
        #expect(all.map(\.kind) == ["null", "bool", "number", "string", "array", "object"])
        #expect(all.map(\.boolValue) == [nil, true, nil, nil, nil, nil])
        #expect(all.map(\.intValue) == [nil, nil, 7, nil, nil, nil])
        #expect(all.map(\.doubleValue) == [nil, nil, 7, nil, nil, nil])
        #expect(all.map(\.stringValue) == [nil, nil, nil, "7", nil, nil])
        #expect(all.map(\.arrayValue) == [nil, nil, nil, nil, [7], nil])
        #expect(all.map(\.members) == [nil, nil, nil, nil, nil, [JSONValue.Member("a", 7)]])
        #expect(all.map { $0["a"]?.intValue } == [nil, nil, nil, nil, nil, 7])
    }

    @Test("The last of members with one key counts, and a key that is not there is nothing")
    func members() {
        let value = JSONValue.object([
            JSONValue.Member("a", 1), JSONValue.Member("b", 2), JSONValue.Member("a", 3), JSONValue.Member("c", nil),
        ])
        #expect(value["a"] == 3 && value["b"] == 2 && value["c"]?.kind == "null" && value["A"]?.kind == nil)
    }

    @Test("A number is a whole one only if it is written as one, and is kept as it was written")
    func numbers() {
        let numbers = ["0", "-5", "1.5", "1e3", "9223372036854775807", "9223372036854775808"].map(JSONValue.number)
        #expect(numbers.map(\.intValue) == [0, -5, nil, nil, .max, nil])
        #expect(numbers.map(\.doubleValue) == [0, -5, 1.5, 1000, 0x1p63, 0x1p63])
        #expect(JSONValue.int(UInt64.max) == .number("18446744073709551615"))
        #expect(JSONValue.int(-3 as Int8).text == "-3")
    }

    @Test(
        "A fraction has no point that it does not need, and what is no number is null",
        arguments: [
            (0, "0"), (-2, "-2"), (0.5, "0.5"), (-1.25, "-1.25"), (10, "10"), (100.05, "100.05"), (.infinity, "null"),
            (-.infinity, "null"), (.nan, "null"),
        ] as [(Double, String)]
    )
    func fractions(value: Double, text: String) { #expect(JSONValue.float(value).text == text) }

    @Test("What there is, is its text, and what there is not, is null")
    func texts() {
        #expect(JSONValue.text(7) == "7")
        #expect(JSONValue.text(nil as Int?).kind == "null")
        #expect(JSONValue.text("é") == "é")
    }

    @Test("Every character of ASCII is written as Go writes it, alone and between others, in keys too")
    func ascii() {
        let short: [UInt8: String] = [
            0x09: #"\t"#, 0x0a: #"\n"#, 0x0d: #"\r"#, 0x22: #"\""#, 0x5c: #"\\"#, 0x26: #"\u0026"#,
            0x3c: #"\u003c"#, 0x3e: #"\u003e"#, 0x7f: #"\u007f"#,
        ]
        for byte in UInt8(0)..<0x80 {
            let text = String(Unicode.Scalar(byte))
            let digits = (byte < 16 ? "0" : "") + String(byte, radix: 16)
            let escaped = short[byte] ?? (byte < 0x20 ? #"\u00"# + digits : text)
            #expect(JSONValue.string(text).text == "\"\(escaped)\"")
            #expect(JSONValue.string("é\(text)é<").text == "\"é\(escaped)é\\u003c\"")
            let object = JSONValue.object([JSONValue.Member(text, 1), JSONValue.Member("a", ["b"])])
            #expect(object.text == "{\"\(escaped)\":1,\"a\":[\"b\"]}")
            #expect(object.bytes == Array(object.text.utf8))
        }
    }
}
