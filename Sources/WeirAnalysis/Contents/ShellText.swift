package import WeirWire

/// Words for the command line of a POSIX shell, which also are safe for a terminal.
///
/// Source: POSIX.1-2017, Shell Command Language, sections 2.2 and 2.6.3; `printf` for octal numbers.
package enum ShellText {
    /// Appends a word of which the shell makes exactly the given bytes.
    ///
    /// Text is put in single quotes if it needs any. What a terminal must not get is written as octal numbers for
    /// `printf`.
    ///
    /// - Precondition: The bytes hold no NUL, which no word can have; and they do not end with a line feed if something
    ///   else
    ///   in them needs `printf`, as the shell drops it.
    package static func append(_ bytes: [UInt8], to output: inout ByteBuffer) {
        if !bytes.isEmpty, bytes.allSatisfy({ isPlain($0) }) {
            output.append(bytes.span.bytes)
        } else if isSafe(bytes) {
            appendQuoted(bytes, to: &output)
        } else {
            appendEscaped(bytes, to: &output)
        }
    }

    /// Appends a word of text.
    package static func append(_ text: String, to output: inout ByteBuffer) { append(Array(text.utf8), to: &output) }

    /// Returns whether bytes are text that a terminal may get: UTF-8 without control characters but tabs and line
    /// feeds.
    package static func isSafe(_ bytes: [UInt8]) -> Bool {
        let span = bytes.span.bytes
        var index = 0
        while index < span.byteCount {
            let byte = span.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte >= 0x20 && byte < 0x7f || byte == 0x09 || byte == 0x0a {
                index += 1
            } else if byte >= 0x80, let (scalar, length) = SafeText.decode(span, at: index), SafeText.isSafe(scalar) {
                index += length
            } else {
                return false
            }
        }
        return true
    }

    /// Returns whether a byte means only itself, wherever it is in a word.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "%+,-./:@_".utf8.contains(byte)
        }
    }

    private static func appendQuoted(_ bytes: [UInt8], to output: inout ByteBuffer) {
        output.append("'")
        for byte in bytes {
            if byte == UInt8(ascii: "'") { output.append("'\\''") } else { output.append(byte) }
        }
        output.append("'")
    }

    private static func appendEscaped(_ bytes: [UInt8], to output: inout ByteBuffer) {
        output.append("\"$(printf '")
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "%"): output.append("%%")
            // printf takes one at the start for an option.
            case UInt8(ascii: "-") where index == 0: output.append("\\055")
            case 0x20...0x7e where byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "'"): output.append(byte)
            default:
                output.append("\\")
                for shift in [6, 3, 0] { output.append(0x30 + (byte >> UInt8(shift)) & 7) }
            }
        }
        output.append("')\"")
    }
}
