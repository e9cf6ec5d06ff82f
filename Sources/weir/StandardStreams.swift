import Glibc

/// Knows the three descriptors that a program is started with.
enum StandardStreams {
    /// Puts something in the place of those that are closed (`<&-`), so that nothing else takes their numbers.
    ///
    /// Reading it gives the end at once, and writing fails. To be called first of all.
    static func fillGaps() {
        while true {
            let raw = open("/dev/null", O_RDONLY)
            guard raw > STDERR_FILENO else {
                if raw < 0 { return }
                continue
            }
            close(raw)
            return
        }
    }
}
