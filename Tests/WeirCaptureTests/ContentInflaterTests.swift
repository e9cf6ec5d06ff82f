#if Gzip
import CZlib
import Support
import Testing
import WeirCapture

@Suite("Content codings")
struct ContentInflaterTests {
    /// Compresses bytes: a window of 31 gives gzip, of 15 zlib's format, and of -15 no head at all.
    static func compress(_ bytes: [UInt8], _ window: Int32, level: Int32 = 6) -> [UInt8] {
        var stream = z_stream()
        deflateInit2_(
            &stream,
            level,
            Z_DEFLATED,
            window,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let count = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                deflate(&stream, Z_FINISH)
                return output.count - Int(stream.avail_out)
            }
        }
        return Array(output[..<count])
    }

    private static let text = (0..<5000).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }

    @Test(
        "Are undone, the last one first",
        arguments: [
            ("gzip", [31]), ("x-gzip", [31]), ("GZip", [31]), ("deflate", [15]), ("deflate", [-15]),
            ("gzip, deflate", [31, 15]), (" deflate ,\tgzip ", [-15, 31]), ("identity", []), ("", []),
            ("identity,gzip,identity", [31]),
        ] as [(String, [Int32])]
    )
    func undone(codings: String, windows: [Int32]) {
        let sent = windows.reduce(Self.text) { Self.compress($0, $1) }
        let content = ContentInflater.inflate(sent, codings: codings, limit: 1 << 20)
        #expect(content.bytes == Self.text && content.trouble == nil && content.undone.count == windows.count)
    }

    @Test("Bodies without a coding stay as they are, also empty ones that name one")
    func plain() {
        #expect(ContentInflater.inflate(Self.text, codings: nil, limit: 10).bytes == Self.text)
        let empty = ContentInflater.inflate([], codings: "gzip", limit: 10)
        #expect(empty.bytes.isEmpty && empty.trouble == nil && empty.undone.isEmpty)
    }

    @Test("One that is not known is said, and what was sent before it stays coded")
    func unknown() {
        let brotli = ContentInflater.inflate(Self.text, codings: "br", limit: 1 << 20)
        #expect(brotli.bytes == Self.text && brotli.trouble == "still coded as br" && brotli.undone.isEmpty)
        let both = ContentInflater.inflate(Self.compress(Self.text, 31), codings: "br, gzip", limit: 1 << 20)
        #expect(both.bytes == Self.text && both.trouble == "still coded as br" && both.undone == ["gzip"])
        let hostile = ContentInflater.inflate(Self.text, codings: "\u{1B}[31m", limit: 1 << 20)
        #expect(hostile.trouble == "still coded as _[31m")
    }

    @Test("Several members of gzip in a row are one body")
    func members() {
        let sent = Self.compress(Self.text, 31) + Self.compress([1, 2, 3], 31)
        let content = ContentInflater.inflate(sent, codings: "gzip", limit: 1 << 20)
        #expect(content.bytes == Self.text + [1, 2, 3] && content.trouble == nil)
    }

    @Test("A body that is cut anywhere gives its beginning, and says so", arguments: [Int32(31), 15, -15])
    func cut(window: Int32) {
        let sent = Self.compress(Self.text, window)
        for count in stride(from: 1, to: sent.count, by: 7) {
            let coding = window == 31 ? "gzip" : "deflate"
            let content = ContentInflater.inflate(Array(sent[..<count]), codings: coding, limit: 1 << 20)
            #expect(content.trouble != nil, "\(count)")
            #expect(content.undone == [coding])
            #expect(Self.text.starts(with: content.bytes) || content.bytes == Array(sent[..<count]), "\(count)")
        }
    }

    @Test("A changed byte is no trap, and never gives more than the limit", arguments: 0..<10)
    func damage(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        for window in [Int32(31), 15, -15] {
            var sent = Self.compress(Self.text, window)
            for _ in 0..<3 {
                sent[Int.random(in: sent.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let content = ContentInflater.inflate(sent, codings: window == 31 ? "gzip" : "deflate", limit: 6000)
            #expect(content.bytes.count <= max(6000, sent.count))
        }
    }

    @Test("A body that is larger than the limit is cut there, and a bomb long before")
    func bombs() {
        let zeros = Self.compress([UInt8](repeating: 0, count: 40 << 20), 31, level: 9)
        let bomb = ContentInflater.inflate(zeros, codings: "gzip", limit: 1 << 30)
        #expect(bomb.bytes.count < 18 << 20)
        #expect(bomb.trouble?.hasPrefix("cut: taken for a decompression bomb, as ") == true)
        let large = ContentInflater.inflate(Self.compress(Self.text, 31), codings: "gzip", limit: 4999)
        #expect(
            large.bytes == Array(Self.text.dropLast()) && large.trouble == "cut: inflated it has more than 4999 bytes"
        )
        let exact = ContentInflater.inflate(Self.compress(Self.text, 31), codings: "gzip", limit: 5000)
        #expect(exact.bytes == Self.text && exact.trouble == nil)
    }
}
#endif
