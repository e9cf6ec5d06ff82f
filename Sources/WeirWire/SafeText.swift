/// The distinction between text that is safe for a terminal and text that could control it.
public enum SafeText {
    /// Decodes one well-formed scalar of two to four bytes; nil if there is none.
    ///
    /// - Precondition: `index` is within the bytes.
    ///
    /// Source: RFC 3629 section 4.
    public static func decode(_ bytes: RawSpan, at index: Int) -> (scalar: UInt32, length: Int)? {
        let first = UInt32(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        let length: Int
        var scalar: UInt32
        switch first {
        case 0xC2...0xDF: (length, scalar) = (2, first & 0x1F)
        case 0xE0...0xEF: (length, scalar) = (3, first & 0x0F)
        case 0xF0...0xF4: (length, scalar) = (4, first & 0x07)
        default: return nil
        }
        guard length <= bytes.byteCount &- index else { return nil }
        for offset in 1..<length {
            let next = UInt32(bytes.unsafeLoad(fromByteOffset: index &+ offset, as: UInt8.self))
            guard next & 0xC0 == 0x80 else { return nil }
            scalar = scalar << 6 | next & 0x3F
        }
        let least: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
        guard scalar >= least, scalar <= 0x10FFFF, !(0xD800...0xDFFF).contains(scalar) else { return nil }
        return (scalar, length)
    }

    /// Returns whether a scalar neither controls a terminal, nor changes the writing direction, nor is invisible.
    public static func isSafe(_ scalar: UInt32) -> Bool {
        switch scalar {
        // Unassigned code points that are invisible: between the invisible operators, before the annotations, and tags.
        case 0x2065, 0xFFF0...0xFFF8, 0xE0000...0xE0FFF: return false
        default: break
        }
        switch Unicode.Scalar(scalar)?.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, nil: return false
        default: return true
        }
    }

    /// Returns a text that cannot control a terminal: each unsafe character becomes an escape such as `\u{1b}`.
    public static func escaped(_ text: String) -> String {
        guard !text.unicodeScalars.allSatisfy({ isSafe($0.value) }) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isSafe(scalar.value) {
                result.append(scalar)
            } else {
                result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            }
        }
        return String(result)
    }
}
