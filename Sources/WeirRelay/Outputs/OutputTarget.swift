import Glibc
import WeirSinks
import WeirWire

/// The destination of an output's thread: a lent descriptor, or a file that is opened again if it is gone from its
/// path.
package struct OutputTarget: ~Copyable, Sendable {
    private static let pageSize = 4096

    package private(set) var raw: Int32
    private let path: String?
    private var own: Descriptor?
    /// The size in bytes of a file that has a path; nil for everything else.
    private var size: Int?
    /// A capture's files; `written` and `whole` are the bytes of the current one: all, and those in whole blocks.
    private var files: CaptureFiles?
    private var written = 0
    private var whole = 0
    /// The number of bytes before the file's first record: a file with no more than these never ends.
    private var head = 0
    /// The number of bytes of an unfinished line that were written.
    private var unfinished = 0
    /// Whether the output has lines, not blocks of a capture.
    private let hasLines: Bool
    private let whenWaiting: @Sendable () -> Void

    init(_ output: SinkOutput) {
        raw = output.descriptor
        path = output.path
        files = output.files
        hasLines = !(output.sink is CaptureSink)
        whenWaiting = output.whenWaiting
    }

    /// Makes a target that writes to the files of a capture, one after another.
    package init(_ files: CaptureFiles) {
        raw = files.descriptor
        path = nil
        self.files = files
        hasLines = false
        whenWaiting = {}
    }

    /// Makes a target for a descriptor that stays open, and belongs to the caller.
    package init(lent descriptor: Int32) {
        raw = descriptor
        path = nil
        hasLines = false
        whenWaiting = {}
    }

    /// Opens the file again if its path no longer leads to it, because it was deleted or rotated.
    ///
    /// - Returns: whether a new file was opened.
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
    /// A SIGKILL cuts a write(2) short at the end of the file's page (measured on tmpfs: 187 of 200 kills in writes of
    /// 64 KiB, none in writes that stay inside a page). So whole lines are written page by page, and a line that
    /// crosses a page border is written alone: only the last line can be cut, and only if it crosses a border.
    ///
    /// - Parameter bytes: whole lines, or the rest of one.
    /// - Returns: the number of bytes taken; below 0 with `errno` set if writing failed.
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

    /// Removes the beginning of a line, or of a capture's block, after writing failed in the middle of it.
    ///
    /// It does so only at the end of a regular file, and never removes what another program has appended.
    package func cutToWhole() {
        guard hasLines else { return cutToWholeBlocks() }
        // The file position is also shared with every other holder of the file: it must not stay past the end.
        guard unfinished > 0, let status = FileStatus(of: raw), status.isRegular,
            lseek(raw, 0, SEEK_CUR) == status.size, status.size >= unfinished,
            ftruncate(raw, status.size - unfinished) == 0
        else { return }
        lseek(raw, status.size - unfinished, SEEK_SET)
    }

    /// Returns the length in bytes of the lines that fit into the page at a position of the file, or else of the first
    /// line.
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
    /// The path of the capture's file that is being written; nil for every other output.
    package var file: String? { files?.path }

    /// The time of day by the output's own clock, in nanoseconds since 1970 UTC.
    var time: Int64 { files?.clock() ?? SystemClock.now().wallNanoseconds }

    /// Returns whether a capture's file ends before an event at a time.
    ///
    /// - Parameters:
    ///   - time: the time, in nanoseconds since 1970 UTC.
    ///   - pending: the number of bytes that must still be written before it.
    /// - Returns: false for every output that is not a capture's file.
    func ends(before time: Int64, pending: Int) -> Bool {
        guard let files else { return false }
        let size = written + pending
        return files.isOver(at: time) || files.isFull(size) && size > head
    }

    /// How long the file lasts while nothing happens; nil if nothing ends it then.
    package var timeLeft: Duration? { files.flatMap { $0.timeLeft(at: $0.clock()) } }

    /// The time at which the file ends, in nanoseconds since 1970 UTC; nil if no time ends it.
    package var boundary: Int64? { files?.boundary }

    /// The size at which the file ends, in bytes; nil if no size ends it.
    package var fullSize: Int? { files?.rotation.size }

    /// Records the size in bytes of a file's head, which is rendered but not written yet.
    mutating func noteHead(_ size: Int) { head = size }

    /// Begins the next file of a capture at a time; returns the path of the one that has ended.
    package mutating func beginFile(at time: Int64) throws(SystemError) -> String {
        guard let ended = try files?.next(at: time), let descriptor = files?.descriptor else { return "" }
        raw = descriptor
        written = 0
        whole = 0
        return ended
    }

    /// Removes the beginning of a capture's last block, if writing failed in the middle of it.
    private func cutToWholeBlocks() {
        guard let files, files.isRegular, written > whole else { return }
        var rest = [UInt8](repeating: 0, count: written - whole)
        let count = pread(raw, &rest, rest.count, whole)
        guard count == rest.count else { return }
        ftruncate(raw, whole + WholeBlocks.length(rest.span.bytes, files.format, isStart: whole == 0))
    }
}

/// The search for the end of the last whole block, or packet, in a capture that was cut short.
enum WholeBlocks {
    private static let pcapHeaderSize = 24

    /// Returns the length in bytes of the whole blocks at the start of some bytes, in this machine's byte order.
    ///
    /// - Parameters:
    ///   - bytes: bytes that begin with a block of pcapng or a packet of pcap.
    ///   - format: the format of the capture.
    ///   - isStart: whether the bytes begin a file; a pcap file begins with its header.
    /// - Returns: the offset of the end of the last whole one.
    static func length(_ bytes: RawSpan, _ format: CaptureSettings.Format, isStart: Bool) -> Int {
        var end = 0
        if format == .pcap, isStart {
            guard bytes.byteCount >= pcapHeaderSize else { return 0 }
            end = pcapHeaderSize
        }
        while true {
            let head = format == .pcapng ? 8 : 16
            guard end + head <= bytes.byteCount else { return end }
            let length =
                format == .pcapng ? Int(number(bytes, end + 4)) : 16 + Int(number(bytes, end + 8))
            guard length >= (format == .pcapng ? 12 : 16), length <= bytes.byteCount - end else { return end }
            end += length
        }
    }

    private static func number(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
        bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
}
