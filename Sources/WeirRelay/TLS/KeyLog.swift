#if TLS
import Glibc
import WeirTLS

/// A file of the secrets of TLS connections, as Wireshark reads it.
///
/// Source: NSS Key Log Format. Only this user can read it, and each line is one write, so that no two are mixed.
final class KeyLog: Sendable {
    private let raw: Int32

    /// Opens or makes the file.
    init(_ path: String) throws(TLSSetupError) {
        raw = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard raw >= 0 else { throw TLSSetupError("cannot open '\(path)': \(String(cString: strerror(errno)))") }
        var status = stat()
        if fstat(raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 {
            close(raw)
            throw TLSSetupError(
                "other users have rights to '\(path)', which would hold secrets; run: chmod 600 '\(path)'"
            )
        }
    }

    deinit { close(raw) }

    func append(_ lines: [String]) {
        for line in lines {
            let bytes = Array((line + "\n").utf8)
            _ = write(raw, bytes, bytes.count)
        }
    }
}
#endif
