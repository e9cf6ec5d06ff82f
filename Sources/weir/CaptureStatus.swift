import Glibc
import WeirCapture

/// Says on one line of a terminal, which it writes over and over, how far a capture is.
struct CaptureStatus: Sendable {
    private var isShown = false

    /// Makes the line; nil where standard error is no terminal.
    init?() {
        guard isatty(STDERR_FILENO) == 1 else { return nil }
    }

    /// Writes the line anew.
    mutating func show(_ progress: CaptureProgress) {
        isShown = true
        Diagnostics.write("\r\(progress.summary)\u{1b}[K")
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
