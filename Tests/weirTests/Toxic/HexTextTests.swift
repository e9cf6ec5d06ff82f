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

    @Test("Each row has its offset and 16 bytes, and what is no visible ASCII is a point")
    func hasRows() {
        #expect(HexText.dump([]) == "")
        let rows = [
            "00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|",
            "00000010  10                                                |.|",
        ]
        #expect(HexText.dump(Array(0..<17)) == rows.joined(separator: "\n") + "\n")
        let edges = "00000000  1f 20 7e 7f 80 ff                                 |. ~...|\n"
        #expect(HexText.dump([0x1f, 0x20, 0x7e, 0x7f, 0x80, 0xff]) == edges)
        let last = HexText.dump([UInt8](repeating: 0x41, count: 0x1234)).split(separator: "\n").last
        #expect(last == "00001230  41 41 41 41                                       |AAAA|")
    }

    @Test("Bytes may be added and taken away, with or without offsets; comments are passed over")
    func isForgiving() {
        let text = "# a comment\n\n00000000  41 42  |a | b|\n  43\n12345678\n"
        #expect(HexText.read(text).bytes == Array("ABC".utf8))
        #expect(HexText.read("").bytes == [] && HexText.read(text).badLine == 0)
    }

    @Test("What is no hexdump is said by its line", arguments: [("41\n4g\n", 2), ("414\n", 1), ("\n\nhello\n", 3)])
    func refuses(text: String, line: Int) {
        let (bytes, badLine) = HexText.read(text)
        #expect(bytes == nil && badLine == line)
    }
}
