import Support
import Testing
import WeirWire

@testable import WeirAnalysis

@Suite("Expressions over bytes")
struct ByteRegexTests {
    /// Returns the text of the first match.
    private static func first(_ pattern: String, _ text: String, ignoresCase: Bool = false) throws -> String? {
        var finder = PatternFinder(.regex(try ByteRegex(pattern, ignoresCase: ignoresCase)))
        let bytes = Array(text.utf8)
        guard case .match(let range) = finder.find(in: bytes.span.bytes, from: 0, isStart: true, isEnd: true) else {
            return nil
        }
        return String(decoding: bytes[range], as: UTF8.self)
    }

    @Test(
        "Finds the leftmost and longest match",
        arguments: [
            ("abc", "xabcx", "abc"), ("a.c", "xa-c", "a-c"), ("a.c", "a\nc", nil), ("[0-9]+", "ab123c45", "123"),
            ("[^0-9]+", "12ab3", "ab"), ("ab|abc", "abcd", "abc"), ("(ab)+c", "xababc", "ababc"), ("a?b", "ab", "ab"),
            ("a{2}", "aaa", "aa"), ("a{2,}", "aaaa", "aaaa"), ("a{1,2}", "aaa", "aa"), ("a{,2}b", "a{,2}b", "a{,2}b"),
            ("^b", "a\nb", "b"), ("^b", "ab", nil), ("a$", "a\r\nb", "a"), ("a$", "ab", nil), ("a$", "ba", "a"),
            ("\\bcat\\b", "concat cat", "cat"), ("\\Bcat", "concat", "cat"), ("\\d\\w\\s", "1a ", "1a "),
            ("\\x41\\.", "AA.", "A."), ("[\\]a-]+", "x]-a", "]-a"), ("[]a]+", "]a", "]a"), ("é+", "caféé", "éé"),
            ("\\/x", "/x", "/x"), ("a\\|b", "a|b", "a|b"), ("(?:x|yy)z", "yyz", "yyz"), ("a{2}{2}", "aaaaa", "aaaa"),
        ] as [(String, String, String?)]
    )
    func finds(_ pattern: String, _ text: String, _ match: String?) throws {
        #expect(try Self.first(pattern, text) == match)
    }

    @Test("Takes letters in either case if it is to")
    func cases() throws {
        #expect(try Self.first("get [a-c]", "GET B", ignoresCase: true) == "GET B")
        #expect(try Self.first("get", "GET") == nil)
        #expect(try Self.first("[^a]", "Ab", ignoresCase: true) == "b")
    }

    @Test(
        "Says what is wrong",
        arguments: [
            ("(a", "'(' has no ')'; write \\( for the character"),
            ("a)", "')' has no '('; write \\) for the character"),
            ("[a", "'[' has no ']'; write \\[ for the character"), ("*a", "'*' repeats nothing"),
            ("a*?", "a repetition cannot be lazy or possessive: the longest match counts"),
            ("(?=a)", "a group begins with ( or (?:"), ("a\\", "it ends with a backslash"),
            ("\\1", "\\1 means nothing here; there are \\d \\w \\s \\b \\n \\r \\t \\0 and \\xHH"),
            ("\\x4", "\\x takes two hex digits"), ("[z-a]", "a range in [ ] has two characters in order"),
            ("[é]", "[ ] takes ASCII characters and bytes as \\xHH; use (a|b) for others"),
            ("a{3,2}", "a repetition has two numbers in order, up to 1000"), ("a*", "it matches where nothing is"),
            ("", "it matches where nothing is"), ("^$", "it matches where nothing is"),
            ("((a{900}){900}){900}", "it is too large: its repetitions multiply"),
        ]
    )
    func refuses(_ pattern: String, _ message: String) {
        let error = #expect(throws: PatternError.self) { _ = try ByteRegex(pattern) }
        #expect(error?.description == message)
    }

    @Test("A hundred thousand parentheses are refused, not a trap")
    func deep() {
        #expect(throws: PatternError.self) { _ = try ByteRegex(String(repeating: "(", count: 100_000)) }
    }

