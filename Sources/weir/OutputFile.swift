import Glibc
import WeirFlow

/// Opens the files that records are written to.
enum OutputFile {
    /// Opens a file for appending, and makes it where it is missing.
    static func open(_ path: String) throws(Failure) -> Int32 {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor < 0 else { return descriptor }
        let error = ErrorNumber(errno)
        let code: ExitStatus = error.rawValue == EACCES || error.rawValue == EPERM ? .noPermission : .cannotCreate
        throw Failure(code, "cannot write to '\(path)': \(error)")
    }
}
