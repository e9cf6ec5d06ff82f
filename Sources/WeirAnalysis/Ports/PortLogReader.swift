import WeirWire

/// A reader of port choices from a relay's JSON lines, which may arrive in pieces of any size.
///
/// A line of more than `longestLine` bytes is counted as no record, and none of it is kept.
public struct PortLogReader: Sendable {
    /// The maximum length of a line, in bytes: a record with `--log-bytes` has 700 KB for a chunk of 512 KiB.
    public static let longestLine = 2 << 20

    /// What the lines so far have contained.
    public private(set) var log = PortLog()
    private var lines = LineReader(longest: Self.longestLine)

    /// Creates a reader.
    public init() {}

    /// Reads a piece.
    ///
    /// - Complexity: O(n) for n bytes.
    public mutating func read(_ piece: UnsafeRawBufferPointer, into table: inout PortTable) {
        var rest = piece
        while let line = lines.next(&rest) { read(line, into: &table) }
    }

    /// Reads the last line, which may lack its end: a log that is still being written may be cut.
    public mutating func finish(into table: inout PortTable) {
        if let line = lines.finish() { read(line, into: &table) }
    }

    private mutating func read(_ line: LineReader.Line, into table: inout PortTable) {
        line.withBytes { bytes in
            if let bytes { log.read(bytes.bytes, into: &table) } else { log.skipLine() }
        }
    }
}
