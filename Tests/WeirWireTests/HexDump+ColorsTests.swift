import Testing
import WeirWire

@Suite("Coloured hex dump")
struct HexDumpColorsTests {
    @Test(
        "Is the plain dump once the colours are taken away, whatever is painted",
        arguments: [0, 1, 15, 16, 17, 40, 70_000]
    )
    func plain(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let painted = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 3 % 4) }
        var colored = ByteBuffer()
        var plain = ByteBuffer()
        HexDump.append(bytes.span.bytes, painted: Array(painted.prefix(count - min(count, 5))), to: &colored)
        HexDump.append(bytes.span.bytes, to: &plain)
        var text = colored.string
        for color in HexDump.colors { text = text.split(separator: "\(color)").joined() }
        #expect(text.split(separator: "\u{1B}[0m").joined() == plain.string)
        #expect(count < 15 || colored.string != plain.string)
    }

    /// Shows a dump with the colours as letters, `A` for the first, and `.` where a colour ends.
    private func letters(_ count: Int, _ painted: [UInt8]) -> [String] {
        var output = ByteBuffer()
        HexDump.append([UInt8](repeating: 0x6f, count: count).span.bytes, painted: painted, to: &output)
        var text = output.string.split(separator: "\u{1B}[0m", omittingEmptySubsequences: false).joined(separator: ".")
        for (color, letter) in zip(HexDump.colors, "ABCDEFGH") {
            text = text.split(separator: "\(color)", omittingEmptySubsequences: false).joined(separator: "\(letter)")
        }
        return text.split(separator: "\n").map(String.init)
    }

    @Test("Colours go around the bytes that they are of, in both columns")
    func places() {
        let line = "00000000  6f 6f 6f 6f 6f 6f 6f 6f  6f 6f"
        #expect(letters(10, []) == [line + "                    |oooooooooo|"])
        #expect(letters(10, [UInt8](repeating: 0, count: 10)) == letters(10, []))
        #expect(
            letters(10, [1, 1, 0, 2, 3, 3, 0, 1, 1])
                == ["00000000  A6f 6f. 6f B6f. C6f 6f. 6f A6f  6f. 6f                    |Aoo.oBo.Coo.oAoo.o|"]
        )
        #expect(
            letters(10, [0, 0, 0, 0, 0, 0, 0, 0, 8, 9])
                == ["00000000  6f 6f 6f 6f 6f 6f 6f 6f  H6f. A6f.                    |ooooooooHo.Ao.|"]
        )
    }

    @Test("Colours start and end in each line, also in the second one and where they end before it")
    func lines() {
        let plain = "6f 6f 6f 6f 6f 6f 6f 6f  6f 6f 6f 6f 6f 6f 6f 6f"
        #expect(
            letters(33, [UInt8](repeating: 0, count: 15) + [4, 4])
                == [
                    "00000000  \(plain.dropLast(2))D6f.  |oooooooooooooooDo.|",
                    "00000010  D6f. \(plain.dropFirst(3))  |Do.ooooooooooooooo|",
                    "00000020  6f                                                |o|",
                ]
        )
        #expect(
            letters(33, [UInt8](repeating: 0, count: 32) + [5])[1...]
                == [
                    "00000010  \(plain)  |oooooooooooooooo|",
                    "00000020  E6f.                                                |Eo.|",
                ]
        )
    }
}
