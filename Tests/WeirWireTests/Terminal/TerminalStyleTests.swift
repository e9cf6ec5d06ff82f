import Testing
import WeirWire

@Suite("Lines that fit their terminal")
struct TerminalStyleTests {
    /// Makes a line of two parts.
    private static func line(_ left: String, _ right: String, _ style: TerminalStyle) -> String {
        var output = ByteBuffer(capacity: 0)
        output.append("before\n")
        let start = output.count
        output.append(left)
        let place = right.isEmpty ? nil : output.beginRight(style)
        output.append(right)
        output.endLine(from: start, right: place, style)
        return String(output.string.dropFirst(7))
    }

    private static let query = "15:37:18.7608 #3 ▲ postgresql query select name, price from goods where price > 100"

    @Test("A line with a right part, at four widths and in a pipe")
    func widths() {
        let golden: [(Int?, String)] = [
            (60, "15:37:18.7608 #3 ▲ postgresql query select name, …   84 B @0"),
            (80, "15:37:18.7608 #3 ▲ postgresql query select name, price from goods whe…   84 B @0"),
            (100, Self.query + String(repeating: " ", count: 10) + "84 B @0"),
            (120, Self.query + String(repeating: " ", count: 30) + "84 B @0"),
            (200, Self.query + String(repeating: " ", count: 30) + "84 B @0"),
            (nil, Self.query + "   84 B @0"),
        ]
        for (width, text) in golden {
            #expect(Self.line(Self.query, "84 B @0", TerminalStyle(width: width)) == text + "\n", "\(width ?? 0)")
        }
    }

    @Test("What fits exactly is not cut, and what is one column too wide loses two")
    func edge() {
        let text = String(repeating: "x", count: 80)
        #expect(Self.line(text, "", TerminalStyle(width: 80)) == text + "\n")
        #expect(Self.line(text + "y", "", TerminalStyle(width: 80)) == text.dropLast() + "…\n")
        #expect(Self.line(text + "y", "", TerminalStyle(width: 80, isUnicode: false)) == text.dropLast(3) + "...\n")
        #expect(Self.line(text + "y", "", TerminalStyle()) == text + "y\n")
        let left = String(repeating: "x", count: 70)
        #expect(Self.line(left, "1234567", TerminalStyle(width: 80)) == left + "   1234567\n")
        #expect(Self.line(left + "y", "1234567", TerminalStyle(width: 80)) == left.dropLast() + "…   1234567\n")
    }

    @Test("Colors take no room, and end where a line is cut")
    func colors() {
        let text = "\u{1B}[36m" + String(repeating: "x", count: 50) + "\u{1B}[0m"
        let style = TerminalStyle(width: 50, color: true)
        #expect(Self.line(text, "", style) == text + "\n")
        let cut = Self.line(text, "12", style)
        #expect(cut == "\u{1B}[36m" + String(repeating: "x", count: 44) + "…\u{1B}[0m   12\n")
    }

    @Test("No line is wider than its terminal, whatever its parts", arguments: [40, 41, 79, 80, 100, 120, 121, 300])
    func bound(width: Int) {
        for left in [0, 1, 17, 36, 40, 79, 80, 119, 120, 121, 500] {
            for right in [0, 1, 7, 30, 60, 400] {
                for character in ["x", "語", "e\u{301}"] {
                    let parts = (String(repeating: character, count: left), String(repeating: "9", count: right))
                    let line = Self.line(parts.0, parts.1, TerminalStyle(width: width))
                    #expect(line.hasSuffix("\n"))
                    let columns = DisplayWidth.columns(of: Array(line.utf8).span.bytes)
                    #expect(columns <= width, "\(left) \(right) \(character)")
                }
            }
        }
    }

    @Test("Without Unicode everything is ASCII")
    func ascii() {
        let style = TerminalStyle(width: 80, isUnicode: false)
        #expect(Self.line("GET /caf\u{e9} \u{65e5}", "", style) == "GET /caf\\u{e9} \\u{65e5}\n")
        #expect(Self.line("plain", "", style) == "plain\n")
        let signs = [style.sign(.upstream), style.sign(.downstream), style.arrow, style.doubleArrow, style.ellipsis]
        #expect(signs.map(\.description) == [">", "<", "->", "=>", "..."])
    }

    @Test("An address that the reader knows is left out of a short line, and none of a whole one")
    func addresses() throws {
        let path = [
            "10.0.0.9:5", "10.0.0.1:80", "10.0.0.1:444", "[2001:db8::1]:443", "127.0.0.1:6", "[::1]:7",
            "[2001:db8::1]:8",
        ]
        func text(_ isShort: Bool) throws -> String {
            var addresses = LineAddresses(isShort: isShort)
            var output = ByteBuffer()
            for end in path {
                addresses.append(try #require(Endpoint(end)), to: &output)
                output.append(" ")
            }
            return output.string
        }
        #expect(try text(false) == path.joined(separator: " ") + " ")
        #expect(try text(true) == "10.0.0.9:5 10.0.0.1:80 :444 [2001:db8::1]:443 :6 :7 [2001:db8::1]:8 ")
    }
}
