import Glibc
import WeirEngine
import WeirRelay

/// A file that the user names, and that did not exist before.
struct NewFile: ~Copyable {
    private let path: String
    private let descriptor: Int32

    /// Creates the file with the mode 0600.
    ///
    /// - Throws: `Failure` if it exists, or cannot be created.
    init(_ path: String) throws(Failure) {
        self.path = path
        do throws(SystemError) {
            descriptor = try DirectFiles().make(path)
        } catch {
            throw Failure(creating: error)
        }
    }

    deinit { close(descriptor) }

    /// Checks that there is no such file yet.
    ///
    /// - Throws: `Failure` if there is one.
    static func check(_ path: String) throws(Failure) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        throw Failure(creating: SystemError("write to '\(path)'", ErrorNumber(EEXIST)))
    }

    /// Writes bytes at the end.
    ///
    /// - Throws: `Failure` if they cannot all be written.
    borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        try Self.write(bytes, to: descriptor, path)
    }

    /// Writes bytes to any file.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - descriptor: The file.
    ///   - path: Its path, for the error.
    /// - Throws: `Failure` if they cannot all be written.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws(Failure) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw Failure(.inputOutput, "\(SystemError("write to '\(path)'", ErrorNumber(errno)))")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
