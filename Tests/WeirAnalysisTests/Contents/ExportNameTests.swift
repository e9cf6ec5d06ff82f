import Support
import Testing
import WeirAnalysis
import WeirWire

@Suite("Names of exported files")
struct ExportNameTests {
    @Test(
        "Are the path of a target, without host and query",
        arguments: [
            ("/", "index"), ("/a.png", "a.png"), ("/a/b/c.tar.gz", "a/b/c.tar.gz"), ("/a/?q=/x", "a/index"),
            ("/a?b/c#d", "a"), ("/a#b", "a"), ("http://h:80/a/b", "a/b"), ("http://h", "index"), ("*", "*"),
            ("", "index"), ("h:443", "h:443"), ("/a//b", "a/b"), ("/a%20b/%C3%A4", "a b/\u{e4}"), ("/100%", "100%"),
            ("/%zz%4", "%zz%4"), ("/./a/%2e/b", "a/b"),
        ]
    )
    func paths(target: String, path: String) {
        #expect(ExportName(target: target).path == path)
    }

    @Test(
        "A path that ends with a slash is named by the type of its body",
        arguments: [("text/html", "index.html"), ("application/json", "index.json"), ("x/y", "index"), ("", "index")]
    )
    func types(type: String, path: String) {
        #expect(ExportName(target: "/", mediaType: type).path == path)
        #expect(ExportName(target: "/a/", mediaType: type).path == "a/\(path)")
        #expect(ExportName(target: "/a", mediaType: type).path == "a")
    }

    @Test(
        "Lead nowhere else, are not hidden, and control no terminal",
        arguments: [
            ("/../../etc/passwd", "_./_./etc/passwd"), ("/%2e%2e/%2E%2e/x", "_./_./x"), ("/..%2f..%2fx", "_._.._x"),
            ("/a/..", "a/_."), ("//etc/passwd", "etc/passwd"), ("/%2fetc%2fpasswd", "_etc_passwd"),
            ("/a%00.png", "a_.png"), ("/.ssh/authorized_keys", "_ssh/authorized_keys"), ("/...", "_.."),
            ("/a\\..\\b", "a_.._b"), ("/a%1b%5b31m", "a_[31m"), ("/a%0ab", "a_b"), ("/%ff%fe", "__"),
            ("/a%e2%80%aeb", "a_b"), ("/%7f", "_"), ("/-rf", "-rf"), ("/~/x", "~/x"),
        ]
    )
    func hostile(target: String, path: String) {
        #expect(ExportName(target: target).path == path)
    }

    @Test("Long names are cut before their ends, and of deep paths the last components count")
    func long() {
        let long = String(repeating: "a", count: 5000)
        #expect(ExportName(target: "/\(long).png").path == String(repeating: "a", count: 196) + ".png")
        #expect(ExportName(target: "/\(long)").path.utf8.count == 200)
        #expect(ExportName(target: "/x.\(long)").path == "x." + String(repeating: "a", count: 198))
        // Two bytes each: 199 is the most that fits whole.
        let wide = String(repeating: "\u{e4}", count: 5000)
        #expect(ExportName(target: "/\(wide).c").path.utf8.count == 200)
        #expect(ExportName(target: "/\(wide).ce").path.utf8.count == 199)
        let deep = (0..<1000).map { "\($0)" }.joined(separator: "/")
        #expect(ExportName(target: "/" + deep).components == (984..<1000).map { "\($0)" })
    }

    @Test("A number goes before the end, a word behind it")
    func numbers() {
        let name = ExportName(target: "/a/b.c.png")
        #expect(name.numbered(2).path == "a/b.c-2.png" && name.adding(".request").path == "a/b.c.png.request")
        #expect(ExportName(target: "/a").numbered(13).path == "a-13")
        #expect(ExportName(target: "/.a").numbered(2).path == "_a-2")
    }

    @Test(
        "Paths of FTP and TFTP are the same",
        arguments: [
            ("/pub/a.bin", "pub/a.bin"), ("a.bin", "a.bin"), ("../../a", "_./_./a"), ("", "body"), ("/", "body"),
            ("%2e%2e/a", "%2e%2e/a"), ("C:\\boot.ini", "C:_boot.ini"),
        ]
    )
    func transfers(path: String, expected: String) {
        #expect(ExportName(path: path).path == expected)
    }

    @Test("No bytes make a component that leads out", arguments: 0..<20)
    func random(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let pieces = ["/", "..", ".", "%2e", "%2f", "%00", "\\", "a", "\u{202e}", "%", "?", "://", "\u{0}", " "]
        for _ in 0..<500 {
            let target = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                pieces[Int.random(in: pieces.indices, using: &random)]
            }.joined()
            for name in [ExportName(target: target), ExportName(path: target)] {
                #expect(!name.components.isEmpty)
                for component in name.components {
                    #expect(!component.isEmpty && !component.hasPrefix(".") && component.utf8.count <= 206, "\(target)")
                    let isSafe = component.unicodeScalars.allSatisfy {
                        SafeText.isSafe($0.value) && $0 != "/" && $0 != "\0"
                    }
                    #expect(isSafe, "\(target)")
                }
            }
        }
    }
}