    /// Makes a random expression of few letters.
    private static func pattern(_ depth: Int, _ generator: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<(depth > 3 ? 3 : 9), using: &generator) {
        case 0: return "a"
        case 1: return "b"
        case 2: return ["[ab]", "[^a]", ".", "\\n", "c"].randomElement(using: &generator) ?? ""
        case 3: return "(?:\(pattern(depth + 1, &generator))|\(pattern(depth + 1, &generator)))"
        case 4:
            let repeats = ["*", "+", "?", "{1,2}", "{2}"].randomElement(using: &generator) ?? ""
            return "(?:\(pattern(depth + 1, &generator)))\(repeats)"
        case 5: return pattern(depth + 1, &generator) + pattern(depth + 1, &generator)
        case 6:
            return (["^", "\\b", "\\B", ""].randomElement(using: &generator) ?? "") + pattern(depth + 1, &generator)
        case 7: return pattern(depth + 1, &generator) + (["\\b", "$", ""].randomElement(using: &generator) ?? "")
        default: return pattern(depth + 1, &generator) + pattern(depth + 1, &generator) + pattern(depth + 1, &generator)
        }
    }

    /// Returns whether an expression matches a part of some bytes, by trying everything.
    private static func matches(_ node: ByteRegexNode, _ bytes: [UInt8], _ part: Range<Int>) -> Bool {
        func isWord(_ index: Int) -> Bool { bytes.indices.contains(index) && ByteSet.word.contains(bytes[index]) }
        func go(_ node: ByteRegexNode, _ at: Int, _ then: (Int) -> Bool) -> Bool {
            switch node {
            case .byte(let set): return at < part.upperBound && set.contains(bytes[at]) && then(at + 1)
            case .assertion(.lineStart): return (at == 0 || bytes[at - 1] == 10) && then(at)
            case .assertion(.lineEnd): return (at == bytes.count || bytes[at] == 10 || bytes[at] == 13) && then(at)
            case .assertion(.wordEdge): return isWord(at - 1) != isWord(at) && then(at)
            case .assertion(.noWordEdge): return isWord(at - 1) == isWord(at) && then(at)
            case .sequence(let nodes):
                func all(_ index: Int, _ at: Int) -> Bool {
                    index == nodes.count ? then(at) : go(nodes[index], at) { all(index + 1, $0) }
                }
                return all(0, at)
            case .either(let nodes): return nodes.contains { go($0, at, then) }
            case .repeated(let node, let least, let most):
                func again(_ count: Int, _ at: Int) -> Bool {
                    if count >= least, then(at) { return true }
                    if let most, count >= most { return false }
                    return go(node, at) { ($0 > at || count < least) && again(count + 1, $0) }
                }
                return again(0, at)
            }
        }
        return go(node, part.lowerBound) { $0 == part.upperBound }
    }

    @Test("Ends matches where trying everything does, however the bytes are cut", arguments: 1...20)
    func property(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let text = Self.pattern(0, &generator)
            guard let regex = try? ByteRegex(text) else { continue }
            var parser = ByteRegexParser(text, ignoresCase: false)
            let node = try parser.parse()
            let letters = Array("abc\n-".utf8)
            let bytes = (0..<Int.random(in: 1..<12, using: &generator)).map { _ in
                letters.randomElement(using: &generator) ?? 0
            }
            var expected: Set<Int> = []
            for start in bytes.indices {
                for end in (start + 1)...bytes.count where Self.matches(node, bytes, start..<end) {
                    expected.insert(end)
                }
            }
            var (search, progress, found) = (PatternSearch([.regex(regex)]), PatternSearch.Progress(), Set<Int>())
            var index = 0
            while index < bytes.count {
                let end = min(bytes.count, index + Int.random(in: 1...4, using: &generator))
                let piece = Array(bytes[index..<end])
                search.add(piece.span.bytes, to: &progress) { found.insert($0.end) }
                index = end
            }
            search.finish(&progress) { found.insert($0.end) }
            #expect(found == expected, "\(text) in \(bytes)")
        }
    }

    @Test("A table that is full begins anew, and nothing is lost")
    func full() throws {
        // About 2 to the 12 states.
        let regex = try ByteRegex("[ab]*a[ab]{11}c")
        var generator = SeededGenerator(seed: 7)
        let bytes = (0..<40_000).map { _ in [97, 98, 98, 99].randomElement(using: &generator) ?? UInt8(97) }
        let expected = bytes.indices.filter { index in
            guard bytes[index] == 99, index >= 12 else { return false }
            return bytes[(index - 11)..<index].allSatisfy { $0 != 99 } && bytes[index - 12] == 97
        }
        var (search, progress, found) = (PatternSearch([.regex(regex)]), PatternSearch.Progress(), [Int]())
        for start in stride(from: 0, to: bytes.count, by: 100) {
            let piece = Array(bytes[start..<(start + 100)])
            search.add(piece.span.bytes, to: &progress) { found.append($0.end - 1) }
        }
        #expect(found == expected && expected.count > 5)
    }
}
