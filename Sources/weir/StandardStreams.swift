import Glibc

/// Knows the three descriptors that a program is started with.
enum StandardStreams {
    /// Puts something in the place of those that are closed (`<&-`), so that nothing else takes their numbers.
    ///
    /// Reading it gives the end at once, and writing fails. To be called first of all.
    static func fillGaps() {
        while true {
            let raw = open("/dev/null", O_RDONLY)
            if raw > STDERR_FILENO {
                close(raw)
                return
            }
            guard raw < 0 else { continue }
            // Without /dev/null a pipe does: its reading end has ended, and cannot be written to.
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
