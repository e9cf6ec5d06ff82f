import Support
import Testing
import WeirWire

@testable import WeirEngine

@Suite("A watch for bodies with a Content-Length")
struct ContentLengthWatchTests {
    /// Marks the bytes of bodies with `^`.
    private static func marks(_ text: String) -> String {
        var watch = ContentLengthWatch()
        return String(text.utf8.map { watch.take($0) ? "^" : " " })
    }

    @Test(
        "Bodies are as long as their header says, and begin after the empty line",
        arguments: [
            ("Content-Length: 3\r\n\r\nabcd", 21, 3), ("content-LENGTH:3\n\nabcd", 18, 3),
            ("GET / HTTP/1.1\r\nX: 1\r\nContent-Length: 12\r\nY: 2\r\n\r\nabc", 50, 3),
            ("Content-Length: 0\r\n\r\nabc", 0, 0), ("X-Content-Length: 3\r\n\r\nabc", 0, 0),
            ("Content-Length: x\r\n\r\nabc", 0, 0), ("Content-Length: 3\r\nabc", 0, 0), ("abc\r\n\r\nabc", 0, 0),
            ("Content-Length: 99999999999999999999999\r\n\r\nabc", 43, 3),
        ]
    )
    func bodies(text: String, start: Int, count: Int) {
        let marks = Self.marks(text)
        #expect(marks.count { $0 == "^" } == count)
        if count > 0 { #expect(marks.dropFirst(start).prefix(count) == String(repeating: "^", count: count)) }
    }

    @Test("A second message has its own length, and one without has none")
    func messages() {
        let text = "Content-Length: 2\r\n\r\nabContent-Length: 1\r\n\r\nxGET /\r\n\r\nxyz"
        #expect(Self.marks(text).count { $0 == "^" } == 3)
    }

    @Test(
        "A replacement of another length in a body breaks its length; one in a header, or of the same length, does not"
    )
    func replacements() throws {
        let head = "PUT /old HTTP/1.1\r\nContent-Length: 3\r\n\r\n"
        for (text, with, breaks) in [
            (head + "old", "newer", true), (head + "abc", "newer", false), (head + "old", "new", false),
            ("PUT /old HTTP/1.1\r\n\r\nold", "newer", false),
        ] {
            var toxic = ReplaceToxic(find: Array("old".utf8), with: Array(with.utf8), wait: .milliseconds(100))
            var random = SplitMix64(seed: 1)
            let chunk = Chunk(bytes: Array(text.utf8), due: .init(nanoseconds: 0))
            let verdict = toxic.process(.chunk(chunk), at: .init(nanoseconds: 0), random: &random)
            let changes = verdict.chunks.flatMap(\.changes)
            #expect(changes.contains { $0.breaksLength } == breaks, "\(text) \(with)")
        }
    }
}
