import Glibc
import WeirAnalysis
import WeirEngine
import WeirRelay

/// A folder that receives files, and outside of which nothing is written.
///
/// Each part of a file's path is opened in the folder before it, and no link is followed, so neither a name nor a link
/// that is in the folder leads out of it. A file that exists is never changed.
final class ExportFolder {
    /// The path that the user gave.
    let path: String
    private let descriptor: Int32
    /// The number that the last file with a name got, where names repeat.
    private var numbers: [ExportName: Int] = [:]
    private static let mostNumbers = 1 << 20

    /// Opens a folder, or creates it.
    ///
    /// - Throws: `Failure` if neither is possible.
    init(_ path: String) throws(Failure) {
        self.path = path
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw Failure(creating: SystemError("create the folder '\(path)'", ErrorNumber(errno)))
        }
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(creating: SystemError("open the folder '\(path)'", ErrorNumber(errno)))
        }
    }

    deinit { close(descriptor) }

    /// Writes a new file with the name, or with a number added if there is one already.
    ///
    /// - Returns: The path of the file.
    /// - Throws: `Failure` if it cannot be created or written.
    func write(_ bytes: [UInt8], named name: ExportName) throws(Failure) -> String {
        let first = numbers[name] ?? 1
        for number in first..<(first + Self.mostNumbers) {
            let candidate = number == 1 ? name : name.numbered(number)
            guard let file = try create(candidate) else { continue }
            defer { close(file.descriptor) }
            numbers[name] = number + 1
            try bytes.span.bytes.withUnsafeBytes { bytes throws(Failure) in
                try NewFile.write(bytes, to: file.descriptor, file.path)
            }
            return file.path
        }
        throw Failure(
            .cannotCreate,
            "cannot write to '\(full(name.components))': there are too many files of that name"
        )
    }

    /// Creates a file; nil if the name is taken.
    private func create(_ name: ExportName) throws(Failure) -> (descriptor: Int32, path: String)? {
        var folder = descriptor
        defer { if folder != descriptor { close(folder) } }
        var opened: [String] = []
        for component in name.components.dropLast() {
            let (next, used) = try enter(component, of: folder, below: opened)
            if folder != descriptor { close(folder) }
            folder = next
            opened.append(used)
        }
        guard let last = name.components.last else { return nil }
        let path = full(opened + [last])
        let file = openat(folder, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        if file >= 0 { return (file, path) }
        guard errno == EEXIST || errno == EISDIR || errno == ELOOP else {
            throw Failure(creating: SystemError("write to '\(path)'", ErrorNumber(errno)))
        }
        return nil
    }

    /// Opens a folder within another one, or creates it; if something else has its name, one with a number.
    private func enter(_ name: String, of folder: Int32, below: [String]) throws(Failure) -> (Int32, String) {
        for number in 1...64 {
            let candidate = number == 1 ? name : "\(name)-\(number)"
            _ = mkdirat(folder, candidate, 0o700)
            let opened = openat(folder, candidate, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            if opened >= 0 { return (opened, candidate) }
            guard errno == ENOTDIR || errno == ELOOP else { break }
        }
        throw Failure(creating: SystemError("create the folder '\(full(below + [name]))'", ErrorNumber(errno)))
    }

    private func full(_ components: [String]) -> String {
        (path.hasSuffix("/") ? path : path + "/") + components.joined(separator: "/")
    }
}
