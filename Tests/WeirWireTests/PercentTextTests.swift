import Testing
import WeirWire

@Suite("Percent-encoded text")
struct PercentTextTests {
    @Test(
        "Is encoded but for the unreserved characters of RFC 3986",
        arguments: [
            ("", ""), ("azAZ09-._~", "azAZ09-._~"), ("`{@[/:", "%60%7B%40%5B%2F%3A"), (" +%&=?", "%20%2B%25%26%3D%3F"),
            ("\u{0}\u{f}\u{10}\u{7f}", "%00%0F%10%7F"), ("é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80"),
            ("a/b/../c", "a%2Fb%2F..%2Fc"),
        ]
    )
    func encodes(text: String, encoded: String) {
        #expect(PercentText.encode(text) == encoded)
        #expect(PercentText.decode(encoded) == text)
    }

    @Test("Every byte of ASCII is read back, in either case of the digits")
    func ascii() {
        for byte in UInt8(0)..<0x80 {
            let text = "a" + String(Unicode.Scalar(byte)) + "b"
            #expect(PercentText.decode(PercentText.encode(text)) == text)
            let digits = String(byte, radix: 16)
            let padded = byte < 16 ? "0" + digits : digits
            #expect(PercentText.decode("a%\(padded)b") == text)
            #expect(PercentText.decode("a%\(padded.uppercased())b") == text)
        }
    }

    @Test(
        "Is refused where two digits do not follow, or where it is no UTF-8",
        arguments: [
            "%", "a%", "%4", "%4g", "%g4", "%%41", "% 41", "%+4", "%4%31", "%e9", "%C3", "%C3%28", "%４1", "%4é",
        ]
    )
    func refuses(text: String) { #expect(PercentText.decode(text) == nil) }

    @Test("A plus is a blank in a query alone")
    func plus() {
        #expect(PercentText.decode("a+b%2B") == "a+b+")
        #expect(PercentText.decode("a+b%2B", plusIsBlank: true) == "a b+")
        #expect(PercentText.decode("+%20+".dropFirst(), plusIsBlank: true) == "  ")
    }

    @Test(
        "A query is its pairs in order; those that cannot be read are left out",
        arguments: [
            ("", []), ("&&", []), ("a=1", ["a", "1"]), ("a=1&b=2&a=3", ["a", "1", "b", "2", "a", "3"]),
            ("a", ["a", ""]), ("a=", ["a", ""]), ("=a", ["", "a"]), ("=", ["", ""]), ("a=b=c", ["a", "b=c"]),
            ("a+b=c+d", ["a b", "c d"]), ("%61=%3D%26", ["a", "=&"]), ("%=1&b=2", ["b", "2"]), ("a=%&b=2", ["b", "2"]),
        ] as [(String, [String])]
    )
    func queries(text: String, parts: [String]) {
        #expect(PercentText.query(text).flatMap { [$0.name, $0.value] } == parts)
    }
}
