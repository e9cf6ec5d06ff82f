import Glibc
import Support
import Testing

@testable import WeirRelay

@Suite("Files to which records are appended")
struct OutputFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Opens a file, appends some bytes, and returns whether it waited for a reader.
    private func append(_ name: String, _ text: String) throws(SystemError) -> Bool {
        var hasWaited = false
        let descriptor = try OutputFile.open(folder.path + "/" + name) { hasWaited = true }
        #expect(write(descriptor.raw, text, text.utf8.count) == text.utf8.count)
        #expect(fcntl(descriptor.raw, F_GETFL) & O_NONBLOCK == 0 && fcntl(descriptor.raw, F_GETFD) & FD_CLOEXEC != 0)
        return hasWaited
    }

    private func text(_ name: String) throws -> String { String(decoding: try folder.read(name), as: UTF8.self) }

    @Test(
        "Records are appended, on a line of their own where the last one was cut",
        arguments: [
            ("", "new\n"), ("old\n", "old\nnew\n"), ("a\nold", "a\nold\nnew\n"), ("\n", "\nnew\n"), ("x", "x\nnew\n"),
        ]
    )
    func appends(before: String, after: String) throws {
        _ = try folder.file("a", Array(before.utf8))
        #expect(try !append("a", "new\n") && text("a") == after)
    }

    @Test("A file that is missing is made for its owner alone")
    func makes() throws {
        #expect(try !append("a", "x"))
        let status = try #require(FileStatus(at: folder.path + "/a"))
        #expect(try status.isRegular && status.size == 1 && text("a") == "x")
        var mode = stat()
        #expect(stat(folder.path + "/a", &mode) == 0 && mode.st_mode & 0o777 == 0o600)
    }

    @Test("A pipe is opened once it has a reader, which is told before it is waited for")
    func waits() throws {
        let path = folder.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        #expect(try !append("pipe", "x"))
        close(reader)
        let (opened, begun) = (Lock(false), Lock(false))
        let writing = try Background { [folder] in
            let descriptor = OutputFile.openWaiting(folder.path + "/pipe", 0) { begun.withLock { $0 = true } }
            opened.withLock { $0 = true }
            let isBlocking = fcntl(descriptor, F_GETFL) & O_NONBLOCK == 0
            close(descriptor)
            return isBlocking
        }
        let deadline = Deadline()
        while !begun.withLock({ $0 }), !deadline.isOver { usleep(1000) }
        #expect(begun.withLock { $0 } && !opened.withLock { $0 })
        let late = open(path, O_RDONLY | O_NONBLOCK)
        #expect(try writing.value())
        close(late)
    }

    @Test("A folder and a path that leads nowhere are refused, without waiting")
    func refuses() throws {
        func message(_ name: String) -> String {
            do throws(SystemError) { return "\(try append(name, "x"))" } catch { return "\(error)" }
        }
        #expect(mkdir(folder.path + "/folder", 0o700) == 0)
        #expect(message("folder") == "cannot write to '\(folder.path)/folder': folder, not file (EISDIR)")
        #expect(message("none/a") == "cannot write to '\(folder.path)/none/a': no such file or folder (ENOENT)")
        let socket = try LoopbackSocketFile(folder.path + "/socket")
        #expect(message("socket").hasSuffix("(ENXIO)"))
        withExtendedLifetime(socket) {}
    }

    @Test("A status tells kinds and files apart, and there is none of what is not there")
    func statuses() throws {
        let (a, b) = (try folder.file("a", [1, 2, 3]), try folder.file("b", [1, 2, 3]))
        #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        let (first, second) = (try #require(FileStatus(at: a)), try #require(FileStatus(at: b)))
        #expect(first.isRegular && !first.isPipe && !first.isFolder && first.size == 3)
        let pipe = try #require(FileStatus(at: folder.path + "/pipe"))
        #expect(pipe.isPipe && !pipe.isRegular && !pipe.isFolder)
        let place = try #require(FileStatus(at: folder.path))
        #expect(place.isFolder && !place.isRegular && !place.isPipe)
        let descriptor = open(a, O_RDONLY)
        defer { close(descriptor) }
        let opened = try #require(FileStatus(of: descriptor))
        #expect(opened.isSameFile(as: first) && !opened.isSameFile(as: second) && !first.isSameFile(as: place))
        #expect(FileStatus(of: -1) == nil && FileStatus(at: folder.path + "/none") == nil)
    }
}

/// A socket in the file system.
private struct LoopbackSocketFile {
    private let descriptor: Descriptor2

    /// Closes with its owner.
    private final class Descriptor2 {
        let raw: Int32
        init(_ raw: Int32) { self.raw = raw }
        deinit { close(raw) }
    }

    init(_ path: String) throws {
        descriptor = Descriptor2(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let count = path.utf8.count
        try #require(count < 100)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { [raw = descriptor.raw] in
                bind(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0)
    }
}
