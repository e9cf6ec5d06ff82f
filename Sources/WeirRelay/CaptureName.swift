import WeirFlow
import WeirWire

/// Makes the names of capture files: the one that was given, or one with the time when the file was begun.
struct CaptureName: Hashable, Sendable {
    private let stem: String
    private let suffix: String
    private let isExact: Bool
    private let isNumbered: Bool

    /// Makes the names for a path.
    ///
    /// - Parameters:
    ///   - path: what was asked for; a folder gets files that are called `weir-20261122T123107Z.pcapng`.
    ///   - isFolder: whether it is a folder.
    ///   - suffix: the name's end in a folder, as `.pcapng`.
    ///   - hasSeveralFiles: whether each file gets the time and a number: `name-20261122T123107Z-00001.pcapng`.
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

    /// Makes the name of the file with a number, from 1, that was begun at a time in nanoseconds since 1970 UTC.
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

    /// Names the folder that the files of a path are made in.
    static func folder(of path: String) -> String {
        if FileStatus(at: path)?.isFolder ?? false { return path }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Says whether a name that is taken can be avoided by the next number.
    var hasNumbers: Bool { !isExact }
}
