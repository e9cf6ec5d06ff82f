/// The number of columns that text takes on a terminal.
public enum DisplayWidth {
    /// Returns the columns of a scalar: 0 for a mark on the one before it, 2 for a wide one, else 1.
    ///
    /// Only what is not ASCII is looked up.
    ///
    /// Source: Unicode Standard Annex 11, "East Asian Width"; the ranges are those of Unicode 15 without its gaps.
    public static func columns(of scalar: UInt32) -> Int {
        guard scalar >= 0x300 else { return 1 }
        guard let properties = Unicode.Scalar(scalar)?.properties else { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        // The vowels and final consonants of Hangul join the syllable before them.
        if (0x1160...0x11ff).contains(scalar) { return 0 }
        if properties.isEmojiPresentation { return 2 }
        return wide.contains { $0.contains(scalar) } ? 2 : 1
    }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x2329...0x232a, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3,
        0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18cff,
        0x1aff0...0x1b2ff, 0x1f200...0x1f265, 0x20000...0x3fffd,
    ]

    /// Returns the columns of UTF-8 text; a sequence that sets colors takes none, and neither does a control character.
    public static func columns(of bytes: RawSpan) -> Int {
        var (index, columns) = (0, 0)
        while index < bytes.byteCount {
            let (length, width) = step(bytes, at: index)
            index &+= length
            columns &+= width
        }
        return columns
    }

    /// Returns how many bytes of a text fit into a number of columns, and the columns that they take.
    ///
    /// Marks on the last character, and colors after it, are among them.
    static func prefix(of bytes: RawSpan, columns limit: Int) -> (bytes: Int, columns: Int) {
        var (index, columns) = (0, 0)
        while index < bytes.byteCount {
            let (length, width) = step(bytes, at: index)
            guard columns &+ width <= limit else { break }
            index &+= length
            columns &+= width
        }
        return (index, columns)
    }

    /// Returns the length in bytes and the columns of the character, or of the sequence for colors, at an index.
    @inline(__always)
    private static func step(_ bytes: RawSpan, at index: Int) -> (length: Int, columns: Int) {
        let byte = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        if byte < 0x80 { return byte >= 0x20 ? (1, byte == 0x7f ? 0 : 1) : (controlLength(bytes, at: index), 0) }
        guard let (scalar, length) = SafeText.decode(bytes, at: index) else { return (1, 1) }
        return (length, columns(of: scalar))
    }

    /// Returns the length of a sequence such as `ESC [ 3 2 m`; 1 for any other control character.
    private static func controlLength(_ bytes: RawSpan, at index: Int) -> Int {
        guard bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == 0x1b, index &+ 1 < bytes.byteCount,
            bytes.unsafeLoad(fromByteOffset: index &+ 1, as: UInt8.self) == UInt8(ascii: "[")
        else { return 1 }
        var end = index &+ 2
        while end < bytes.byteCount,
            (0x20...0x3f).contains(bytes.unsafeLoad(fromByteOffset: end, as: UInt8.self))
        {
            end &+= 1
        }
        return min(end &+ 1, bytes.byteCount) &- index
    }
}
