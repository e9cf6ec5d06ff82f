import WeirWire

/// Renders bytes as indented lines of text in which nothing can steer a terminal.
///
/// UTF-8 passes where it is well formed; control characters, marks that turn the direction of writing, and bytes that
/// are not UTF-8 are escaped: `\r`, `\t`, `\x1b`, `\u{202e}`.
enum EscapedText {
    static func append(_ bytes: RawSpan, to output: inout ByteBuffer) {
        bytes.withUnsafeBytes { append($0, to: &output) }
    }

    private static func append(_ bytes: UnsafeRawBufferPointer, to output: inout ByteBuffer) {
        guard !bytes.isEmpty else { return }
        output.append("  | ")
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") {
                output.append(index + 1 < bytes.count ? "\\n\n  | " : "\\n")
                index += 1
            } else if byte >= 0x80, let (scalar, length) = decode(bytes, at: index), isSafe(scalar) {
                for offset in 0..<length { output.append(bytes[index + offset]) }
                index += length
            } else if byte >= 0x80, let (scalar, length) = decode(bytes, at: index) {
                output.append("\\u{")
                output.append(String(scalar, radix: 16))
                output.append("}")
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

    /// Decodes one well-formed scalar of two to four bytes.
    ///
    /// Source: RFC 3629 section 4.
    private static func decode(_ bytes: UnsafeRawBufferPointer, at index: Int) -> (scalar: UInt32, length: Int)? {
        let first = UInt32(bytes[index])
        let length: Int
        var scalar: UInt32
        switch first {
        case 0xC2...0xDF: (length, scalar) = (2, first & 0x1F)
        case 0xE0...0xEF: (length, scalar) = (3, first & 0x0F)
        case 0xF0...0xF4: (length, scalar) = (4, first & 0x07)
        default: return nil
        }
        guard index + length <= bytes.count else { return nil }
        for offset in 1..<length {
            let next = UInt32(bytes[index + offset])
            guard next & 0xC0 == 0x80 else { return nil }
            scalar = scalar << 6 | next & 0x3F
        }
        let least: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
        guard scalar >= least, scalar <= 0x10FFFF, !(0xD800...0xDFFF).contains(scalar) else { return nil }
        return (scalar, length)
    }

    /// Says whether a scalar neither controls a terminal, nor turns the direction of writing, nor hides.
    private static func isSafe(_ scalar: UInt32) -> Bool {
        switch scalar {
        // Not assigned yet, but never to be seen: between the invisible operators, before the annotations, tags.
        case 0x2065, 0xFFF0...0xFFF8, 0xE0000...0xE0FFF: return false
        default: break
        }
        switch Unicode.Scalar(scalar)?.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, nil: return false
        default: return true
        }
    }
}
