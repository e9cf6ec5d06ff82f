/// A finder of the lines of a head, or of those between chunks, in bytes to which more are added at the end.
///
/// A line ends with CR LF, or with LF alone, as many writers end it. No byte is searched twice.
///
/// Source: RFC 9112 section 2.2.
package struct HTTPLines: Sendable {
    /// One line.
    package struct Line: Hashable, Sendable {
        /// The range of the line, without its end.
        package var content: Range<Int>
        /// The offset after the line's end.
        package var end: Int
    }

    /// The offset of the next line.
    package private(set) var start: Int
    private var searched: Int

    /// Creates a finder of the lines from an offset on.
    package init(from start: Int = 0) {
        self.start = start
        searched = start
    }

    /// Whether bytes were searched that belong to the next line.
    package var hasBegun: Bool { searched > start }

    /// Finds the next line; nil if its end is not there yet.
    ///
    /// - Complexity: O(n) in the number of bytes not yet searched.
    package mutating func next(in bytes: RawSpan) -> Line? {
        guard let feed = bytes.find(UInt8(ascii: "\n"), from: searched) else {
            searched = max(searched, bytes.byteCount)
            return nil
        }
        let line = Line(content: Self.withoutReturn(bytes, start..<feed), end: feed + 1)
        self = HTTPLines(from: line.end)
        return line
    }

    /// Finds the next line, which the end of the bytes ends too; nil if no byte is left.
    package mutating func nextOrRest(in bytes: RawSpan) -> Line? {
        if let line = next(in: bytes) { return line }
        guard start < bytes.byteCount else { return nil }
        let line = Line(content: Self.withoutReturn(bytes, start..<bytes.byteCount), end: bytes.byteCount)
        self = HTTPLines(from: line.end)
        return line
    }

    private static func withoutReturn(_ bytes: RawSpan, _ range: Range<Int>) -> Range<Int> {
        guard let last = range.last, HTTPText.octet(bytes, last) == UInt8(ascii: "\r") else { return range }
        return range.lowerBound..<last
    }
}
