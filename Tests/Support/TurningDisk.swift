import Foundation

/// An ext4 file system in a file, which can turn read-only under an open file as after a device error.
///
/// It needs root and a loop device.
///
/// Remounting cannot do that: Linux refuses to remount read-only while a file is open for writing.
package final class TurningDisk: Sendable {
    private let folder: TemporaryFolder
    private let device: String

    /// The path of its folder.
    package var path: String { folder.path + "/disk" }

    /// Whether the machine can provide the file system.
    package static var isPossible: Bool {
        let kinds = (try? String(contentsOfFile: "/proc/filesystems", encoding: .utf8)) ?? ""
        return geteuid() == 0 && kinds.contains("\text4\n") && ChildProgram.exists("mkfs.ext4")
            && FileManager.default.fileExists(atPath: "/dev/loop-control")
    }

    /// Creates the file system and mounts it.
    package init() throws {
        folder = try TemporaryFolder()
        let image = try folder.file("image", [UInt8](repeating: 0, count: 8 << 20))
        try Self.run("mkfs.ext4", ["-q", "-O", "^has_journal", image])
        device = try Self.run("losetup", ["-f", "--show", image]).trimmingCharacters(in: .whitespacesAndNewlines)
        do {
            try FileManager.default.createDirectory(atPath: folder.path + "/disk", withIntermediateDirectories: false)
            try Self.run("mount", ["-o", "errors=remount-ro", device, folder.path + "/disk"])
        } catch {
            _ = try? Self.run("losetup", ["-d", device])
            throw error
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        _ = try? Self.run("losetup", ["-d", device])
    }

    /// Makes the kernel find an error, after which it allows no more writes.
    package func turn() throws {
        let name = device.dropFirst("/dev/".count)
        try Data("1".utf8).write(to: URL(fileURLWithPath: "/sys/fs/ext4/\(name)/trigger_fs_error"))
    }

    @discardableResult
    private static func run(_ program: String, _ arguments: [String]) throws -> String {
        let ended = try ChildProgram.run(program, arguments)
        guard ended.status == 0 else { throw HelperError("\(program): \(ended.output)") }
        return ended.output
    }
}
