import Testing
import WeirWire

@testable import WeirDissect

@Suite("Message text")
struct MessageTextTests {
    @Test("Escapes what could steer a terminal, and keeps letters of all scripts")
    func escapes() {
        var text = MessageText()
        text.append(escaped: "a\r\n\t\u{1B}é漢\u{202e}\u{7f}")
        #expect(text.string == "a\\r\\n\\t\\x1bé漢\\xe2\\x80\\xae\\x7f")
    }

    @Test("A whole text is escaped where something in it could steer a terminal, and else left as it is")
    func escapesTexts() {
        #expect(SafeText.escaped("a proxy of é漢 \\ \"x\"") == "a proxy of é漢 \\ \"x\"")
        #expect(SafeText.escaped("a\u{1B}[31m\r\n\u{202e}\u{9b}") == "a\\u{1b}[31m\\u{d}\\u{a}\\u{202e}\\u{9b}")
        #expect(SafeText.escaped("").isEmpty)
    }

    @Test("Cuts what is long, and says so once")
    func cuts() {
        var text = MessageText()
        text.append(escaped: String(repeating: "x", count: 300), upTo: 10)
        #expect(text.string == "xxxxxxxxxx...")
        for _ in 0..<100 { text.append(escaped: String(repeating: "y", count: 100)) }
        #expect(text.utf8.count < 600)
        #expect(text.string.hasSuffix("y..."))
    }

    @Test("Writes numbers")
    func numbers() {
        var text = MessageText()
        text.append(bytes: 1)
        text.append(" ")
        text.append(bytes: 20)
        text.append(" ")
        text.append(hex: UInt16(0x1301))
        #expect(text.string == "1 byte 20 bytes 0x1301")
    }
}
