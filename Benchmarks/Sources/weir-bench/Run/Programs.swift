import Glibc

/// Where programs are, as a shell would find them.
struct Programs: Sendable {
    private let searchPath: [String]
    /// Paths that were given for names, in place of a search.
    private let given: [String: String]

    /// Prepares to search the folders of a PATH, after the folders that Debian keeps its servers in.
    init(path: String, given: [String: String] = [:]) {
        searchPath = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin", "/sbin"]
        self.given = given
    }

    /// Returns the path of a program; nil when it is not installed.
    func find(_ name: String) -> String? {
        if let path = given[name] { return Self.isProgram(path) ? path : nil }
        return searchPath.lazy.map { "\($0)/\(name)" }.first(where: Self.isProgram)
    }

    /// Says whether a path names a file that can be run.
    static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    /// Returns the path of this program.
    static func ownPath() throws(BenchError) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        guard length > 0 else { throw .lastCall("readlink", on: "/proc/self/exe") }
        return String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Chooses the Weir to measure: the given one, else the one beside weir-bench, else the release build of the folder that
    /// weir-bench was built in, else the one on PATH.
    static func weir(given: String?, ownPath: String) -> [String: String] {
        if let given { return ["weir": given] }
        var folders = ownPath.split(separator: "/").dropLast()
        let beside = "/" + folders.joined(separator: "/") + "/weir"
        if isProgram(beside) { return ["weir": beside] }
        while !folders.isEmpty {
            let built = "/" + folders.joined(separator: "/") + "/.build/release/weir"
            if isProgram(built) { return ["weir": built] }
            folders.removeLast()
        }
        return [:]
    }
}
