import Testing
@testable import WeirWire

@Suite("JSON texts, whole")
struct JSONTextsTests {
    private static func said(_ bytes: [UInt8], whole: Bool = false) -> String {
        do throws(JSONError) {
            return try (whole ? JSONParser.parseWhole(bytes) : JSONParser.parse(bytes)).text
        } catch {
            return "\(error.description) @\(error.offset)"
        }
    }

    @Test("Each beginning of a text is this")
    func beginnings() {
        let text = Array(#" {"a" : [ 1 , -2.5e+3, true ] ,"b\n":{"é": null , "":false}, "c" :[ ],"d":{ } } "#.utf8)
        var lines: [String] = []
        for count in 0...text.count { lines.append("\(count) \(Self.said(Array(text[..<count]), whole: true))") }
        #expect(
            lines
                == #"""
                0 EOF @0
                1 EOF @1
                2 unexpected EOF @2
                3 unexpected EOF @3
                4 unexpected EOF @4
                5 unexpected EOF @5
                6 unexpected EOF @6
                7 unexpected EOF @7
                8 unexpected EOF @8
                9 unexpected EOF @9
                10 unexpected EOF @10
                11 unexpected EOF @11
                12 unexpected EOF @12
                13 unexpected EOF @13
                14 unexpected EOF @14
                15 unexpected EOF @15
                16 unexpected EOF @16
                17 unexpected EOF @17
                18 unexpected EOF @18
                19 unexpected EOF @19
                20 unexpected EOF @20
                21 unexpected EOF @21
                22 unexpected EOF @22
                23 unexpected EOF @23
                24 unexpected EOF @24
                25 unexpected EOF @25
                26 unexpected EOF @26
                27 unexpected EOF @27
                28 unexpected EOF @28
                29 unexpected EOF @29
                30 unexpected EOF @30
                31 unexpected EOF @31
                32 unexpected EOF @32
                33 unexpected EOF @33
                34 unexpected EOF @34
                35 unexpected EOF @35
                36 unexpected EOF @36
                37 unexpected EOF @37
                38 unexpected EOF @38
                39 unexpected EOF @39
                40 unexpected EOF @40
                41 unexpected EOF @41
                42 unexpected EOF @42
                43 unexpected EOF @43
                44 unexpected EOF @44
                45 unexpected EOF @45
                46 unexpected EOF @46
                47 unexpected EOF @47
                48 unexpected EOF @48
                49 unexpected EOF @49
                50 unexpected EOF @50
                51 unexpected EOF @51
                52 unexpected EOF @52
                53 unexpected EOF @53
                54 unexpected EOF @54
                55 unexpected EOF @55
                56 unexpected EOF @56
                57 unexpected EOF @57
                58 unexpected EOF @58
                59 unexpected EOF @59
                60 unexpected EOF @60
                61 unexpected EOF @61
                62 unexpected EOF @62
                63 unexpected EOF @63
                64 unexpected EOF @64
                65 unexpected EOF @65
                66 unexpected EOF @66
                67 unexpected EOF @67
                68 unexpected EOF @68
                69 unexpected EOF @69
                70 unexpected EOF @70
                71 unexpected EOF @71
                72 unexpected EOF @72
                73 unexpected EOF @73
                74 unexpected EOF @74
                75 unexpected EOF @75
                76 unexpected EOF @76
                77 unexpected EOF @77
                78 unexpected EOF @78
                79 unexpected EOF @79
                80 {"a":[1,-2.5e+3,true],"b\n":{"é":null,"":false},"c":[],"d":{}}
                81 {"a":[1,-2.5e+3,true],"b\n":{"é":null,"":false},"c":[],"d":{}}
                """#.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "Is this, or wrong at this place",
        arguments: [
            ("0", "0"), ("-0", "-0"), ("00", "invalid character '0' after top-level value @1"),
            ("01", "invalid character '1' after top-level value @1"),
            ("1.50", "1.50"), ("1.", "unexpected EOF @2"),
            (".5", "invalid character '.' looking for beginning of value @0"),
            ("-.5", "invalid character '.' in numeric literal @1"), ("1e5", "1e5"), ("1E-05", "1E-05"),
            ("1e", "unexpected EOF @2"),
            ("1e+", "unexpected EOF @3"), ("1e+x", "invalid character 'x' in exponent of numeric literal @3"),
            ("-x", "invalid character 'x' in numeric literal @1"),
            ("1:", "invalid character ':' after top-level value @1"),
            ("1/", "invalid character '/' after top-level value @1"), ("9", "9"),
            ("tru", "unexpected EOF @3"), ("tRue", "invalid character 'R' in literal true @1"),
            ("falsE", "invalid character 'E' in literal false @4"),
            ("[]x", "invalid character 'x' after top-level value @2"),
            ("[,", "invalid character ',' looking for beginning of value @1"),
            ("[1,]", "invalid character ']' looking for beginning of value @3"),
            ("{,", "invalid character ',' looking for beginning of object key string @1"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string @7"),
            ("{\"a\":}", "invalid character '}' looking for beginning of value @5"),
            ("{\"a\"}", "invalid character '}' after object key @4"),
            ("{1:2}", "invalid character '1' looking for beginning of object key string @1"),
            ("\"\u{1f}\"", "invalid character '\\x1f' in string literal @1"), ("\"\u{20}\"", "\" \""),
            ("\u{7f}", "invalid character '\\x7f' looking for beginning of value @0"),
            ("~", "invalid character '~' looking for beginning of value @0"), ("\t\r\n 1\t\r\n ", "1"),
            ("\u{b}1", "invalid character '\\xb' looking for beginning of value @0"),
        ]
    )
    func texts(text: String, said: String) { #expect(Self.said(Array(text.utf8), whole: true) == said) }

    @Test(
        "Escapes are these scalars, or wrong at this place",
        arguments: [
            (#""\b\f\n\r\t\"\\\/""#, "\u{8}\u{c}\n\r\t\"\\/"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
            (#""\ud83d\ude00""#, "😀"), (#""\uD800\uDC00""#, "\u{10000}"),
            (#""\udbff\udfff""#, "\u{10FFFF}"), (#""\ud83dx""#, "\u{FFFD}x"), (#""\ud83d\n""#, "\u{FFFD}\n"),
            (#""\ud83d\u0041""#, "\u{FFFD}A"),
            (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"), (#""\ude00""#, "\u{FFFD}"),
            (#""\ud7ff\ue000""#, "\u{d7ff}\u{e000}"), (#""\udfff\udc00""#, "\u{FFFD}\u{FFFD}"),
        ]
    )
    func escapes(text: String, string: String) throws {
        #expect(try JSONParser.parseWhole(Array(text.utf8)) == .string(string))
    }

    @Test(
        "Escapes that are none",
        arguments: [
            (#""\"#, "unexpected EOF @2"), (#""\u"#, "unexpected EOF @3"), (#""\u12"#, "unexpected EOF @5"),
            (#""\u12g4""#, #"invalid character 'g' in \u hexadecimal character escape @5"#),
            (#""\ud83d\"#, "unexpected EOF @8"),
            (#""\ud83d\u"#, "unexpected EOF @9"), (#""\a""#, "invalid character 'a' in string escape code @2"),
            (#""\u１２３４""#, #"invalid character '\xef' in \u hexadecimal character escape @3"#),
        ]
    )
    func wrongEscapes(text: String, said: String) { #expect(Self.said(Array(text.utf8)) == said) }

    @Test("Values may be 127 deep in each other", arguments: [(127, true), (128, true), (129, false)])
    func depth(count: Int, fits: Bool) {
        let arrays = String(repeating: "[", count: count) + String(repeating: "]", count: count)
        #expect(Self.said(Array(arrays.utf8)) == (fits ? arrays : "exceeded max depth @128"))
        let objects = String(repeating: "{\"\":", count: count - 1) + "0" + String(repeating: "}", count: count - 1)
        #expect(Self.said(Array(objects.utf8)) == (fits ? objects : "exceeded max depth @512"))
    }
}
