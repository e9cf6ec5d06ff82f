import Glibc
import WeirEngine
import WeirRelay

/// A file that the user names and that fits into memory: a token, proxies, a scenario.
enum SmallFile {
    /// Reads a file of at most 1 MiB, or of another limit in bytes.
    ///
    /// - Throws: `Failure`: 66 if it cannot be read, 77 if that is not permitted, 65 if it is larger.
    static func read(_ path: String, upTo limit: Int = 1 << 20) throws(Failure) -> [UInt8] {
        try read(path, isSecret: false, upTo: limit)
    }

    /// Reads a file with a secret, which other users must not be able to read or replace.
    ///
    /// - Throws: `Failure`: 64 if other users have such rights to the file; otherwise like `read`.
    static func readSecret(_ path: String) throws(Failure) -> [UInt8] { try read(path, isSecret: true, upTo: 1 << 20) }

    private static func read(_ path: String, isSecret: Bool, upTo limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let error = SystemError("read '\(path)'", ErrorNumber(errno))
            throw Failure(error.error.rawValue == EACCES ? .noPermission : .noInput, "\(error)")
        }
        defer { close(descriptor) }
        var status = stat()
        // Check the open file, because its path can lead elsewhere in the meantime.
        if isSecret, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_mode & (S_IROTH | S_IWOTH) != 0
        {
            let right = status.st_mode & S_IROTH != 0 ? "read" : "write"
            throw Failure(.usage, "'\(path)' holds a secret, and every user can \(right) it; run: chmod o= '\(path)'")
        }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &part, part.count)
            if count == 0 { return bytes }
            guard count > 0 else { throw Failure(.noInput, "\(SystemError("read '\(path)'", ErrorNumber(errno)))") }
            bytes += part.prefix(count)
        }
        throw Failure(.dataError, "'\(path)' is larger than \(limit >> 20) MiB")
    }
}
