import Support
import Testing
import WeirAnalysis
import WeirWire

@Suite("Words for a shell")
struct ShellTextTests {
    private static func word(_ bytes: [UInt8]) -> String {
        var output = ByteBuffer()
        ShellText.append(bytes, to: &output)
        return output.string
    }

    /// Returns the words that a shell makes of a text.
    private static func split(_ text: String) throws -> [[UInt8]] {
        // od writes bytes that are no text, too.
        let script = "for word in \(text); do printf %s \"$word\" | od -An -v -tx1; echo end; done"
        let output = try ChildProgram.run("sh", ["-c", script]).output
        return output.split(separator: "end\n", omittingEmptySubsequences: false).dropLast().map { part in
            part.split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { UInt8($0, radix: 16) }
        }
    }

    @Test(
        "Are quoted as little as possible",
        arguments: [
            ("abc", "abc"), ("http://h:80/a_b-c.d%20+,@", "http://h:80/a_b-c.d%20+,@"), ("", "''"), ("a b", "'a b'"),
            ("it's", #"'it'\''s'"#), ("$HOME `x` \\ \"", #"'$HOME `x` \ "'"#), ("a\nb\tc", "'a\nb\tc'"),
            ("a=b", "'a=b'"),
            ("\u{e4}", "'\u{e4}'"), ("a\u{1B}[0m", #""$(printf 'a\033[0m')""#),
            ("5%\r'\\", #""$(printf '5%%\015\047\134')""#),
            ("-x\u{7}", #""$(printf '\055x\007')""#), ("\u{202e}", #""$(printf '\342\200\256')""#),
        ]
    )
    func words(text: String, word: String) {
        #expect(Self.word(Array(text.utf8)) == word)
    }

    @Test("A shell makes the same bytes of them", .needsProgram("sh"), .needsProgram("od"), arguments: 0..<8)
    func roundTrip(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var texts = ["", "-n", "-e", "%s", "\\n", "'", "''", "$(x)", "!", "~", "#", "a b", "*", "\\"].map {
            Array($0.utf8)
        }
        for _ in 0..<40 {
            let isBinary = Bool.random(using: &random)
            var bytes = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                isBinary ? UInt8.random(in: 1...255, using: &random) : UInt8.random(in: 32...126, using: &random)
            }
            while bytes.last == 10 { bytes.removeLast() }
            texts.append(bytes)
        }
        let line = texts.map(Self.word).joined(separator: " ")
        #expect(line.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0a || $0 == 0x09 })
        #expect(try Self.split(line) == texts)
    }
}
