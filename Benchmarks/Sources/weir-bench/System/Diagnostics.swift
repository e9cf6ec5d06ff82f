import Glibc

/// Writes whole lines without buffering: answers to standard output, everything else to standard error.
enum Diagnostics {
    /// Writes one line to standard error.
    static func say(_ line: String) {
        write(line, to: STDERR_FILENO)
    }

    /// Writes one line to standard output.
    static func answer(_ line: String) {
        write(line, to: STDOUT_FILENO)
    }

    private static func write(_ line: String, to descriptor: Int32) {
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
