import Support
import Testing
import WeirWire

@Suite("Hex dump")
struct HexDumpTests {
    /// Sits on every border of what is printable.
    let sample: [UInt8] = [
        0x48, 0x1f, 0x20, 0x7e, 0x7f, 0x80, 0xff, 0x00, 0x41, 0x0a, 0x9f, 0xa0, 0x5e, 0x5f, 0x60, 0x7c, 0x2e,
    ]

    @Test("Says nothing of no bytes")
    func empty() {
        #expect(dump([]).isEmpty)
        #expect(HexDump.size(of: 0) == 0)
    }

    @Test(
        "An indented dump is the same, with two blanks before each line",
        arguments: [0, 1, 15, 16, 17, 32, 100, 40_000]
    )
    func indented(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        var output = ByteBuffer(capacity: 0)
        output.append("before\n")
        HexDump.append(bytes.span.bytes, isIndented: true, to: &output)
        let lines = dump(bytes).split(separator: "\n").map { "  \($0)\n" }
        #expect(output.string == "before\n" + lines.joined())
    }

    @Test("Shows the greeting of the README")
    func greeting() {
        let expected = "00000000  48 65 6c 6c 6f 2c 20 73  65 72 76 65 72 21        |Hello, server!|\n"
        #expect(dump(Array("Hello, server!".utf8)) == expected)
    }

    @Test(
        "Shows what hexdump -Cv of util-linux 2.38 shows",
        arguments: [
            (
                1,
                [
                    "00000000  48                                                |H|"
                ]
            ),
            (
                7,
                [
                    "00000000  48 1f 20 7e 7f 80 ff                              |H. ~...|"
                ]
            ),
            (
                8,
                [
                    "00000000  48 1f 20 7e 7f 80 ff 00                           |H. ~....|"
                ]
            ),
            (
                9,
                [
                    "00000000  48 1f 20 7e 7f 80 ff 00  41                       |H. ~....A|"
                ]
            ),
            (
                15,
                [
                    "00000000  48 1f 20 7e 7f 80 ff 00  41 0a 9f a0 5e 5f 60     |H. ~....A...^_`|"
                ]
            ),
            (
                16,
                [
                    "00000000  48 1f 20 7e 7f 80 ff 00  41 0a 9f a0 5e 5f 60 7c  |H. ~....A...^_`||"
                ]
            ),
            (
                17,
                [
                    "00000000  48 1f 20 7e 7f 80 ff 00  41 0a 9f a0 5e 5f 60 7c  |H. ~....A...^_`||",
                    "00000010  2e                                                |.|",
                ]
            ),
        ]
    )
    func golden(count: Int, lines: [String]) {
        #expect(dump(Array(sample[..<count])) == lines.map { $0 + "\n" }.joined())
    }

    @Test(
        "Shows the last line before the offset starts again, and the first one after",
        arguments: [
            (
                32_767, 2_048,
                "00007ff0  6f 70 71 72 73 74 75 76  77 78 79 7a 7b 7c 7d     |opqrstuvwxyz{|}|"
            ),
            (
                32_768, 2_048,
                "00007ff0  6f 70 71 72 73 74 75 76  77 78 79 7a 7b 7c 7d 7e  |opqrstuvwxyz{|}~|"
            ),
            (
                32_769, 2_049,
                "00000000  80                                                |.|"
            ),
        ]
    )
    func period(count: Int, lines: Int, last: String) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 + $0 >> 8) }
        let output = dump(bytes).split(separator: "\n")
        #expect(output.count == lines)
        #expect(output.last.map(String.init) == last)
        #expect(output[0x654] == "00006540  a5 a6 a7 a8 a9 aa ab ac  ad ae af b0 b1 b2 b3 b4  |................|")
    }

    @Test("Agrees with a plain renderer for every size up to 100, and over two periods")
    func plain() {
        var generator = SeededGenerator(seed: 11)
        for count in Array(0...100) + [65_536, 70_001] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
            #expect(dump(bytes) == plainDump(bytes))
            #expect(HexDump.size(of: count) == plainDump(bytes).utf8.count)
        }
    }

    @Test("Shows each byte value in each column of a line")
    func everyByte() {
        for value in UInt8.min ... .max {
            let bytes = [UInt8](repeating: value, count: 31)
            #expect(dump(bytes) == plainDump(bytes))
        }
    }

    @Test("Appends behind what is there, and starts each dump from 0")
    func twice() {
        let line = "00000000  41                                                |A|\n"
        let bytes: [UInt8] = [0x41]
        let output = rendered {
            $0.append("#1 up\n")
            HexDump.append(bytes.span.bytes, to: &$0)
            HexDump.append(bytes.span.bytes, to: &$0)
        }
        #expect(output == "#1 up\n" + line + line)
    }

    @Test("Writes no byte beyond the size it says", arguments: [1, 15, 16, 17, 32, 48])
    func bounds(count: Int) {
        // The room has a tail of 64 marked bytes; the dump goes into the room, then the tail is looked at.
        let size = HexDump.size(of: count)
        var buffer = ByteBuffer(capacity: size + 64)
        buffer.append(upTo: size + 64) { room in
            room.initializeMemory(as: UInt8.self, repeating: 0xee)
            return 0
        }
        let bytes = [UInt8](repeating: 0x41, count: count)
        HexDump.append(bytes.span.bytes, to: &buffer)
        #expect(buffer.count == size)
        var tail: [UInt8] = []
        buffer.append(upTo: 64) { room in
            tail = Array(room)
            return 0
        }
        #expect(tail == [UInt8](repeating: 0xee, count: 64))
    }

    private func dump(_ bytes: [UInt8]) -> String {
        rendered { HexDump.append(bytes.span.bytes, to: &$0) }
    }

    private func plainDump(_ bytes: [UInt8]) -> String {
        func hex(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        var output = ""
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let line = bytes[start..<min(start + 16, bytes.count)]
            var columns = hex(start % 32_768, 8) + "  "
            for (index, byte) in line.enumerated() { columns += hex(Int(byte), 2) + (index == 7 ? "  " : " ") }
            columns += String(repeating: " ", count: 60 - columns.count)
            let text = line.map { (32...126).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
            output += columns + "|" + text + "|\n"
        }
        return output
    }
}
