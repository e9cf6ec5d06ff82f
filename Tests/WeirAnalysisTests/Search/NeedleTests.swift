import Support
import Testing
import WeirWire

@testable import WeirAnalysis

@Suite("Needles")
struct NeedleTests {
    @Test("Are found where trying every place finds them", arguments: 1...20)
    func property(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in
                UInt8.random(in: 97...98, using: &generator)
            }
            let bytes = (0..<Int.random(in: 1..<6, using: &generator)).map { _ in
                UInt8.random(in: 97...98, using: &generator)
            }
            let start = Int.random(in: 0...5, using: &generator)
            let last = text.count - bytes.count
            let expected = (start..<max(start, last + 1)).first { Array(text[$0..<($0 + bytes.count)]) == bytes }
            #expect(Needle(bytes).find(in: text.span.bytes, from: start) == expected)
        }
    }

    @Test("That repeat themselves are found, and not found, without trying every place")
    func repetitions() {
        let text = [UInt8](repeating: 97, count: 1_000_000)
        let almost = Needle([UInt8](repeating: 97, count: 5000) + [98])
        #expect(almost.find(in: text.span.bytes, from: 0) == nil)
        #expect(almost.find(in: (text + [98]).span.bytes, from: 0) == 1_000_000 - 5000)
        #expect(Needle([UInt8](repeating: 97, count: 5000)).find(in: text.span.bytes, from: 17) == 17)
    }

    @Test(
        "Are read from a text, from hex, or from an expression",
        arguments: [
            ("GET /", .bytes(Array("GET /".utf8))), ("hex:1603 01:ff", .bytes([0x16, 3, 1, 0xff])),
            ("hexen", .bytes(Array("hexen".utf8))),
        ] as [(String, SearchPattern)]
    )
    func patterns(_ text: String, _ expected: SearchPattern) throws {
        #expect(try SearchPattern(parsing: text) == expected)
    }

    @Test("An expression stands between slashes")
    func expressions() throws {
        #expect(try SearchPattern(parsing: "/a|b/i") == .regex(ByteRegex("a|b", ignoresCase: true)))
        #expect(try SearchPattern(parsing: "/a/b/") == .regex(ByteRegex("a/b")))
        for text in ["/a", "/", "/i", ""] {
            #expect(throws: PatternError.self) { _ = try SearchPattern(parsing: text) }
        }
    }
}
