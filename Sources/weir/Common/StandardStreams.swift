import Glibc

/// The three descriptors with which a program starts.
enum StandardStreams {
    /// Opens something in place of those that are closed (`<&-`), so that nothing else gets their numbers.
    ///
    /// Reading from it returns the end at once, and writing fails. Call it first of all.
    static func fillGaps() {
        while true {
            let raw = open("/dev/null", O_RDONLY)
            if raw > STDERR_FILENO {
                close(raw)
                return
            }
            guard raw < 0 else { continue }
            // Without /dev/null use a pipe's read end: it is at its end, and cannot be written to.
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { exit(ExitStatus.internalError.rawValue) }
            close(ends[1])
            if ends[0] > STDERR_FILENO {
                close(ends[0])
                return
            }
        }
    }
}
