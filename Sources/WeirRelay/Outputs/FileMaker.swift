import CWeir
import Glibc
import WeirEngine

/// A type that creates and deletes the files of a capture.
package protocol FileMaker: Sendable {
    /// Creates a file with the mode 0600, and opens it for writing and reading.
    ///
    /// - Throws: `SystemError` if the file cannot be created, or exists.
    func make(_ path: String) throws(SystemError) -> Int32

    /// Deletes a file.
    func remove(_ path: String)
}

/// A file maker that uses this process's own rights.
package struct DirectFiles: FileMaker {
    /// Creates a file maker.
    package init() {}

    package func make(_ path: String) throws(SystemError) -> Int32 {
        // Also readable, because the rest of a block that a full disk cut is read again.
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("write to '\(path)'", .current) }
        return descriptor
    }

    package func remove(_ path: String) { unlink(path) }
}

/// A file maker for one folder that uses the rights of another process, started before this one dropped its own.
///
/// That process does nothing else: it creates files in the folder, which belong to a user, and deletes that user's
/// files there. It ends with this one.
package final class FileHelper: FileMaker {
    private let socket: Lock<Int32>

    /// Starts the process.
    ///
    /// - Parameters:
    ///   - path: the path to write to: a file in the folder, or the folder.
    ///   - user: the owner of the files.
    /// - Throws: `SystemError` if the folder cannot be opened, or the process cannot be started.
    package init(for path: String, user: User) throws(SystemError) {
        let folder = CaptureName.folder(of: path)
        let socket = weir_file_helper_start(folder, user.id, user.group)
        guard socket >= 0 else { throw SystemError("open the folder '\(folder)'", ErrorNumber(-socket)) }
        self.socket = Lock(socket)
    }

    deinit { socket.withLock { _ = close($0) } }

    /// Creates a file.
    package func make(_ path: String) throws(SystemError) -> Int32 {
        let descriptor = ask(path, removes: false)
        guard descriptor >= 0 else { throw SystemError("write to '\(path)'", ErrorNumber(-descriptor)) }
        return descriptor
    }

    /// Deletes a file.
    package func remove(_ path: String) { _ = ask(path, removes: true) }

    private func ask(_ path: String, removes: Bool) -> Int32 {
        let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
        return socket.withLock { weir_file_helper_ask($0, removes, String(name)) }
    }
}
