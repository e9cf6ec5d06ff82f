import CWeir
import Glibc
import WeirFlow

/// Makes and deletes the files of a capture.
package protocol FileMaker: Sendable {
    /// Makes a file with the mode 0600, and opens it for writing and reading.
    ///
    /// - Throws: `SystemError` where it cannot be made, or is there.
    func make(_ path: String) throws(SystemError) -> Int32

    /// Deletes a file.
    func remove(_ path: String)
}

/// Makes files by this process's own right.
struct DirectFiles: FileMaker {
    func make(_ path: String) throws(SystemError) -> Int32 {
        // Readable too: what a full disk has cut is looked at again.
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("write to '\(path)'", .current) }
        return descriptor
    }

    func remove(_ path: String) { unlink(path) }
}

/// Makes files in one folder by the right of another process, which was started before this one gave its rights up.
///
/// That process can do nothing else: it makes files in the folder, which belong to a user, and deletes that user's files
/// there. It ends with this one.
package final class FileKeeper: FileMaker {
    private let socket: Lock<Int32>

    /// Starts the process.
    ///
    /// - Parameters:
    ///   - path: what is to be written: a file of the folder, or the folder.
    ///   - user: whom the files are to belong to.
    /// - Throws: `SystemError` where the folder cannot be opened, or there can be no process.
    package init(for path: String, user: User) throws(SystemError) {
        let folder = CaptureName.folder(of: path)
        let socket = weir_keeper_start(folder, user.id, user.group)
        guard socket >= 0 else { throw SystemError("open the folder '\(folder)'", ErrorNumber(-socket)) }
        self.socket = Lock(socket)
    }

    deinit { socket.withLock { _ = close($0) } }

    /// Makes a file.
    package func make(_ path: String) throws(SystemError) -> Int32 {
        let descriptor = ask(path, removes: false)
        guard descriptor >= 0 else { throw SystemError("write to '\(path)'", ErrorNumber(-descriptor)) }
        return descriptor
    }

    /// Deletes a file.
    package func remove(_ path: String) { _ = ask(path, removes: true) }

    private func ask(_ path: String, removes: Bool) -> Int32 {
        let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
        return socket.withLock { weir_keeper_ask($0, removes, String(name)) }
    }
}
