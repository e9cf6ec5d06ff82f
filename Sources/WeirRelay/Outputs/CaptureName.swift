import WeirWire

/// A maker of capture files' names: the given name, or one with the time at which the file begins.
struct CaptureName: Hashable, Sendable {
    private let stem: String
    private let suffix: String
    private let isExact: Bool
    private let isNumbered: Bool

    /// Makes the names for a path.
    ///
    /// - Parameters:
    ///   - path: the path that the user gave; in a folder, files have names such as `weir-20261122T123107Z.pcapng`.
    ///   - isFolder: whether the path is a folder.
    ///   - suffix: the end of a file's name in a folder, such as `.pcapng`.
    ///   - hasSeveralFiles: whether each name has the time and a number: `name-20261122T123107Z-00001.pcapng`.
    init(_ path: String, isFolder: Bool, suffix: String, hasSeveralFiles: Bool) {
        isExact = !isFolder && !hasSeveralFiles
        isNumbered = hasSeveralFiles
        if isFolder {
            stem = (path.hasSuffix("/") ? path : path + "/") + "weir"
            self.suffix = suffix
        } else {
            let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
            let dot = path[start...].dropFirst().lastIndex(of: ".") ?? path.endIndex
            stem = String(path[..<dot])
            self.suffix = String(path[dot...])
        }
    }

    /// Returns the name of a file, given its number, from 1, and the time of its beginning, in nanoseconds since 1970
    /// UTC.
    func path(at time: Int64, number: Int) -> String {
        if isExact { return stem + suffix }
        var output = ByteBuffer(capacity: 64)
        output.append("-")
        Timestamp().appendCompact(time, to: &output)
        if isNumbered || number > 1 {
            output.append("-")
            output.appendDecimal(number, width: isNumbered ? 5 : 1)
        }
        return stem + output.string + suffix
    }

    /// Returns the folder in which the files of a path are created.
    static func folder(of path: String) -> String {
        if FileStatus(at: path)?.isFolder ?? false { return path }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether the next number gives a free name if a name is taken.
    var hasNumbers: Bool { !isExact }
}
