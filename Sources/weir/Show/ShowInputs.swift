import Glibc
import WeirCapture
import WeirEngine
import WeirWire

/// The files to read: those that were named, and in place of a folder the captures and logs in it.
///
/// If a folder has both a capture and a log of the same run of a relay, the log's share of that run is left out.
struct ShowInputs {
    /// A file to read.
    struct File: Hashable {
        /// Its path; `-` is standard input.
        var path: String
        /// The numbers of the runs, from 1, that are left out of a log.
        var runsLeftOut: Set<Int> = []
    }

    /// The files; those of a folder are in the order of their first packets.
    private(set) var files: [File] = []
    /// What is not read of folders, a line each.
    private(set) var notes: [String] = []

    /// Finds the files of all paths.
    ///
    /// - Throws: `Failure` if a folder cannot be read, or has neither a capture nor a log.
    init(_ paths: [String]) throws(Failure) {
        for path in paths {
            guard path != "-", Self.isFolder(path) else {
                files.append(File(path: path))
                continue
            }
            var found = try Self.read(path)
            notes += RunMatching.leaveOut(&found)
            files += found.map { File(path: $0.path, runsLeftOut: $0.runsLeftOut) }
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Returns the captures and logs in a folder, in order.
    private static func read(_ folder: String) throws(Failure) -> [FolderFile] {
        let attempt = "read '\(folder)'"
        guard let directory = opendir(folder) else {
            throw Failure(reading: .system(attempt: attempt, ErrorNumber(errno)))
        }
        defer { closedir(directory) }
        var found: [FolderFile] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else { throw Failure(reading: .system(attempt: attempt, ErrorNumber(errno))) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            if isCapture(path) { found.append(FolderFile(path: path, name: name)) }
        }
        guard !found.isEmpty else {
            throw Failure(.noInput, "'\(folder)' has no captures in it, and no logs; name a file, or another folder")
        }
        return found.sorted()
    }

    /// Returns whether a file begins as a capture, a compressed one, or a log does.
    private static func isCapture(_ path: String) -> Bool {
        var status = stat()
        // Opening a pipe would wait for its writer.
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        // What cannot be read is told when it is its turn.
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var first = [UInt8](repeating: 0, count: 8)
        let count = Glibc.read(descriptor, &first, first.count)
        let start = first[..<max(count, 0)]
        if start.starts(with: "{\"".utf8) { return true }
        return starts.contains { start.starts(with: $0) }
    }

    /// The first bytes of pcapng, of pcap in both byte orders with micro- and nanoseconds, and of gzip.
    private static let starts: [[UInt8]] = [
        [0x0a, 0x0d, 0x0d, 0x0a], [0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0xc3, 0xd4], [0x4d, 0x3c, 0xb2, 0xa1],
        [0xa1, 0xb2, 0x3c, 0x4d], [0x1f, 0x8b],
    ]
}
