import FoundationEssentials
import Glibc

/// A folder of its own for one run.
struct TemporaryFolder: Sendable {
    /// The absolute path.
    let path: String

    /// Makes a new folder in `TMPDIR`, or in /tmp.
    init() throws(BenchError) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/weir-bench.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .lastCall("mkdtemp", on: parent) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private init(path: String) {
        self.path = path
    }

    /// Makes a new folder inside this one.
    func subfolder() throws(BenchError) -> TemporaryFolder {
        var template = Array("\(path)/run.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .lastCall("mkdtemp", on: path) }
        return TemporaryFolder(path: String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    /// Removes the folder with all that is in it; what cannot be removed is said.
    func remove() {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            Diagnostics.say("weir-bench: cannot remove \(path); remove it by hand")
        }
    }
}
