import Glibc
import WeirEngine

/// The opening of files to which records are appended.
enum OutputFile {
    /// Opens a file for appending, and creates it if it is missing.
    ///
    /// If a killed program left the last line unfinished, a line feed is written first, so that the next line stays
    /// whole.
    ///
    /// - Parameters:
    ///   - path: The file; a named pipe is opened once it has a reader.
    ///   - whenWaiting: Called before waiting for a pipe's reader.
    /// - Returns: The descriptor, whose writes block.
    /// - Throws: `SystemError` if the file cannot be opened.
    static func open(_ path: String, whenWaiting: () -> Void) throws(SystemError) -> Descriptor {
        let raw = openWaiting(path, O_CREAT | O_APPEND, whenWaiting)
        guard raw >= 0 else { throw SystemError("write to '\(path)'", .current) }
        let descriptor = Descriptor(owning: raw)
        if endsInsideLine(path, raw) { write(raw, "\n", 1) }
        return descriptor
    }

    /// Opens a file for writing, and calls `whenWaiting` before it waits for the reader of a named pipe.
    ///
    /// - Returns: The descriptor, whose writes block; negative with `errno` set if it cannot be opened.
    static func openWaiting(_ path: String, _ flags: Int32, _ whenWaiting: () -> Void) -> Int32 {
        let flags = flags | O_WRONLY | O_CLOEXEC
        let raw = retrying { Glibc.open(path, flags | O_NONBLOCK, 0o600) }
        if raw >= 0 {
            let status = fcntl(raw, F_GETFL)
            if status >= 0 { _ = fcntl(raw, F_SETFL, status & ~O_NONBLOCK) }
            return raw
        }
        // A pipe without a reader; a socket and a device without a driver give the same error.
        let error = errno
        guard error == ENXIO, FileStatus(at: path)?.isPipe == true else {
            errno = error
            return raw
        }
        whenWaiting()
        return retrying { Glibc.open(path, flags, 0o600) }
    }

    private static func retrying(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            guard result < 0, errno == EINTR else { return result }
        }
    }

    private static func endsInsideLine(_ path: String, _ raw: Int32) -> Bool {
        guard let status = FileStatus(of: raw), status.isRegular, status.size > 0 else { return false }
        let reader = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard reader >= 0 else { return false }
        defer { close(reader) }
        var byte: UInt8 = 0
        return pread(reader, &byte, 1, status.size - 1) == 1 && byte != UInt8(ascii: "\n")
    }
}

/// The kind, size and identity of an open descriptor or a path.
struct FileStatus {
    private let status: stat

    /// Reads the status of an open descriptor.
    init?(of raw: Int32) {
        var status = stat()
        guard fstat(raw, &status) == 0 else { return nil }
        self.status = status
    }

    /// Reads the status of a path; nil if there is nothing, or a link cannot be followed.
    init?(at path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.status = status
    }

    var isRegular: Bool { status.st_mode & S_IFMT == S_IFREG }
    var isPipe: Bool { status.st_mode & S_IFMT == S_IFIFO }
    var isFolder: Bool { status.st_mode & S_IFMT == S_IFDIR }
    var size: Int { Int(status.st_size) }

    func isSameFile(as other: FileStatus) -> Bool {
        status.st_dev == other.status.st_dev && status.st_ino == other.status.st_ino
    }
}
