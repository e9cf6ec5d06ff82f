/// The line before a chunk of a body: its size in hex digits, and extensions, which are ignored.
///
/// Source: RFC 9112 section 7.1.
package struct HTTPChunkLine: Hashable, Sendable {
    /// The size of the chunk in bytes; 0 ends the body.
    package let size: Int
    /// Whether only blanks are between the size and the extensions or the line's end: readers disagree about the others.
    let isExact: Bool

    /// Reads a line, which must lie within the bytes; nil if it does not begin with a number that fits in an `Int`.
    package init?(_ bytes: RawSpan, _ line: Range<Int>) {
        guard let (size, end) = HTTPText.number(bytes, line, radix: 16) else { return nil }
        self.size = size
        let next = HTTPText.skippingBlanks(bytes, end..<line.upperBound)
        isExact = next == line.upperBound || HTTPText.octet(bytes, next) == UInt8(ascii: ";")
    }
}
