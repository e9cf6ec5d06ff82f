import Testing

@testable import weir

@Suite("The hexdump that is edited")
struct HexTextTests {
    @Test("A dump is read back as it was", arguments: [0, 1, 15, 16, 17, 32, 255])
    func roundTrips(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(HexText.read(HexText.dump(bytes)).bytes == bytes)
    }

    @Test("It has the layout of hexdump -Cv")
    func isLaidOut() {
        let expected = "00000000  48 65 6c 6c 6f 2c 20 73  65 72 76 65 72 21        |Hello, server!|\n"
        #expect(HexText.dump(Array("Hello, server!".utf8)) == expected)
    }

    @Test("Bytes may be added and taken away, with or without offsets; comments are passed over")
    func isForgiving() {
        let text = "# a comment\n\n00000000  41 42  |a | b|\n  43\n12345678\n"
        #expect(HexText.read(text).bytes == Array("ABC".utf8))
        #expect(HexText.read("").bytes == [])
    }

    @Test("What is no hexdump is said by its line", arguments: [("41\n4g\n", 2), ("414\n", 1), ("\n\nhello\n", 3)])
    func refuses(text: String, line: Int) {
        let (bytes, badLine) = HexText.read(text)
        #expect(bytes == nil && badLine == line)
    }
}
