import Support
import Testing
import WeirWire

@Suite("Byte buffer: base64")
struct ByteBufferBase64Tests {
    @Test(
        "Writes the vectors of RFC 4648 section 10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
    )
    func vectors(text: String, expected: String) {
        #expect(rendered { $0.appendBase64(text.utf8.span.bytes) } == expected)
    }

    @Test("Writes the whole alphabet, in the fast part and in the tail")
    func alphabet() {
        // The bytes whose groups of six bits are 0, 1, 2, ... 63.
        var bytes: [UInt8] = []
        for first in stride(from: UInt32(0), to: 64, by: 4) {
            let word = first << 18 | (first + 1) << 12 | (first + 2) << 6 | (first + 3)
            bytes += [UInt8(word >> 16), UInt8(word >> 8 & 0xff), UInt8(word & 0xff)]
        }
        let characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        #expect(rendered { $0.appendBase64(bytes.span.bytes) } == characters)
        for start in stride(from: 0, to: 48, by: 3) {
            let three = Array(bytes[start..<(start + 3)])
            let index = characters.index(characters.startIndex, offsetBy: start / 3 * 4)
            #expect(rendered { $0.appendBase64(three.span.bytes) } == characters[index...].prefix(4))
        }
    }

    @Test("Agrees with a plain encoder for every size up to 200")
    func plain() {
        var generator = SeededGenerator(seed: 64)
        for count in 0...200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
            let output = rendered {
                $0.append("\"")
                $0.appendBase64(bytes.span.bytes)
                $0.append("\"")
            }
            #expect(output == "\"" + plainBase64(bytes) + "\"")
        }
    }

    private func plainBase64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var bits = bytes.flatMap { byte in (0..<8).map { Int(byte) >> (7 - $0) & 1 } }
        while bits.count % 6 != 0 { bits.append(0) }
        var output = ""
        for start in stride(from: 0, to: bits.count, by: 6) {
            output.append(alphabet[bits[start..<(start + 6)].reduce(0) { $0 * 2 + $1 }])
        }
        while output.count % 4 != 0 { output.append("=") }
        return output
    }
}
