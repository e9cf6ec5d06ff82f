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
}
