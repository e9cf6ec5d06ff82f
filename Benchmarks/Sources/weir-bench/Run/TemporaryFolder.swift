import FoundationEssentials
import Glibc

/// A folder of its own for one run.
struct TemporaryFolder: Sendable {
    /// The absolute path.
    let path: String

    /// Makes a new folder in `TMPDIR`, or in /tmp.
    init() throws(BenchError) {
        try self.init(in: getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp", named: "weir-bench")
    }

    private init(in parent: String, named name: String) throws(BenchError) {
        var template = Array("\(parent)/\(name).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .lastCall("mkdtemp", on: parent) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Makes a new folder inside this one.
    func subfolder() throws(BenchError) -> TemporaryFolder { try TemporaryFolder(in: path, named: "run") }

    /// Removes the folder with all that is in it; what cannot be removed is said.
    func remove() {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            Diagnostics.say("weir-bench: cannot remove \(path); remove it by hand")
        }
    }
}
