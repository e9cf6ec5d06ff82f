import Glibc
import WeirFlow

/// Is what an output's thread writes to: a descriptor that was lent, or a file that is opened anew when it is gone from
/// its path.
struct OutputTarget: ~Copyable {
    private static let pageSize = 4096

    private(set) var raw: Int32
    private let path: String?
    private var own: Descriptor?
    /// Counts the bytes of a file that has a path; nil for everything else.
    private var size: Int?

    init(_ output: SinkOutput) {
        raw = output.descriptor
        path = output.path
    }

    /// Opens the file anew where its path does not lead to it any more: it was deleted, or rotated.
    ///
    /// - Returns: whether it was.
    mutating func renew() throws(SystemError) -> Bool {
        guard let path, let mine = FileStatus(of: raw), mine.isRegular else { return false }
        size = mine.size
        if let there = FileStatus(at: path) {
            if there.isSameFile(as: mine) { return false }
        } else if errno != ENOENT, errno != ENOTDIR {
            return false
        }
        let descriptor = try OutputFile.open(path)
        raw = descriptor.raw
        size = FileStatus(of: raw)?.size
        own = consume descriptor
        return true
    }

    /// Writes the first of the bytes.
    ///
    /// A SIGKILL cuts a write(2) short where the file's page ends (measured on tmpfs: 187 of 200 kills in writes of 64
    /// KiB, none in writes that stay inside a page). So a file gets its whole lines page by page, and a line that lies
    /// across a border alone: nothing but the last line can be cut, and only one across a border.
    ///
    /// - Parameter bytes: whole lines, or the rest of one.
    /// - Returns: how many bytes were taken; below 0 with `errno` set where writing failed.
    mutating func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        let length = size.map { Self.wholeLines(in: bytes, at: $0) } ?? bytes.count
        let count = Glibc.write(raw, bytes.baseAddress, length)
        if count > 0, let size { self.size = size + count }
        return count
    }

    /// Counts the bytes of the lines that fit into the page at a place of the file, or else of the first line.
    static func wholeLines(in bytes: UnsafeRawBufferPointer, at position: Int) -> Int {
        let lineFeed = UInt8(ascii: "\n")
        let room = min(bytes.count, pageSize - position % pageSize)
        if let last = bytes[..<room].lastIndex(of: lineFeed) { return last + 1 }
        if let first = bytes[room...].firstIndex(of: lineFeed) { return first + 1 }
        return bytes.count
    }
}
