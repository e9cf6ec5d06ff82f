import Glibc
import WeirWire

/// A progress bar on standard error, for files of more than 100 MB together, on a terminal.
struct ShowProgress {
    private static let least = 100_000_000
    private static let interval: UInt64 = 100_000_000

    private let total: Int
    private let start: UInt64
    private var before = 0
    private var shown: UInt64 = 0
    private var isVisible = false

    /// Makes a bar; nil if standard error is not a terminal, the view is live, or the files are small or of unknown
    /// size.
    init?(_ paths: [String], isLive: Bool) {
        guard !isLive, isatty(STDERR_FILENO) == 1, Terminal.movesCursor else { return nil }
        var total = 0
        for path in paths {
            var status = stat()
            guard path != "-", stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            total += Int(status.st_size)
        }
        self.init(of: total, at: Self.now())
    }

    /// Makes a bar for files that have so many bytes together; nil if that is little.
    init?(of total: Int, at start: UInt64) {
        guard total > Self.least else { return nil }
        self.total = total
        self.start = start
    }

    /// Shows how much of the file was read, ten times a second at most.
    mutating func show(_ read: Int) {
        if let text = text(read, at: Self.now()) { Diagnostics.write(text) }
    }

    /// Returns what to write when so much of the file was read; nil if that is too early.
    mutating func text(_ read: Int, at now: UInt64) -> String? {
        guard now - start > Self.interval, now - shown > Self.interval else { return nil }
        shown = now
        isVisible = true
        let done = before + read
        let share = min(Double(done) / Double(total), 1)
        let width = 30
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let rate = done / max(Int((now - start) / 1_000_000), 1) / 1000
        let (percent, megabytes) = (Int(share * 100), (done / 1_000_000, total / 1_000_000))
        return "\r[\(bar)] \(percent) %  \(megabytes.0) of \(megabytes.1) MB  \(rate) MB/s\u{1B}[K"
    }

    /// Records that a file was read.
    mutating func endFile(_ read: Int) { before += read }

    /// Clears the bar.
    func finish() {
        if let text = endText { Diagnostics.write(text) }
    }

    /// The text that clears the bar; nil if none was shown.
    var endText: String? { isVisible ? "\r\u{1B}[K" : nil }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
