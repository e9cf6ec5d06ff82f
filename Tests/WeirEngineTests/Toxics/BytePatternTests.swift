import Testing
import WeirEngine

@Suite("A pattern of bytes")
struct BytePatternTests {
    @Test(
        "Is a text with escapes, or hex",
        arguments: [
            ("abc", [0x61, 0x62, 0x63]), (#"\r\n\t\0\\\x7F"#, [13, 10, 9, 0, 0x5C, 0x7F]), ("hex:00fF", [0, 255]),
            ("hex:00 ff", [0, 255]), ("hex:", []), ("", []), ("é", [0xC3, 0xA9]), ("HEX:00", Array("HEX:00".utf8)),
        ] as [(String, [UInt8])]
    )
    func reads(text: String, bytes: [UInt8]) throws {
        let pattern = try #require(BytePattern(text))
        #expect(pattern.bytes == bytes)
        #expect(BytePattern(pattern.description) == pattern)
    }

    @Test("Is neither", arguments: ["hex:0", "hex:0g", "hex:0 0", #"\q"#, #"\x0"#, #"\"#])
    func refuses(text: String) {
        #expect(BytePattern(text) == nil)
    }
}
