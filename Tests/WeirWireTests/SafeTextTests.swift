import Testing
import WeirWire

@Suite("Text that is safe to show")
struct SafeTextTests {
    private static func decode(_ bytes: [UInt8], at index: Int = 0) -> [UInt32]? {
        SafeText.decode(bytes.span.bytes, at: index).map { [$0.scalar, UInt32($0.length)] }
    }

    @Test("Each scalar beyond ASCII is decoded, also behind and before other bytes")
    func scalars() {
        for value in stride(from: UInt32(0x80), through: 0x10FFFF, by: 61) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(String(scalar).utf8)
            #expect(Self.decode([0xC3, 0x41] + bytes + [0x80], at: 2) == [value, UInt32(bytes.count)])
            #expect(Self.decode(Array(bytes.dropLast())) == nil)
        }
    }

    @Test(
        "The borders of what UTF-8 has",
        arguments: [
            ([0xC2, 0x80], [0x80, 2]), ([0xC1, 0xBF], nil), ([0xDF, 0xBF], [0x7FF, 2]),
            ([0xE0, 0xA0, 0x80], [0x800, 3]),
            ([0xE0, 0x9F, 0xBF], nil), ([0xED, 0x9F, 0xBF], [0xD7FF, 3]), ([0xED, 0xA0, 0x80], nil),
            ([0xED, 0xBF, 0xBF], nil), ([0xEE, 0x80, 0x80], [0xE000, 3]), ([0xEF, 0xBF, 0xBF], [0xFFFF, 3]),
            ([0xF0, 0x90, 0x80, 0x80], [0x10000, 4]), ([0xF0, 0x8F, 0xBF, 0xBF], nil),
            ([0xF4, 0x8F, 0xBF, 0xBF], [0x10FFFF, 4]), ([0xF4, 0x90, 0x80, 0x80], nil),
            ([0xF5, 0x80, 0x80, 0x80], nil),
            ([0x41], nil), ([0x80], nil), ([0xC2, 0x7F], nil), ([0xC2, 0xC0], nil), ([0xE0, 0xA0, 0xC0], nil),
            ([0xF0, 0x90, 0x80, 0x00], nil),
        ] as [([UInt8], [UInt32]?)]
    )
    func borders(bytes: [UInt8], decoded: [UInt32]?) { #expect(Self.decode(bytes) == decoded) }

    @Test(
        "Scalars that steer or hide are not safe, and their neighbours are",
        arguments: [
            (0x1F, false), (0x20, true), (0x7E, true), (0x7F, false), (0x9F, false), (0xA0, true), (0xAC, true),
            (0xAD, false), (0xAE, true), (0x2027, true), (0x2028, false), (0x2029, false), (0x2064, false),
            (0x2065, false), (0x206F, false), (0x2070, true), (0xFFEE, true), (0xFFF0, false), (0xFFF8, false),
            (0xFFFC, true), (0xFFFD, true), (0xD7FF, true), (0xD800, false), (0xDFFF, false), (0xE000, true),
            (0xDFFFF, true), (0xE0000, false), (0xE0FFF, false), (0xE1000, true), (0x10FFFF, true), (0x110000, false),
        ] as [(UInt32, Bool)]
    )
    func safe(scalar: UInt32, isSafe: Bool) { #expect(SafeText.isSafe(scalar) == isSafe) }

    @Test(
        "Text is escaped where it is not safe, and nowhere else",
        arguments: [
            ("", ""), ("plain é 😀", "plain é 😀"), ("a\u{1B}[31m", #"a\u{1b}[31m"#), ("\n", #"\u{a}"#),
            ("é\u{202E}x\u{202E}", #"é\u{202e}x\u{202e}"#), ("\u{E0041}", #"\u{e0041}"#), (#"\u{a}"#, #"\u{a}"#),
        ]
    )
    func escaped(text: String, shown: String) { #expect(SafeText.escaped(text) == shown) }
}
