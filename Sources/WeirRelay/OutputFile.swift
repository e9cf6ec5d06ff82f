import Glibc
import WeirFlow

/// Opens the files that records are appended to.
enum OutputFile {
    /// Opens a file for appending, and makes it where it is missing.
    ///
    /// A last line that was cut short, by a full disk or a killed program, is closed first, so that it spoils no other.
    static func open(_ path: String) throws(SystemError) -> Descriptor {
        let raw = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard raw >= 0 else { throw SystemError("write to '\(path)'", .current) }
        let descriptor = Descriptor(owning: raw)
        if endsInsideLine(path, raw) { write(raw, "\n", 1) }
        return descriptor
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

/// Says what a descriptor or a path leads to.
struct FileStatus {
    private let status: stat

    /// Asks about an open descriptor.
    init?(of raw: Int32) {
        var status = stat()
        guard fstat(raw, &status) == 0 else { return nil }
        self.status = status
    }

    /// Asks about a path; nil where it leads nowhere, or cannot be followed.
    init?(at path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.status = status
    }

    var isRegular: Bool { status.st_mode & S_IFMT == S_IFREG }
    var isFolder: Bool { status.st_mode & S_IFMT == S_IFDIR }
    var size: Int { Int(status.st_size) }

    func isSameFile(as other: FileStatus) -> Bool {
        status.st_dev == other.status.st_dev && status.st_ino == other.status.st_ino
    }
}
