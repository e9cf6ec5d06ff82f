/// A renderer of bytes as indented lines of text that cannot control a terminal.
///
/// Valid UTF-8 passes; control characters, characters that change the direction of writing, and bytes that are not
/// UTF-8 are escaped: `\r`, `\t`, `\x1b`, `\u{202e}`. For a reader that has ASCII alone all other characters are, too.
package enum EscapedText {
    package static func append(_ bytes: RawSpan, isUnicode: Bool = true, to output: inout ByteBuffer) {
        guard bytes.byteCount > 0 else { return }
        output.append("  | ")
        var index = 0
        while index < bytes.byteCount {
            let byte = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte == UInt8(ascii: "\n") {
                output.append(index + 1 < bytes.byteCount ? "\\n\n  | " : "\\n")
                index += 1
            } else if byte >= 0x80, let (scalar, length) = SafeText.decode(bytes, at: index) {
                if isUnicode, SafeText.isSafe(scalar) {
                    output.append(bytes.extracting(index..<(index + length)))
                } else {
                    output.append("\\u{")
                    output.append(String(scalar, radix: 16))
                    output.append("}")
                }
                index += length
            } else {
                appendByte(byte, to: &output)
                index += 1
            }
        }
        output.append("\n")
    }

    private static func appendByte(_ byte: UInt8, to output: inout ByteBuffer) {
        switch byte {
        case UInt8(ascii: "\r"): output.append("\\r")
        case UInt8(ascii: "\t"): output.append("\\t")
        case UInt8(ascii: "\\"): output.append("\\\\")
        case 0x20...0x7E: output.append(byte)
        default:
            output.append("\\x")
            output.appendHex(UInt32(byte), digits: 2)
        }
    }
}
