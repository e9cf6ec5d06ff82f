/// A text to compare with others; `*` stands for any characters.
///
/// ```
/// *.example.org    /api/*/items    curl
/// ```
public struct Wildcard: Hashable, Sendable {
    /// The text as it was written.
    public let text: String
    private let pattern: [UInt8]
    private let ignoresCase: Bool

    /// Creates a pattern.
    ///
    /// - Parameters:
    ///   - text: The text, with any number of `*`.
    ///   - ignoresCase: Whether ASCII letters match in either case.
    ///   - isPrefix: Whether a text without `*` matches everything that begins with it.
    public init(_ text: String, ignoresCase: Bool = false, isPrefix: Bool = false) {
        self.text = text
        self.ignoresCase = ignoresCase
        let star = UInt8(ascii: "*")
        let bytes = ignoresCase ? text.utf8.map(Self.lowercased) : Array(text.utf8)
        pattern = isPrefix && !bytes.contains(star) ? bytes + [star] : bytes
    }

    /// Returns whether a text matches.
    ///
    /// Complexity: O(n) in the text, times the pattern's length at most.
    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches($0) }
    }

    private func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var (at, place) = (0, 0)
        // Where to go on if the last star has to take one byte more.
        var (star, taken) = (-1, 0)
        while place < text.count {
            let byte = ignoresCase ? Self.lowercased(text[place]) : text[place]
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                (star, taken) = (at, place)
                at += 1
            } else if at < pattern.count, pattern[at] == byte {
                at += 1
                place += 1
            } else if star >= 0 {
                taken += 1
                (at, place) = (star + 1, taken)
            } else {
                return false
            }
        }
        while at < pattern.count, pattern[at] == UInt8(ascii: "*") { at += 1 }
        return at == pattern.count
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }
}
