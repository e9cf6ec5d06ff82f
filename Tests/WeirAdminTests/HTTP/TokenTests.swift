import Testing

@testable import WeirAdmin

@Suite("The token of the control API")
struct TokenTests {
    @Test(
        "It is visible ASCII characters, without the blanks around them",
        arguments: [
            ("a", 1), ("!", 1), ("~", 1), (" \tab\r\n", 2), ("\nabc", 3), ("", nil), (" \t\r\n", nil), ("a b", nil),
            ("a\tb", nil), ("\u{7f}", nil), ("a\u{1f}", nil), ("\u{e9}", nil), ("a\u{80}", nil),
        ] as [(String, Int?)]
    )
    func parses(text: String, length: Int?) {
        #expect(Token(text)?.length == length)
    }

    @Test(
        "It matches itself alone: neither a part, nor more, nor itself twice",
        arguments: [
            ("abc", ["a", "ab", "abcd", "abca", "abcabc", "", "abd", "xbc", "axc", "ABC", "bca", "cab", "abc "]),
            ("aa", ["a", "aaa", "aaaa", "ab", "ba"]), ("a", ["", "aa", "b"]),
        ]
    )
    func matches(text: String, others: [String]) throws {
        let token = try #require(Token(text))
        #expect(token.matches(text))
        for other in others { #expect(!token.matches(other), "\(other)") }
    }
}
