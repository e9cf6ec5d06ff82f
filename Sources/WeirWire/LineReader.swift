/// A reader of the lines of a text that arrives in pieces of any size.
///
///     var rest = piece
///     while let line = lines.next(&rest) { ... }
///
/// At the end, `finish()` returns the last line if it lacks its line feed.
///
/// A line that lies in several pieces is kept up to `longest` bytes; a longer one is reported, and none of it is kept.
/// Each byte is searched once for the end of its line, however long the line is.
public struct LineReader: Sendable {
    /// One line, without its line feed.
    public enum Line {
        /// A line that lies in one piece, and is valid as long as the piece is.
        case whole(UnsafeRawBufferPointer)
        /// A line whose parts came in several pieces.
        case joined([UInt8])
        /// A line of more than `longest` bytes.
        case tooLong
    }

    /// The maximum length of a line, in bytes.
    public let longest: Int
    /// The number of the last line that was returned, from 1; 0 if there was none.
    public private(set) var number = 0
    /// The offset of the last line that was returned, in bytes from the start of the text.
    public private(set) var start = 0
    /// The number of bytes that were read.
    public private(set) var offset = 0
    /// The offset of the line whose end has not been found.
    private var next = 0
    /// The beginning of that line, from earlier pieces.
    private var held: [UInt8] = []
    /// Whether that line is too long already.
    private var isSkipping = false

    /// Creates a reader at the start of a text.
    public init(longest: Int) {
        self.longest = longest
    }

    /// The number of bytes reserved for a line without an end.
    var bytesHeld: Int { held.capacity }

    /// Takes the next line that ends in a piece from there.
    ///
    /// - Parameter rest: What is left of the piece; empty afterwards if no line was returned.
    /// - Returns: The line; nil if no further one ends in the piece.
    /// - Complexity: O(n) for a line of n bytes.
    public mutating func next(_ rest: inout UnsafeRawBufferPointer) -> Line? {
        guard !rest.isEmpty else { return nil }
        guard let end = rest.bytes.find(UInt8(ascii: "\n"), from: 0) else {
            keep(rest)
            offset += rest.count
            rest = UnsafeRawBufferPointer(rebasing: rest[rest.count...])
            return nil
        }
        let part = UnsafeRawBufferPointer(rebasing: rest[..<end])
        rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
        offset += end + 1
        guard held.isEmpty, !isSkipping, part.count <= longest else {
            keep(part)
            return endLine()
        }
        step()
        return .whole(part)
    }

    /// Returns the last line of the text if it has no line feed; nil if there is none.
    public mutating func finish() -> Line? { isSkipping || !held.isEmpty ? endLine() : nil }

    private mutating func keep(_ part: UnsafeRawBufferPointer) {
        guard !isSkipping else { return }
        guard held.count + part.count <= longest else {
            held = []
            isSkipping = true
            return
        }
        held += part
    }

    private mutating func endLine() -> Line {
        step()
        var line: [UInt8] = []
        swap(&line, &held)
        defer { isSkipping = false }
        return isSkipping ? .tooLong : .joined(line)
    }

    private mutating func step() {
        number += 1
        start = next
        next = offset
    }
}

extension LineReader.Line {
    /// Lends the bytes of the line: nil if it is too long.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
        switch self {
        case .whole(let bytes): body(bytes)
        case .joined(let bytes): bytes.withUnsafeBytes { body($0) }
        case .tooLong: body(nil)
        }
    }
}
