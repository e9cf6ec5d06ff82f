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

    deinit {
        umount2(path, Int32(MNT_DETACH))
    }
}
