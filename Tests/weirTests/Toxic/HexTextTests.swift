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

    @Test("Answers of HTTP/1.1 are taken apart, chunked ones too, and what is not whole is refused")
    func readsAnswers() throws {
        func read(_ text: String) throws -> (Int, [UInt8]) { try AdminAnswerReader.read(Array(text.utf8)) }
        let plain = try read("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")
        #expect(plain.0 == 201 && plain.1 == Array("{}".utf8))
        let chunked = try read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n")
        #expect(chunked.1 == Array("abcd".utf8))
        for text in [
            "", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc\r\n",
        ] {
            #expect(throws: Failure.self) { try read(text) }
        }
    }
}
