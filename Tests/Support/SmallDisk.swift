import Glibc

/// Is a small file system in memory; needs root.
package final class SmallDisk: Sendable {
    private let folder: TemporaryFolder

    /// Says where it is.
    package var path: String { folder.path }

    /// Mounts it.
    ///
    /// - Parameters:
    ///   - size: how many bytes fit.
    ///   - options: what mount(8) takes with `-o`, beside the size.
    /// - Throws: where it cannot be mounted.
    package init(size: Int = 1 << 20, options: String = "rw") throws {
        folder = try TemporaryFolder()
        let ended = try ChildProgram.run(
            "mount",
            ["-t", "tmpfs", "-o", "size=\(size),\(options)", "weir-test", folder.path]
        )
        guard ended.status == 0 else { throw HelperError("mount: \(ended.output)") }
    }

    /// Fills what is left of it with a file.
    package func fill() throws {
        let raw = open(path + "/filling", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard raw >= 0 else { throw HelperError("open: errno \(errno)") }
        defer { close(raw) }
        let zeros = [UInt8](repeating: 0, count: 4096)
        while write(raw, zeros, zeros.count) > 0 {}
    }

    /// Makes it read-only.
    package func makeReadOnly() throws {
        let ended = try ChildProgram.run("mount", ["-o", "remount,ro", path])
        guard ended.status == 0 else { throw HelperError("mount: \(ended.output)") }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
    }
}
