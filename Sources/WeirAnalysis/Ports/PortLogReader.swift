import Glibc
import WeirWire

/// A reader of port choices from a relay's JSON lines, which may arrive in pieces of any size.
///
/// An unfinished line is kept up to `longestLine` bytes: a longer one is counted as no record, and none of it is kept.
/// Each byte is searched once for the end of its line, however long the line is.
public struct PortLogReader: Sendable {
    /// The maximum length of a line, in bytes: a record with `--log-bytes` has 700 KB for a chunk of 512 KiB.
    public static let longestLine = 2 << 20

    /// What the lines so far have contained.
    public private(set) var log = PortLog()
    /// The number of bytes that were searched for the end of a line.
    private(set) var bytesScanned = 0
    /// The beginning of a line whose end has not arrived.
    private var held: [UInt8] = []
    /// Whether the next bytes belong to a line that is too long.
    private var isSkipping = false

    /// The number of bytes reserved for a line without an end.
    var bytesHeld: Int { held.capacity }

    /// Creates a reader.
    public init() {}

    /// Reads a piece.
    ///
    /// - Complexity: O(n) for n bytes.
    public mutating func read(_ piece: UnsafeRawBufferPointer, into table: inout PortTable) {
        var rest = piece
        while !rest.isEmpty {
            let end = Self.lineFeed(rest)
            bytesScanned += (end ?? rest.count - 1) + 1
            let part = UnsafeRawBufferPointer(rebasing: rest[..<(end ?? rest.count)])
            rest = UnsafeRawBufferPointer(rebasing: rest[(end.map { $0 + 1 } ?? rest.count)...])
            if end != nil, held.isEmpty, !isSkipping, part.count <= Self.longestLine {
                log.read(part.bytes, into: &table)
            } else {
                keep(part)
                if end != nil { endLine(into: &table) }
            }
        }
    }

    /// Reads the last line, which may lack its end: a log that is still being written may be cut.
    public mutating func finish(into table: inout PortTable) {
        if isSkipping || !held.isEmpty { endLine(into: &table) }
    }

    private static func lineFeed(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress, let feed = memchr(base, 10, bytes.count) else { return nil }
        return UnsafeRawPointer(feed) - base
    }

    private mutating func keep(_ part: UnsafeRawBufferPointer) {
        guard !isSkipping else { return }
        guard held.count + part.count <= Self.longestLine else {
            held = []
            isSkipping = true
            return
        }
        held += part
    }

    private mutating func endLine(into table: inout PortTable) {
        var line: [UInt8] = []
        swap(&line, &held)
        if isSkipping { log.skipLine() } else { log.read(line.span.bytes, into: &table) }
        line.removeAll(keepingCapacity: true)
        swap(&line, &held)
        isSkipping = false
    }
}
