import Testing
import WeirWire

@testable import WeirDissect

@Suite("Coloured fields")
struct FieldColorsTests {
    private static let request = "PUT /a HTTP/1.1\r\nX: 1\r\nHost: h\r\nY: 2\r\n\r\n"

    /// Shows a range of a request with the colours as letters, `A` for the first, and `~` where a colour ends.
    private static func shown(
        _ range: Range<Int>,
        _ direction: Direction = .upstream,
        behind lead: Int = 0,
        of request: String = request
    ) -> [String] {
        var flow = DissectionDialogue()
        flow.up(request)
        var colors = FieldColors()
        var output = ByteBuffer()
        // What was shown before does not matter.
        colors.begin(0..<9, .upstream)
        for message in flow.messages { colors.add(message) }
        colors.begin(range, direction, behind: lead)
        for message in flow.messages { colors.add(message) }
        colors.append([UInt8](repeating: 0x6f, count: lead + range.count).span.bytes, to: &output)
        var text = output.string.split(separator: "\u{1B}[0m", omittingEmptySubsequences: false).joined(separator: "~")
        for (color, letter) in zip(HexDump.colors, "ABCDEFGH") {
            text = text.split(separator: "\(color)", omittingEmptySubsequences: false).joined(separator: "\(letter)")
        }
        return text.split(separator: "\n").map(String.init)
    }

    @Test("Each name has a colour where its fields are")
    func whole() {
        #expect(
            Self.shown(0..<40)
                == [
                    "00000000  A6f 6f 6f~ 6f B6f 6f~ 6f C6f  6f 6f 6f 6f 6f 6f 6f~ 6f  |Aooo~oBoo~oCoooooooo~o|",
                    "00000010  6f D6f 6f 6f 6f~ 6f 6f 6f  6f 6f 6f 6f 6f E6f~ 6f 6f  |oDoooo~ooooooooEo~oo|",
                    "00000020  D6f 6f 6f 6f~ 6f 6f 6f 6f                           |Doooo~oooo|",
                ]
        )
    }

    @Test("Fields are cut to what is shown, and stand behind what is shown before them")
    func part() {
        #expect(
            Self.shown(5..<25, behind: 3)
                == [
                    "00000000  6f 6f 6f A6f~ 6f B6f 6f 6f  6f 6f 6f 6f 6f~ 6f 6f C6f~  |oooAo~oBoooooooo~ooCo~|",
                    "00000010  C6f 6f 6f~ 6f 6f 6f 6f                              |Cooo~oooo|",
                ]
        )
        #expect(Self.shown(14..<15).last?.contains("  A6f~") == true)
    }

    @Test("Where no field is, or those of the other direction, the dump is plain")
    func none() {
        let line = "00000000  6f 6f                                             |oo|"
        #expect(Self.shown(15..<17) == [line])
        #expect(Self.shown(0..<2, .downstream) == [line])
        #expect(Self.shown(100..<102) == [line])
    }

    @Test("The ninth name has the first colour again")
    func many() {
        let names = ["Host", "User-Agent", "Content-Type", "Accept", "Cookie", "Referer", "Date"]
        let request = "GET / HTTP/1.1\r\n" + names.map { "\($0): x\r\n" }.joined() + "\r\n"
        let lines = Self.shown(0..<request.utf8.count, of: request)
        #expect(lines[5].contains("A6f~") && !lines[5].contains("I"))
    }

    @Test("A name's color is known while its dump is the last one, and an indented dump is the same but for two blanks")
    func names() {
        var flow = DissectionDialogue()
        flow.up(Self.request)
        var colors = FieldColors()
        colors.begin(0..<16, .upstream)
        for message in flow.messages { colors.add(message) }
        var (plain, indented) = ("", "")
        let bytes = Array(Self.request.utf8.prefix(16))
        for isIndented in [false, true] {
            var output = ByteBuffer()
            colors.append(bytes.span.bytes, isIndented: isIndented, to: &output)
            if isIndented { indented = output.string } else { plain = output.string }
        }
        #expect(indented == "  " + plain)
        let method = flow.messages.first?.fields.first?.name.name ?? ""
        #expect(colors.color(of: method)?.description == HexDump.colors[0].description)
        #expect(colors.color(of: "x") == nil)
        colors.begin(100..<101, .upstream)
        #expect(colors.color(of: method) == nil)
    }
}
