import Glibc

/// A small file system in memory; needs root.
package final class SmallDisk: Sendable {
    private let folder: TemporaryFolder

    /// The path of its folder.
    package var path: String { folder.path }

    /// Mounts the file system.
    ///
    /// - Parameters:
    ///   - size: The capacity in bytes.
    ///   - options: The options for `-o` of mount(8), besides the size.
    /// - Throws: An error if it cannot be mounted.
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
