import Glibc
import WeirCapture
import WeirEngine
import WeirWire

/// The files to read: those that were named, and in place of a folder the captures and logs in it.
enum ShowInputs {
    /// Returns the files of all paths; those of a folder are in the order of their first packets.
    ///
    /// - Throws: `Failure` if a folder cannot be read, or has neither a capture nor a log.
    static func files(_ paths: [String]) throws(Failure) -> [String] {
        var files: [String] = []
        for path in paths {
            if path != "-", isFolder(path) { files += try read(path) } else { files.append(path) }
        }
        return files
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Returns the captures and logs in a folder, in order.
    private static func read(_ folder: String) throws(Failure) -> [String] {
        let attempt = "read '\(folder)'"
        guard let directory = opendir(folder) else {
            throw Failure(reading: .system(attempt: attempt, ErrorNumber(errno)))
        }
        defer { closedir(directory) }
        var found: [File] = []
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
            if isCapture(path) { found.append(File(path: path, name: name, time: firstTime(path))) }
        }
        guard !found.isEmpty else {
            throw Failure(.noInput, "'\(folder)' has no captures in it, and no logs; name a file, or another folder")
        }
        return found.sorted().map(\.path)
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

    /// Returns the time of a file's first packet; nil if it has none.
    private static func firstTime(_ path: String) -> Int64? {
        do {
            var file = try CaptureFile(path)
            while let item = try file.next() {
                if case .packet(let packet) = item, let time = packet.timestamp { return time }
            }
        } catch {
            // It is told when the file is read.
        }
        return nil
    }

    /// A file of a folder.
    private struct File: Comparable {
        var path: String
        var name: String
        var time: Int64?

        /// Orders files by their first packets; those without one come first, and names decide the rest.
        static func < (left: File, right: File) -> Bool {
            switch (left.time, right.time) {
            case (let left?, let right?) where left != right: left < right
            case (nil, _?): true
            case (_?, nil): false
            default: isBefore(left.name, right.name)
            }
        }
    }

    /// Returns whether a name comes before another, with numbers in them in the order of their values, as in
    /// `cap.pcap9` and `cap.pcap10`.
    static func isBefore(_ left: String, _ right: String) -> Bool {
        var (left, right) = (Array(left.utf8)[...], Array(right.utf8)[...])
        while let first = left.first, let second = right.first {
            if isDigit(first), isDigit(second) {
                let (one, other) = (takeNumber(&left), takeNumber(&right))
                if one.count != other.count { return one.count < other.count }
                if one != other { return one.lexicographicallyPrecedes(other) }
                continue
            }
            guard first == second else { return first < second }
            left = left.dropFirst()
            right = right.dropFirst()
        }
        return left.isEmpty && !right.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// Takes the digits at the start of a text, without leading zeros.
    private static func takeNumber(_ text: inout ArraySlice<UInt8>) -> [UInt8] {
        let digits = text.prefix { isDigit($0) }
        text = text.dropFirst(digits.count)
        return Array(digits.drop { $0 == 0x30 })
    }
}
