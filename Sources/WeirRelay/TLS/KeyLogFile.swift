#if TLS
import Glibc
import Synchronization
import WeirTLS

/// A file of the secrets of TLS connections, as Wireshark reads it.
///
/// Source: NSS Key Log Format. Only this user can read it, and each line is one write, so that no two are mixed.
final class KeyLogFile: Sendable {
    private let raw: Int32
    /// Whether the last line is not whole.
    private let hasPart = Atomic<Bool>(false)

    /// Opens or makes the file.
    init(_ path: String) throws(TLSSetupError) {
        raw = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard raw >= 0 else {
            throw TLSSetupError("cannot open '\(path)': \(String(cString: strerror(errno)))", .output)
        }
        var status = stat()
        if fstat(raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 {
            close(raw)
            throw TLSSetupError(
                "other users have rights to '\(path)', which would hold secrets; run: chmod 600 '\(path)'"
            )
        }
    }

    deinit { close(raw) }

    /// Appends lines; a reader that does not take them (a pipe) misses some.
    ///
    /// - Returns: the error at the first line that is not in the file; nil if all are.
    func append(_ lines: [String]) -> String? {
        var problem: String?
        for line in lines {
            // Behind a line of which a part was written, another one begins anew.
            let followsPart = hasPart.exchange(false, ordering: .relaxed)
            let bytes = Array(((followsPart ? "\n" : "") + line + "\n").utf8)
            let count = write(raw, bytes, bytes.count)
            if count == bytes.count { continue }
            if count > 0 { hasPart.store(true, ordering: .relaxed) }
            problem = problem ?? (count < 0 ? String(cString: strerror(errno)) : "no space for all of a line")
        }
        return problem
    }
}
#endif
