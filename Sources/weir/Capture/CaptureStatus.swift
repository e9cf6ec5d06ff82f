import Glibc
import WeirCapture

/// The progress of a capture, on one line of a terminal that is written again and again.
struct CaptureStatus: Sendable {
    private static let interval: Int64 = 1_000_000_000

    private var isShown = false
    /// The time at which the line is due again, in nanoseconds since 1970 UTC.
    private var due: Int64 = 0

    /// Makes the line; nil if standard error is not a terminal.
    init?() {
        self.init(isOnTerminal: isatty(STDERR_FILENO) == 1)
    }

    /// Makes the line; nil if there is no terminal.
    init?(isOnTerminal: Bool) {
        guard isOnTerminal else { return nil }
    }

    /// Writes the line again, once a second at most.
    mutating func show(_ progress: CaptureProgress) {
        if let text = text(progress) { Diagnostics.write(text) }
    }

    /// Returns the line; nil if it is not due.
    mutating func text(_ progress: CaptureProgress) -> String? {
        guard progress.now >= due else { return nil }
        due = progress.now &+ Self.interval
        isShown = true
        return "\r\(progress.summary)\u{1b}[K"
    }

    /// Writes text on a line of its own, also while the status line is shown.
    static func write(_ text: String) {
        Diagnostics.write((isatty(STDERR_FILENO) == 1 ? "\r\u{1b}[K" : "") + text + "\n")
    }

    /// Clears the line.
    func clear() {
        if let text = endText { Diagnostics.write(text) }
    }

    /// The text that clears the line; nil if it was never shown.
    var endText: String? { isShown ? "\r\u{1b}[K" : nil }
}

extension CaptureProgress {
    /// The numbers of captured and lost packets: `(100 packets) captured, (0 packets) dropped by the kernel`.
    var summary: String {
        var text =
            "\(packets) \(packets == 1 ? "packet" : "packets") captured, \(counters.dropped) dropped by the kernel"
        if counters.droppedByInterface > 0 { text += ", \(counters.droppedByInterface) by the interface" }
        return text
    }
}
