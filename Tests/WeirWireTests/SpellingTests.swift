import Testing

@testable import WeirWire

@Suite("Spelling")
struct SpellingTests {
    private static let commands = ["relay", "echo", "connect", "capture", "show", "ports", "toxic", "demo"]

    @Test(
        "A word that is nearly one of the candidates is taken for it",
        arguments: [
            ("shwo", "show"), ("shw", "show"), ("sho", "show"), ("shoow", "show"), ("SHOW", "show"), ("relya", "relay"),
            ("rely", "relay"), ("conect", "connect"), ("conn", "connect"), ("cnnnect", "connect"), ("port", "ports"),
            ("captrue", "capture"), ("cpature", "capture"), ("re", "relay"),
        ]
    )
    func near(word: String, meant: String) {
        #expect(Spelling.nearest(to: word, among: Self.commands) == meant)
    }

    @Test(
        "A word that is none of them, or already one of them, is taken for nothing",
        arguments: ["", "foo", "x", "show", "shxy", "c", "pcap", "shows-the-flows", "show.pcap"]
    )
    func far(word: String) {
        #expect(Spelling.nearest(to: word, among: Self.commands) == nil)
    }

    @Test("One letter in three may be wrong: at the bound, one under and one over", arguments: [0, 1, 2, 3, 4])
    func bound(wrong: Int) {
        let word = String(repeating: "x", count: wrong) + "abcdefghi".dropFirst(wrong)
        let found = Spelling.nearest(to: word, among: ["abcdefghi"])
        #expect(found == ((1...3).contains(wrong) ? "abcdefghi" : nil))
    }

    @Test("Letters past the bound are not looked at", arguments: [63, 64, 65])
    func length(_ count: Int) {
        let word = String(repeating: "a", count: count)
        #expect(Spelling.nearest(to: word, among: [word + "b"]) == (count <= 64 ? word + "b" : nil))
    }

    @Test("A beginning that two candidates have is taken for neither, and the nearest one wins")
    func several() {
        #expect(Spelling.nearest(to: "pac", among: ["packets", "packets_up"]) == nil)
        #expect(Spelling.nearest(to: "bytes_dwon", among: ["bytes", "bytes_up", "bytes_down"]) == "bytes_down")
    }
}
