import Glibc
import WeirFlow
import WeirWire

/// Is what an output's thread writes to: a descriptor that was lent, or a file that is opened anew when it is gone from
/// its path.
package struct OutputTarget: ~Copyable, Sendable {
    private static let pageSize = 4096

    package private(set) var raw: Int32
    private let path: String?
    private var own: Descriptor?
    /// Counts the bytes of a file that has a path; nil for everything else.
    private var size: Int?
    /// Holds a capture's files, and how much of the one at hand is written, and is written in whole blocks.
    private var files: CaptureFiles?
    private var written = 0
    private var whole = 0
    /// Counts the bytes before the file's first record: a file that has no more never ends.
    private var head = 0
    /// Counts the bytes of a line that were written without its end.
    private var unfinished = 0
    /// Whether lines are written, and no blocks of a capture.
    private let hasLines: Bool
    private let whenWaiting: @Sendable () -> Void

    init(_ output: SinkOutput) {
        raw = output.descriptor
        path = output.path
        files = output.files
        hasLines = !(output.sink is CaptureSink)
        whenWaiting = output.whenWaiting
    }

    /// Writes to the files of a capture, one after another.
    package init(_ files: CaptureFiles) {
        raw = files.descriptor
        path = nil
        self.files = files
        hasLines = false
        whenWaiting = {}
    }

    /// Writes to a descriptor that stays open, and belongs to the caller.
    package init(lent descriptor: Int32) {
        raw = descriptor
        path = nil
        hasLines = false
        whenWaiting = {}
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
        let descriptor = try OutputFile.open(path, whenWaiting: whenWaiting)
        raw = descriptor.raw
        size = FileStatus(of: raw)?.size
        own = consume descriptor
        unfinished = 0
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
    package mutating func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        let length = size.map { Self.wholeLines(in: bytes, at: $0) } ?? bytes.count
        let count = Glibc.write(raw, bytes.baseAddress, length)
        if count > 0, let size { self.size = size + count }
        if count > 0 { written += count }
        if count == bytes.count { whole = written }
        if count > 0, hasLines {
            let lineFeed = bytes[..<count].lastIndex(of: UInt8(ascii: "\n"))
            unfinished = lineFeed.map { count - $0 - 1 } ?? unfinished + count
        }
        return count
    }

    /// Takes back the beginning of a line, or of a capture's block, after writing has failed in the middle of it.
    ///
    /// Only at the end of a regular file, and never what another program has appended behind it.
    package func cutToWhole() {
        guard hasLines else { return cutToWholeBlocks() }
        // The position, too, is shared with whoever else has the file: it must not stay behind the end.
        guard unfinished > 0, let status = FileStatus(of: raw), status.isRegular,
            lseek(raw, 0, SEEK_CUR) == status.size, status.size >= unfinished,
            ftruncate(raw, status.size - unfinished) == 0
        else { return }
        lseek(raw, status.size - unfinished, SEEK_SET)
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

// Captures
extension OutputTarget {
    /// Names the capture's file that is written; nil for every other output.
    package var file: String? { files?.path }

    /// Reads the time of day by the output's own clock, in nanoseconds since 1970 UTC.
    var time: Int64 { files?.clock() ?? SystemClock.now().wallNanoseconds }

    /// Says whether a capture's file ends before something that happened at a time.
    ///
    /// - Parameters:
    ///   - time: the time, in nanoseconds since 1970 UTC.
    ///   - pending: how many bytes are still to be written before it.
    /// - Returns: false for whatever is no capture's file.
    func ends(before time: Int64, pending: Int) -> Bool {
        guard let files else { return false }
        let size = written + pending
        return files.isOver(at: time) || files.isFull(size) && size > head
    }

    /// Says how long the file still goes on while nothing happens; nil where nothing ends it then.
    package var timeLeft: Duration? { files.flatMap { $0.timeLeft(at: $0.clock()) } }

    /// Says when the file ends by its time, in nanoseconds since 1970 UTC; nil where it does not.
    package var boundary: Int64? { files?.boundary }

    /// Says how many bytes end the file; nil where none do.
    package var fullSize: Int? { files?.rotation.size }

    /// Notes that a file's head was rendered, and is still to be written.
    mutating func noteHead(_ size: Int) { head = size }

    /// Begins the next file of a capture at a time; returns the name of the one that has ended.
    package mutating func beginFile(at time: Int64) throws(SystemError) -> String {
        guard let ended = try files?.next(at: time), let descriptor = files?.descriptor else { return "" }
        raw = descriptor
        written = 0
        whole = 0
        return ended
    }

    /// Cuts off what was written of a capture's last block, where writing has failed in the middle of it.
    private func cutToWholeBlocks() {
        guard let files, files.isRegular, written > whole else { return }
        var rest = [UInt8](repeating: 0, count: written - whole)
        let count = pread(raw, &rest, rest.count, whole)
        guard count == rest.count else { return }
        ftruncate(raw, whole + WholeBlocks.length(rest.span.bytes, files.format, isStart: whole == 0))
    }
}
