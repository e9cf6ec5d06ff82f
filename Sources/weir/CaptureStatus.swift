import Glibc
import WeirCapture

/// Says on one line of a terminal, which it writes over and over, how far a capture is.
struct CaptureStatus: Sendable {
    private static let interval: Int64 = 1_000_000_000

    private var isShown = false
    /// Says when the line is due again, in nanoseconds since 1970 UTC.
    private var due: Int64 = 0

    /// Makes the line; nil where standard error is no terminal.
    init?() {
        guard isatty(STDERR_FILENO) == 1 else { return nil }
    }

    /// Writes the line anew, once a second at most.
    mutating func show(_ progress: CaptureProgress) {
        guard progress.now >= due else { return }
        due = progress.now &+ Self.interval
        isShown = true
        Diagnostics.write("\r\(progress.summary)\u{1b}[K")
    }

    /// Says something on a line of its own, also where the line is shown.
    static func write(_ text: String) {
        Diagnostics.write((isatty(STDERR_FILENO) == 1 ? "\r\u{1b}[K" : "") + text + "\n")
    }

    /// Takes the line away.
    mutating func clear() {
        if isShown { Diagnostics.write("\r\u{1b}[K") }
        isShown = false
    }
}

extension CaptureProgress {
    /// Says what was captured and what was lost: `(100 packets) captured, (0 packets) dropped by the kernel`.
    var summary: String {
        var text =
            "\(packets) \(packets == 1 ? "packet" : "packets") captured, \(counters.dropped) dropped by the kernel"
        if counters.droppedByInterface > 0 { text += ", \(counters.droppedByInterface) by the interface" }
        return text
    }
}
