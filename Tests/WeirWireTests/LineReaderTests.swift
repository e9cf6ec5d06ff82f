import Testing

@testable import WeirWire

@Suite("Lines of a text that arrives in pieces")
struct LineReaderTests {
    /// A line as a test compares it; no text for one that is too long.
    private struct Found: Equatable {
        var number: Int
        var start: Int
        var text: String?
    }

    private static func found(_ line: LineReader.Line, _ lines: LineReader) -> Found {
        let text = line.withBytes { bytes in bytes.map { String(decoding: $0, as: UTF8.self) } }
        return Found(number: lines.number, start: lines.start, text: text)
    }

    /// Reads a text in pieces of one size, the last line too.
    private static func read(_ text: [UInt8], longest: Int, piece: Int) -> (lines: [Found], reader: LineReader) {
        var lines = LineReader(longest: longest)
        var all: [Found] = []
        for start in stride(from: 0, to: text.count, by: piece) {
            text[start..<min(start + piece, text.count)].withUnsafeBytes { bytes in
                var rest = bytes
                while let line = lines.next(&rest) { all.append(found(line, lines)) }
                #expect(rest.isEmpty)
            }
        }
        if let line = lines.finish() { all.append(found(line, lines)) }
        return (all, lines)
    }

    @Test("They have their numbers and offsets, however the pieces cut them", arguments: 1...20)
    func pieces(size: Int) {
        let text = Array("first\n\nthe third\nlast".utf8)
        let right = [
            Found(number: 1, start: 0, text: "first"), Found(number: 2, start: 6, text: ""),
            Found(number: 3, start: 7, text: "the third"), Found(number: 4, start: 17, text: "last"),
        ]
        let (lines, reader) = Self.read(text, longest: 100, piece: size)
        #expect(lines == right)
        #expect(reader.offset == text.count && reader.bytesHeld == 0)
        // With its line feed the last line is no other one.
        #expect(Self.read(text + [10], longest: 100, piece: size).lines == right)
    }

    @Test("A line at the bound is whole, and one beyond it is too long, in pieces of any size", arguments: 1...24)
    func bound(size: Int) {
        let longest = 8
        for length in [longest - 1, longest, longest + 1] {
            let line = String(repeating: "a", count: length)
            let text = length <= longest ? line : nil
            for end in ["", "\n"] {
                let (lines, reader) = Self.read(
                    Array(("x\n" + line + "\nyy\n" + line + end).utf8),
                    longest: longest,
                    piece: size
                )
                #expect(
                    lines == [
                        Found(number: 1, start: 0, text: "x"), Found(number: 2, start: 2, text: text),
                        Found(number: 3, start: 3 + length, text: "yy"),
                        Found(number: 4, start: 6 + length, text: text),
                    ],
                    "\(length)"
                )
                #expect(reader.bytesHeld == 0)
            }
        }
    }

    @Test("Of a line that is too long nothing is kept, however many pieces it has")
    func memory() {
        var lines = LineReader(longest: 1000)
        let piece = [UInt8](repeating: 97, count: 300)
        var most = 0
        for _ in 0..<1000 {
            let line = piece.withUnsafeBytes { bytes in
                var rest = bytes
                return lines.next(&rest) == nil
            }
            #expect(line)
            most = max(most, lines.bytesHeld)
        }
        // An array may reserve twice what it holds.
        #expect(most <= 2000 && lines.bytesHeld == 0 && lines.offset == 300_000)
        let isTooLong = lines.finish()?.withBytes { $0 == nil }
        let isOver = lines.finish() == nil
        #expect(isTooLong == true && isOver && lines.number == 1)
    }

    @Test("Without text there is no line, and a piece of nothing changes nothing")
    func empty() {
        var lines = LineReader(longest: 10)
        var nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        let isNone = lines.next(&nothing) == nil && lines.finish() == nil
        #expect(isNone && lines.number == 0)
    }
}
