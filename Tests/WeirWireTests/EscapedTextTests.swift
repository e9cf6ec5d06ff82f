import Support
import Testing

@testable import WeirWire

@Suite("Escaped text")
struct EscapedTextTests {
    private func escaped(_ bytes: [UInt8]) -> [UInt8] {
        var output = ByteBuffer()
        EscapedText.append(bytes.span.bytes, to: &output)
        return output.withUnsafeBytes { Array($0) }
    }

    private func escaped(_ text: String) -> String { String(decoding: escaped(Array(text.utf8)), as: UTF8.self) }

    @Test("Shows nothing of nothing")
    func empty() {
        #expect(escaped("") == "")
    }

    @Test(
        "Shows text as it is, line by line",
        arguments: [
            ("plain ~!", "  | plain ~!\n"),
            ("a\nb", "  | a\\n\n  | b\n"),
            ("a\n", "  | a\\n\n"),
            ("\n\nx", "  | \\n\n  | \\n\n  | x\n"),
            ("C:\\new", "  | C:\\\\new\n"),
            ("grüße, 世界 🌍", "  | grüße, 世界 🌍\n"),
        ]
    )
    func text(_ text: String, _ expected: String) {
        #expect(escaped(text) == expected)
    }

    @Test("Shows a reader that has ASCII alone nothing else")
    func ascii() {
        var output = ByteBuffer()
        EscapedText.append(Array("grüße\n🌍".utf8).span.bytes, isUnicode: false, to: &output)
        #expect(
            output.string == #"""
                  | gr\u{fc}\u{df}e\n
                  | \u{1f30d}

                """#
        )
    }

    @Test(
        "Escapes what could steer a terminal",
        arguments: [
            ("\r\t\0\u{7}\u{8}", #"\r\t\x00\x07\x08"#),
            ("\u{1B}[31mred\u{1B}]0;title\u{7}", #"\x1b[31mred\x1b]0;title\x07"#),
            ("\u{7F}", #"\x7f"#),
            ("\u{80}\u{85}\u{9B}31m\u{9F}", #"\u{80}\u{85}\u{9b}31m\u{9f}"#),
            ("\u{202E}evil\u{202C}", #"\u{202e}evil\u{202c}"#),
            ("\u{2066}\u{2069}\u{200F}\u{61C}", #"\u{2066}\u{2069}\u{200f}\u{61c}"#),
            ("\u{FEFF}\u{AD}\u{200B}\u{2028}\u{E0041}", #"\u{feff}\u{ad}\u{200b}\u{2028}\u{e0041}"#),
            ("\u{180E}\u{1D173}\u{2065}\u{FFF0}", #"\u{180e}\u{1d173}\u{2065}\u{fff0}"#),
        ]
    )
    func control(_ text: String, _ expected: String) {
        #expect(escaped(text) == "  | \(expected)\n")
    }

    @Test(
        "Escapes the bytes of what is not UTF-8",
        arguments: [
            ([0x80, 0x9B], #"\x80\x9b"#),
            ([0xC0, 0xAF], #"\xc0\xaf"#),
            ([0xC3], #"\xc3"#),
            ([0xC3, 0x28], #"\xc3("#),
            ([0xE0, 0x80, 0x9B], #"\xe0\x80\x9b"#),
            ([0xE2, 0x82], #"\xe2\x82"#),
            ([0xED, 0xA0, 0x80], #"\xed\xa0\x80"#),
            ([0xF0, 0x80, 0x80, 0x9B], #"\xf0\x80\x80\x9b"#),
            ([0xF4, 0x90, 0x80, 0x80], #"\xf4\x90\x80\x80"#),
            ([0xF5, 0x80, 0x80, 0x80], #"\xf5\x80\x80\x80"#),
            ([0xFF, 0x41, 0xFE], #"\xffA\xfe"#),
            ([0xE2, 0x82, 0xAC, 0xE2], #"€\xe2"#),
        ] as [([UInt8], String)]
    )
    func malformed(_ bytes: [UInt8], _ expected: String) {
        #expect(String(decoding: escaped(bytes), as: UTF8.self) == "  | \(expected)\n")
    }

    @Test("Renders valid UTF-8 without a control character, whatever comes", arguments: 1...20)
    func hostile(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let spice: [UInt8] = [0x1B, 0x9B, 0xC2, 0xE2, 0x80, 0xAE, 0xF3, 0xA0, 0x0A, 0x5C]
        let bytes = (0..<2000).map { _ in
            let roll = random.next()
            return roll % 3 == 0 ? spice[Int(roll >> 8) % spice.count] : UInt8(truncatingIfNeeded: roll >> 16)
        }
        let text = try #require(String(validating: escaped(bytes), as: UTF8.self))
        let categories: Set<Unicode.GeneralCategory> = [
            .control, .format, .lineSeparator, .paragraphSeparator, .surrogate,
        ]
        let steering = text.unicodeScalars.filter {
            $0 != "\n" && categories.contains($0.properties.generalCategory)
        }
        #expect(steering.isEmpty, "\(steering.map { String($0.value, radix: 16) })")
        for line in text.split(separator: "\n") { #expect(line.utf8.starts(with: "  | ".utf8)) }
    }

    @Test("Escapes every scalar that is a control or a format character")
    func allFormats() {
        for value in UInt32(0x80)...0x1_FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let category = scalar.properties.generalCategory
            guard category == .control || category == .format || category == .lineSeparator else { continue }
            #expect(escaped(String(scalar)) == "  | \\u{\(String(value, radix: 16))}\n")
        }
    }
}
