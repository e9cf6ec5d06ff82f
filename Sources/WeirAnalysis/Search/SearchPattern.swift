/// Bytes to search for: a text, bytes in hex, or a regular expression.
public enum SearchPattern: Hashable, Sendable {
    /// These bytes, at least one.
    case bytes([UInt8])
    /// What the expression matches.
    case regex(ByteRegex)

    /// The largest number of bytes to search for.
    static let longest = 4096

    /// Reads a pattern: a text as it is, bytes as `hex:160301`, or an expression as `/get|post/i`.
    ///
    /// A text that begins with one of the two forms can be written in the other one.
    ///
    /// - Throws: `PatternError` that says what is wrong.
    public init(parsing text: String) throws(PatternError) {
        if text.hasPrefix("/") {
            self = .regex(try Self.regex(text))
        } else if text.hasPrefix("hex:") {
            self = .bytes(try Self.hex(text.dropFirst(4)))
        } else {
            self = .bytes(try Self.limited(Array(text.utf8)))
        }
    }

    /// Reads `/.../` or `/.../i`.
    static func regex(_ text: String) throws(PatternError) -> ByteRegex {
        let ignoresCase = text.hasSuffix("/i")
        guard text.hasPrefix("/"), text.utf8.count > (ignoresCase ? 2 : 1), ignoresCase || text.hasSuffix("/") else {
            throw PatternError("an expression stands between slashes, /like this/ or /this/i for either case")
        }
        return try ByteRegex(String(text.dropFirst().dropLast(ignoresCase ? 2 : 1)), ignoresCase: ignoresCase)
    }

    /// Reads pairs of hex digits; blanks and colons between pairs are skipped.
    static func hex(_ text: some StringProtocol) throws(PatternError) -> [UInt8] {
        var bytes: [UInt8] = []
        var high: UInt8?
        for byte in text.utf8 {
            let value: UInt8
            switch byte {
            case 0x30...0x39: value = byte - 0x30
            case 0x41...0x46: value = byte - 0x37
            case 0x61...0x66: value = byte - 0x57
            case UInt8(ascii: " "), UInt8(ascii: ":"):
                guard high == nil else { throw PatternError("bytes in hex have two digits each") }
                continue
            default: throw PatternError("'\(Unicode.Scalar(byte).escaped(asASCII: false))' is no hex digit")
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        guard high == nil else { throw PatternError("bytes in hex have two digits each") }
        return try limited(bytes)
    }

    static func limited(_ bytes: [UInt8]) throws(PatternError) -> [UInt8] {
        guard !bytes.isEmpty else { throw PatternError("there is nothing to search for") }
        guard bytes.count <= longest else { throw PatternError("it is longer than \(longest) bytes") }
        return bytes
    }
}
