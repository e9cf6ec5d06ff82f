import Testing

@testable import WeirWire

@Suite("Columns of text")
struct DisplayWidthTests {
    @Test(
        "Marks take none, wide characters two, colors none",
        arguments: [
            ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("▲▼→⇒…", 5), ("日本語", 6), ("한국", 4), ("ｈｉ", 4),
            ("\u{1F600}", 2), ("\u{1B}[31mred\u{1B}[0m", 3), ("\u{1B}[1;36mx", 1), ("a\tb", 2), ("ﬁ", 1), ("ß", 1),
            ("\u{1B}", 0), ("\u{1B}[", 0), ("\u{1B}[3", 0), ("\u{7f}", 0),
        ]
    )
    func columns(text: String, columns: Int) {
        #expect(DisplayWidth.columns(of: Array(text.utf8).span.bytes) == columns)
    }

    @Test("Bytes that are not UTF-8 take a column each")
    func invalid() {
        #expect(DisplayWidth.columns(of: ([0xff, 0x41, 0xe6, 0x97] as [UInt8]).span.bytes) == 4)
    }

    @Test("Every scalar of ASCII and Latin-1 that can be seen takes one")
    func latin() {
        for scalar in Array(UInt32(0x20)...0x7e) + Array(UInt32(0xa0)...0xff) {
            #expect(DisplayWidth.columns(of: scalar) == 1)
        }
    }

    @Test(
        "What fits keeps its marks and its colors, and no half of a wide character",
        arguments: [
            ("abc", 2, 2, 2), ("日本", 3, 3, 2), ("e\u{301}x", 1, 3, 1), ("ab\u{1B}[0m", 2, 6, 2), ("", 5, 0, 0),
            ("日本", 0, 0, 0), ("abc", 9, 3, 3),
        ]
    )
    func prefix(text: String, limit: Int, bytes: Int, columns: Int) {
        #expect(DisplayWidth.prefix(of: Array(text.utf8).span.bytes, columns: limit) == (bytes, columns))
    }
}
