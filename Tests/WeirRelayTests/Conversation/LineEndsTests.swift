import Testing
import WeirRelay
import WeirWire

@Suite("Line ends")
struct LineEndsTests {
    private static let table: [(input: String, output: String)] = [
        ("", ""),
        ("a", "a"),
        ("\n", "\r\n"),
        ("\r\n", "\r\n"),
        ("\r", "\r"),
        ("\n\n", "\r\n\r\n"),
        ("\r\r\n", "\r\r\n"),
        ("\n\r", "\r\n\r"),
        ("GET / HTTP/1.1\nHost: x\r\n\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ]

    private func converted(_ chunks: [[UInt8]]) -> String {
        var ends = LineEnds()
        var output = ByteBuffer()
        for chunk in chunks { ends.convert(chunk.span.bytes, into: &output) }
        return output.string
    }

    @Test("Sends LF as CRLF, and a CRLF as it is", arguments: table)
    func whole(input: String, output: String) {
        #expect(converted([Array(input.utf8)]) == output)
    }

    @Test("Does so wherever the chunks' borders are", arguments: table)
    func borders(input: String, output: String) {
        let bytes = Array(input.utf8)
        #expect(converted(bytes.map { [$0] }) == output)
        #expect(converted(bytes.flatMap { [[], [$0]] }) == output)
        for border in 0...bytes.count {
            #expect(converted([Array(bytes[..<border]), Array(bytes[border...])]) == output)
        }
    }

    @Test("Leaves bytes that are no text as they are")
    func binary() {
        let bytes = (0...255).map { UInt8($0) }.filter { $0 != 10 }
        var ends = LineEnds()
        var output = ByteBuffer()
        ends.convert(bytes.span.bytes, into: &output)
        #expect(output.withUnsafeBytes { Array($0) } == bytes)
    }
}
